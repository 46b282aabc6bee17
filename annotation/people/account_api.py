"""Whose API token a script uses: the first request to try with a new token."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.views.decorators.cache import never_cache
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.models import ApiToken
from annotation.roles import Role, role_of

ACCOUNT = inline_serializer(
    "Account",
    {
        "username": serializers.CharField(),
        "role": serializers.ChoiceField(choices=[role.value for role in Role], allow_null=True),
        "token_expires_at": serializers.DateTimeField(allow_null=True),
    },
)


@extend_schema(responses=ACCOUNT)
@never_cache
@api_view(["GET"])
def account(request: Request) -> Response:
    """The account, its role, and when the token expires (null for a browser session)."""
    user, token = cast(User, request.user), request.auth
    expires_at = token.expires_at if isinstance(token, ApiToken) else None
    return Response({"username": user.get_username(), "role": role_of(user), "token_expires_at": expires_at})


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's schema describes the token."""

    target_class = "annotation.people.token_authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}
