"""The web process: `uvicorn config.asgi:application`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

# After the set-up: they read settings and models.
from config.files import with_static_files  # noqa: E402
from config.handler import ThreadedHandler  # noqa: E402

application = with_static_files(ThreadedHandler())
