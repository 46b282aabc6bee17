"""Unguessable names."""

import secrets


def opaque_token() -> str:
    """An unguessable name for something a rater may see."""
    return secrets.token_urlsafe(12)
