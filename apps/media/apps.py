"""Bytes: uploads, storage, ranges, responses, probing and encoding."""

from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "apps.media"
