"""What an API token may do, at most; what its person or role may do bounds it as well."""

from django.db import models


class Scope(models.TextChoices):
    """Each stands for itself: whoever may write may not read without ``read``."""

    READ = "read", "Read"  # shows, episodes, people; no figures
    WRITE = "write", "Write"  # makes, changes, publishes and deletes
    STATS = "stats", "Statistics"  # downloads, charts, live figures
    UPLOADS = "uploads", "Uploads"  # sends files, and sees how far they are


MEANINGS = {
    Scope.READ: "See shows, episodes, people and settings. No figures.",
    Scope.WRITE: "Make, change, publish and delete them, as far as the role goes.",
    Scope.STATS: "See downloads, charts and live figures.",
    Scope.UPLOADS: "Send audio files. Using one for an episode takes “Write” as well.",
}
