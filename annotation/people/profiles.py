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


def profile_of(user: User, pseudonym: str = "") -> Profile:
    """The user's profile, made at the first need (accounts from `createsuperuser` have none).

    Its pseudonym is the one given, where nobody has it yet, else drawn at random. Raises RuntimeError where `TRIES`
    pseudonyms in a row were taken.
    """
    for _ in range(TRIES):
        # A pseudonym that somebody has, or a profile that a neighbour made meanwhile: look and draw again.
        with suppress(IntegrityError):
            return Profile.objects.get_or_create(user=user, defaults={"pseudonym": pseudonym or _pseudonym()})[0]
        pseudonym = ""
    raise RuntimeError(f"no free pseudonym in {TRIES} draws: make annotation.people.profiles.LENGTH larger")


def _pseudonym() -> str:
    return "rater-" + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
