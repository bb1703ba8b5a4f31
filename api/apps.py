"""REST v1: what a program can do."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "api"

    def ready(self) -> None:
        """Tell drf-spectacular of our own kinds of fields."""
        from api.base import schema  # noqa: F401  # its extensions register themselves
