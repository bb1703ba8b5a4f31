"""What every other room may use: ids, clock, hashing, connections. No models."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "apps.core"
