"""Bytes: uploads, storage, ranges, responses, probing and encoding."""

from django.apps import AppConfig
from django.core.checks import register


class MediaConfig(AppConfig):
    name = "apps.media"

    def ready(self) -> None:
        from apps.media.checks import check_media
        from apps.media.delivery.checks import check_delivery

        register(check_media)
        register(check_delivery)
