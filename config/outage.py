"""What a person or a script is told when a request breaks.

The database is away, something else broke, or there is no such address.
"""

import sys

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.translation import gettext_lazy as _
from django.views.defaults import page_not_found as missing
from django.views.defaults import server_error as broke

RETRY_AFTER = 5  # seconds; a database comes back after a restart in about that time
AWAY = _("The database does not answer just now. What was sent may not have been kept; send it again in a few seconds.")


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """503 with Retry-After where the database broke off, else the page for everything unforeseen.

    Django calls this inside its `except` block, so the error is the one that is being handled.
    """
    if not isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        return broke(request)
    return _away(request)


@login_not_required
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page, or for a script of the API a reason as all others."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "There is no such address. /api/schema/ lists all."}, status=404)
    return missing(request, exception)


def _away(request: HttpRequest) -> HttpResponse:
    # Without a request: what pages usually know about the person asks the database.
    wants_json = request.path.startswith("/api/") or request.content_type == "application/json"
    response = (
        JsonResponse({"detail": str(AWAY)}, status=503)
        if wants_json
        else HttpResponse(loader.get_template("503.html").render(), status=503)
    )
    response["Retry-After"] = str(RETRY_AFTER)
    return response
