"""Settings of the bare rival: the product's, without its middlewares but those that say who is asking."""

import os

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.bare"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
PAGE = """<!doctype html><title>Rate</title><form method="post" action="/{{ place }}/submit/">
{% for message in messages %}<p><b>{{ message.0 }}</b> {{ message.1 }}</p>{% endfor %}
<input type="hidden" name="submission_id" value="{{ place }}"><button>Submit</button></form>"""
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {"bare.html": PAGE})]},
    }
]
# What a plain installation of Django does under ASGI: a connection a request. Gunicorn's threads each keep one, and the
# product's server has its pool.
DATABASES["default"]["CONN_MAX_AGE"] = None if os.environ.get("BARE_ON") == "gunicorn" else 0  # noqa: F405
DATABASES["default"]["CONN_HEALTH_CHECKS"] = False  # noqa: F405
SILENCED_SYSTEM_CHECKS = ["admin"]
