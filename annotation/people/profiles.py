"""The pseudonym that stands for a person in every export."""

import secrets
from contextlib import suppress

from django.contrib.auth.models import User
from django.db import IntegrityError

from annotation.models import Profile

# No letters or digits that look alike when they are read out.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 4
TRIES = 20


def profile_of(user: User) -> Profile:
    """The user's profile, made with a random pseudonym at the first need (accounts from `createsuperuser` have none).

    Raises RuntimeError where `TRIES` pseudonyms in a row were taken.
    """
    for _ in range(TRIES):
        # A pseudonym that somebody has, or a profile that a neighbour made meanwhile: look and draw again.
        with suppress(IntegrityError):
            return Profile.objects.get_or_create(user=user, defaults={"pseudonym": _pseudonym()})[0]
    raise RuntimeError(f"no free pseudonym in {TRIES} draws: make annotation.people.profiles.LENGTH larger")


def _pseudonym() -> str:
    return "rater-" + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
