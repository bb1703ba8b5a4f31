"""What can be told: the names are a contract with every receiver and never change."""

from django.db import models


class EventType(models.TextChoices):
    """An endpoint chooses among these; see docs/webhooks.md for what each carries."""

    EPISODE_PUBLISHED = "episode.published", "An episode is published"
    EPISODE_UPDATED = "episode.updated", "An episode changes"
    EPISODE_UNPUBLISHED = "episode.unpublished", "An episode is withdrawn"
    UPLOAD_PROCESSED = "upload.processed", "An uploaded file is ready, or failed"
    DOWNLOADS_MILESTONE = "downloads.milestone", "Downloads reach a milestone"


# What the test button sends; to the endpoint that is tested, whatever it has chosen.
PING = "ping"
