"""A person's own API tokens: list them, make one, revoke one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation.models import ApiToken
from annotation.people import api_tokens as tokens
from annotation.people.forms import ApiTokenForm
from core.acting import person_of
from core.permissions import requires

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
