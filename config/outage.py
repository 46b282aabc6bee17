"""The answer when a request fails: the database is away, the disk is full, the body is too large, or anything else.

Scripts get JSON, people a page.
"""

import errno
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import disk_usage
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.defaults import bad_request as bad
from django.views.defaults import page_not_found as missing
from django.views.defaults import server_error as broke

RETRY_AFTER = 5  # seconds; about as long as a database takes to restart
AWAY = gettext_lazy(
    "The database does not answer just now. What was sent may not have been kept; send it again in a few seconds."
)
FULL = gettext_lazy(
    "The server's disk is full. What was sent was not kept; what was saved before is safe. Tell an admin, and send it "
    "again once there is room."
)
TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT)
POSTGRESQL_DISK_FULL = "53100"
SQLITE_FULL = "SQLITE_FULL"
SQLITE_NEEDS = 2**16  # bytes; its index of the write-ahead log grows by half of that


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """507 if the disk is full, 503 with Retry-After if the database went away, else the page for unforeseen errors.

    Django calls this inside its `except` block, so the error is the one being handled.
    """
    error = sys.exc_info()[1]
    if disk_is_full(error):
        return _told(request, 507, str(FULL))
    if not isinstance(error, (OperationalError, InterfaceError)):
        return broke(request)
    response = _told(request, 503, str(AWAY))
    response["Retry-After"] = str(RETRY_AFTER)
    return response


@login_not_required
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page, or for the API a reason in JSON."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "There is no such address. /api/schema/ lists all."}, status=404)
    return missing(request, exception)


@login_not_required
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """413 for a body over a limit, where Django sends a bare 400."""
    if not isinstance(exception, TOO_LARGE):
        return bad(request, exception)
    return _told(request, 413, too_large())


def too_large() -> str:
    """What the limits are, for somebody who exceeded one."""
    limits = {"upload": settings.MAX_UPLOAD_MB, "form": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20}
    return (
        _(
            "More was sent than this server takes at once: %(upload)d MB in a file, %(form)d MB in a form or as JSON. "
            "Nothing was changed. Send less, or import a larger corpus file on the server's command line."
        )
        % limits
    )


def disk_is_full(error: BaseException | None) -> bool:
    """Whether this error or one of its causes is the operating system's or a database's "no space left"."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if _says_full(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in FULL_ERRNOS
    if getattr(error, "sqlstate", "") == POSTGRESQL_DISK_FULL:
        return True
    name: str = getattr(error, "sqlite_errorname", "")
    # Without room SQLite cannot even open its log, and reports that under a dozen names.
    return name == SQLITE_FULL or (name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) and _is_without_room())


def _is_without_room() -> bool:
    return disk_usage(Path(connection.settings_dict["NAME"]).parent).free < SQLITE_NEEDS


def unread(scope: Mapping[str, Any], error: Exception) -> HttpResponse:
    """The answer to a request whose body could not be stored; there is no request object yet, only ASGI's `scope`.

    Raises `error` unless the body's size or a full disk caused it.
    """
    status, words = (413, too_large()) if isinstance(error, TOO_LARGE) else (507, str(FULL))
    if status == 507 and not disk_is_full(error):
        raise error
    kinds = [value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"]
    return _answer(scope["path"], "".join(kinds[:1]).partition(";")[0], status, words)


def _told(request: HttpRequest, status: int, words: str) -> HttpResponse:
    return _answer(request.path, request.content_type or "", status, words)


def _answer(path: str, content_type: str, status: int, words: str) -> HttpResponse:
    # Rendered without the request: the context processors would ask the database about the person.
    if path.startswith("/api/") or content_type == "application/json":
        return JsonResponse({"detail": words}, status=status)
    return HttpResponse(loader.get_template(f"{status}.html").render({"words": words}), status=status)
