"""Random tokens: names in addresses, and secrets of which only a digest is stored."""

import secrets
from hashlib import sha256


def opaque_token() -> str:
    """A random name for something in a rater's address: 96 bits, 16 characters."""
    return secrets.token_urlsafe(12)


def digest(secret: str) -> str:
    """The SHA-256 of a secret with full entropy, 64 hexadecimal digits."""
    return sha256(secret.encode()).hexdigest()
