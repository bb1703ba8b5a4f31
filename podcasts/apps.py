"""Shows, episodes and feeds."""

from django.apps import AppConfig


class PodcastsConfig(AppConfig):
    name = "podcasts"
