"""How often an episode was downloaded, by whom, and why a request was not a download."""

from django.apps import AppConfig
from django.core.checks import register


class DownloadsConfig(AppConfig):
    name = "apps.downloads"

    def ready(self) -> None:
        from apps.downloads.checks import check_files

        register(check_files)
