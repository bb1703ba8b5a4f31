"""The project as an app, so that its management commands are found."""

from django.apps import AppConfig


class HostingConfig(AppConfig):
    name = "hosting"
