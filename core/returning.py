"""Back to the page with the button that was clicked."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme


def back(request: HttpRequest, otherwise: Any) -> HttpResponse:
    """Redirect to the page that the form names (`next`) if it is one of ours, else as `redirect` does."""
    there = request.POST.get("next", "")
    return redirect(there if is_ours(there) else otherwise)


def is_ours(address: str) -> bool:
    """Whether it is a path on this site, which may stand in a link."""
    return url_has_allowed_host_and_scheme(address, allowed_hosts=None)
