"""The worker process: `celery -A config worker`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("stephanie")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Rooms of an app that have tasks of their own.
app.autodiscover_tasks(["generation.judgements", "generation.training"])


@worker_ready.connect
def look_for_work(**_: Any) -> None:
    """Start work as soon as a worker is up; otherwise it waits until the sweep finds its predecessor dead."""
    app.send_task("generation.run_calls", expires=30)
