"""The web process: `uvicorn config.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

from config.postgresql.idle import keep_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_asgi_application()
keep_connections()
