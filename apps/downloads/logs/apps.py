"""Access logs of those who send audio in Longwave's place: read, and handed to the counter."""

from django.apps import AppConfig


class LogsConfig(AppConfig):
    name = "apps.downloads.logs"
    label = "logs"

    def ready(self) -> None:
        from apps.downloads.logs.finality import awaiting_logs  # its models aren't ready before
        from apps.downloads.provisional import heed

        heed(awaiting_logs)
