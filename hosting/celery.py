"""The Celery application: jobs that take seconds, and the clock that starts periodic ones."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hosting.settings")

app = Celery("longwave")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="audio_tasks")
app.autodiscover_tasks(["apps.media.delivery"])


def _report_as(role: str) -> None:
    from apps.core.vitals import Reporter  # the settings are read by now

    Reporter(role).start()


@worker_ready.connect
def _begin_worker(**kwargs: Any) -> None:
    _report_as("worker")


@beat_init.connect
def _begin_clock(**kwargs: Any) -> None:
    _report_as("clock")
