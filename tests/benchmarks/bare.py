"""The rival of `tests.benchmarks.rating`: a bare Django view with one claim query.

`wsgi` is for gunicorn, `application` for uvicorn: Django's own handler, or the product's with BARE_ON=threads.

It knows who is asking (sessions and accounts, as the product does), shows the dialogue by a small template, and keeps a
rating as one row. No rubric, no draft, no order, no progress, no protection of forms, no content policy.
"""

import json
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.benchmarks.bare_settings")

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

application, wsgi = get_asgi_application(), get_wsgi_application()

if os.environ.get("BARE_ON") == "threads":
    from config.handler import ThreadedHandler

    application = ThreadedHandler()

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path

TABLES = """
DROP TABLE IF EXISTS bare_rating; DROP TABLE IF EXISTS bare_place;
CREATE TABLE bare_place (id bigserial PRIMARY KEY, dialogue bigint, rater bigint, state text DEFAULT 'open');
CREATE INDEX bare_open ON bare_place (id) WHERE state = 'open' AND rater IS NULL;
CREATE TABLE bare_rating (id bigserial PRIMARY KEY, place bigint, rater bigint, scores jsonb);
"""
CLAIM = """
UPDATE bare_place SET rater = %s WHERE id = (
  SELECT id FROM bare_place WHERE state = 'open' AND rater IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id, (SELECT messages FROM dialogues_dialogue d WHERE d.id = dialogue)
"""


def next_place(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [request.user.pk])
        place, messages = cursor.fetchone()
    shown = json.loads(messages) if isinstance(messages, str) else messages
    return render(request, "bare.html", {"place": place, "messages": shown})


def submit(request: HttpRequest, place: int) -> HttpResponse:
    sent: dict[str, Any] = json.loads(request.body)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bare_rating (place, rater, scores) VALUES (%s, %s, %s) RETURNING id",
            [place, request.user.pk, json.dumps(sent["scores"])],
        )
        return JsonResponse({"id": cursor.fetchone()[0], "next": "/"})


urlpatterns = [
    path("up/", lambda request: HttpResponse("up")),
    path("", next_place),
    path("<int:place>/submit/", submit),
]
