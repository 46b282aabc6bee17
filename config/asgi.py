"""The web process: `uvicorn config.asgi:application`."""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

# After the set-up: they read settings and models.
from django.conf import settings  # noqa: E402
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler  # noqa: E402
from servestatic import ServeStaticASGI  # noqa: E402

from config.handler import ThreadedHandler  # noqa: E402


def with_static_files(handler: Any) -> Any:
    """Serve static files before Django is asked: from STATIC_ROOT, or while DEBUG is on from the source folders."""
    if settings.DEBUG:
        return ASGIStaticFilesHandler(handler)
    # By default it tells browsers to keep files with a hash in their names for ever.
    return ServeStaticASGI(
        handler, root=settings.STATIC_ROOT, prefix=settings.STATIC_URL, add_headers_function=_add_headers
    )


def _add_headers(headers: Any, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"


application = with_static_files(ThreadedHandler())
