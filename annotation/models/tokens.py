"""Unguessable names for addresses."""

import secrets


def opaque_token() -> str:
    """A random name for something in a rater's address: 96 bits, 16 characters."""
    return secrets.token_urlsafe(12)
