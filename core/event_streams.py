"""Server-Sent Events for the script of an open page (WHATWG HTML, 9.2).

A browser's EventSource cannot tell a log-in page from a broken server and gives up for good; a status it can report.
"""

from collections.abc import AsyncIterator, Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

P = ParamSpec("P")
EventView = Callable[Concatenate[HttpRequest, P], StreamingHttpResponse]


def event_view(view: EventView[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """An address of events; without a session it responds with 403, never with a log-in page."""

    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return JsonResponse({"detail": "You are logged out. Log in again."}, status=403)
        return view(request, *args, **kwargs)

    return login_not_required(require_GET(never_cache(checked)))  # type: ignore[return-value]


def event_stream(events: AsyncIterator[str]) -> StreamingHttpResponse:
    """A response that holds no database connection while it waits for the next event."""
    if not connection.in_atomic_block:
        connection.close()
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response
