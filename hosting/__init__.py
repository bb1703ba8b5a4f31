"""The Django project: settings, addresses, servers and engines."""

from hosting.celery import app as celery_app

__all__ = ["celery_app"]
