"""Who is told what, live, and how often."""

from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "apps.live"
