"""Trials: a draft set or wording on a few backgrounds, beside what runs use now, away from people's corpora."""
