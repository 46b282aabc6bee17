"""Calls from plan to stored output: claimed, sent, settled, read, decided. The money is counted here."""
