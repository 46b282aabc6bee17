"""Authentication of scripts by an API token: `Authorization: Bearer …`."""

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from annotation.models import ApiToken
from annotation.people import api_tokens

REFUSED = (
    "This API token is unknown, revoked or has run out. Make a new one on the page “API tokens”, in the menu behind "
    "your name."
)


class TokenAuthentication(BaseAuthentication):
    """Log in as the token's user; leave other kinds of header to the next authentication class."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        # Replace bytes that are not ASCII: no token contains the replacement character.
        token = api_tokens.find(text.strip().decode("ascii", errors="replace"))
        if token is None:
            raise AuthenticationFailed(REFUSED)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
