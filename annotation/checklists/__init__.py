"""Checklists that authors must fill, prefilled from a study's record; what the record does not know is a marked gap."""
