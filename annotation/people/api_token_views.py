"""A person's own API tokens: list them, make one, revoke one; and the first request to try with a new one."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.models import ApiToken
from annotation.people import api_tokens as tokens
from annotation.people.forms import ApiTokenForm
from annotation.roles import Role, role_of
from core.permissions import person_of, requires

_may_use = requires("annotation.add_apitoken", "use API tokens")


@never_cache
@require_http_methods(["GET", "POST"])
@_may_use
def api_tokens(request: HttpRequest) -> HttpResponse:
    user, form = person_of(request), ApiTokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            token, text = tokens.issue(user=user, by=user, **form.cleaned_data)
        except tokens.ApiTokenError as error:
            form.add_error("name", str(error))
        else:
            # The only page that shows the token: it answers the POST, because the text is not stored.
            address = request.build_absolute_uri("/api/")
            return render(request, "people/api_token.html", {"token": token, "text": text, "address": address})
    context = {"form": form, "tokens": user.api_tokens.kept(), "now": timezone.now()}
    return render(request, "people/api_tokens.html", context, status=422 if form.errors else 200)


@require_POST
@_may_use
def api_token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    user = person_of(request)
    token = get_object_or_404(ApiToken, pk=pk, user=user)
    tokens.revoke(token=token, by=user)
    messages.success(request, f"The token “{token}” is revoked. Scripts that use it are refused from now on.")
    return redirect("api_tokens")


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

    target_class = "annotation.people.api_tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}
