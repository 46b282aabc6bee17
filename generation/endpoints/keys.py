"""API keys at rest: Fernet text under FIELD_ENCRYPTION_KEYS, newest key first, so that keys can be rotated."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class KeysMissingError(Exception):
    """No usable encryption key in the environment; the text says what to set."""


def encrypt(text: str) -> str:
    """Raises KeysMissingError."""
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raises KeysMissingError, also where none of the present keys wrote the token."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise KeysMissingError(
            "The stored API key was encrypted under a key that is no longer in FIELD_ENCRYPTION_KEYS. "
            "Put that key back behind the new one, or enter the API key again."
        ) from None


def rotate(token: str) -> str:
    """The same text under the newest key; raises KeysMissingError."""
    try:
        return _fernet().rotate(token.encode()).decode()
    except InvalidToken:
        raise KeysMissingError("No key in FIELD_ENCRYPTION_KEYS opens this stored API key.") from None


def must_be_usable() -> None:
    """Raises KeysMissingError where nothing could be encrypted."""
    _fernet()


def _fernet() -> MultiFernet:
    if not settings.FIELD_ENCRYPTION_KEYS:
        raise KeysMissingError(
            "FIELD_ENCRYPTION_KEYS is not set, so an API key cannot be stored safely. "
            "`make secrets` prints one; put it in the environment and restart."
        )
    try:
        return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])
    except ValueError:
        raise KeysMissingError(
            "FIELD_ENCRYPTION_KEYS holds something that is not a Fernet key; `make secrets` prints one."
        ) from None
