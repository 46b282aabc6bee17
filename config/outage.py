"""What a person or a script is told when a request breaks: that the database is away, or that something else broke."""

import sys

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.translation import gettext_lazy as _
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
