"""The Celery application: jobs that take seconds, and the clock that starts periodic ones."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hosting.settings")

app = Celery("longwave")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="audio_tasks")
app.autodiscover_tasks(["apps.media.delivery"])
