"""How often an episode was downloaded, by whom, and why a request was not a download."""

from django.apps import AppConfig


class DownloadsConfig(AppConfig):
    name = "apps.downloads"
