"""Access logs of those who send audio in Longwave's place: read, and handed to the counter."""

from django.apps import AppConfig


class LogsConfig(AppConfig):
    name = "apps.downloads.logs"
    label = "logs"
