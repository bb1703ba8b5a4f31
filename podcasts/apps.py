"""Shows, episodes and feeds."""

from django.apps import AppConfig


class PodcastsConfig(AppConfig):
    name = "podcasts"

    def ready(self) -> None:
        from podcasts import checks  # noqa: F401  registers them
