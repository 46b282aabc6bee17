"""API keys: encrypted at rest, and taken out of what servers send back.

At rest a key is Fernet text under FIELD_ENCRYPTION_KEYS, newest key first, so that keys can be rotated.

Some servers repeat the API key in their answers. JSON has several ways to write one letter (`s`, `\\u0073`), and JSON
inside JSON more. A match on the spellings of each letter finds the key in every mixture of them, in bodies, event
streams, batch lines and half a body alike, and leaves everything else byte for byte as it came.
"""

import re
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

SHORTEST_SECRET = 8  # letters; a shorter key is a placeholder such as "none", and hiding it would garble replies
MARK = "[key]"


class KeysMissingError(Exception):
    """No usable encryption key in the environment; the text says what to set."""


def encrypt(text: str) -> str:
    """Raises KeysMissingError."""
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raises KeysMissingError, also if none of the present keys wrote the token."""
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
    """Raises KeysMissingError if nothing could be encrypted."""
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


def without_secret(text: str, secret: str) -> str:
    """The text with `[key]` wherever the secret stood, plainly or escaped; linear in the text."""
    return text if len(secret) < SHORTEST_SECRET else _spelt(secret).sub(MARK, text)


@lru_cache(maxsize=64)
def _spelt(secret: str) -> re.Pattern[str]:
    return re.compile("".join(map(_spelling, secret)))


def _spelling(letter: str) -> str:
    """Every way to write one ASCII letter: itself, and as JSON, addresses and HTML escape it.

    Each repetition has a small bound, so that no text makes the search backtrack far.
    """
    plain, code = re.escape(letter), f"(?i:{ord(letter):02x})"
    in_json = rf"\\{{1,8}}(?:{plain}|u00{code}|x{code})"
    in_address = f"%(?:25){{0,3}}{code}"
    in_html = f"&#(?:0{{0,6}}{ord(letter)}|(?i:x)0{{0,6}}{code});"
    return f"(?:{plain}|{in_json}|{in_address}|{in_html})"
