"""Static files, served before Django is asked: from STATIC_ROOT, or while DEBUG is on from where they are written."""

from typing import Any

from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from servestatic import ServeStaticASGI


def with_static_files(application: Any) -> Any:
    """The ASGI application, answering for the files itself."""
    if settings.DEBUG:
        return ASGIStaticFilesHandler(application)
    # Names with a hash in them are told to be kept for ever, as they are by default.
    return ServeStaticASGI(
        application, root=settings.STATIC_ROOT, prefix=settings.STATIC_URL, add_headers_function=_add_headers
    )


def _add_headers(headers: Any, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
