"""Answers that are kept for a while, so that a repeated request is not a second one."""

from django.db import models

from apps.core.clock import now


class KeptAnswer(models.Model):
    """What a POST with an ``Idempotency-Key`` was answered."""

    key_sha256 = models.BinaryField(primary_key=True, max_length=32)  # of who asked, and their key
    request_sha256 = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    # Sealed: an answer may hold a secret that is shown only once.
    sealed = models.BinaryField()
    created_at = models.DateTimeField(default=now, db_index=True)

    def __str__(self) -> str:
        return f"answer {self.status} of {self.created_at:%Y-%m-%d %H:%M}"
