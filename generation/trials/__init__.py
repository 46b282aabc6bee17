"""Trials: a draft set or wording on a few backgrounds, compared with what runs use now, in a scratch corpus."""
