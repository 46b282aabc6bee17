"""Print fresh secrets for an .env file: `make secrets`. Nothing here is ever used as a default."""

import base64
import os
import secrets


def fresh() -> dict[str, str]:
    """One random value for each secret setting; the second is a Fernet key (32 bytes, URL-safe base64)."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
    }


if __name__ == "__main__":
    for name, value in fresh().items():
        print(f"{name}={value}")  # noqa: T201
