"""Answers that are kept for a while, so that a repeated request is not a second one."""

from django.db import models

from apps.core.clock import now


class KeptAnswer(models.Model):
    """What a POST with an ``Idempotency-Key`` was answered."""

    key_sha256 = models.BinaryField(primary_key=True, max_length=32)  # of who asked, and their key
    request_sha256 = models.BinaryField(max_length=32)
    # Of the person or the organisation behind it: whose answers are counted together.
    owner_sha256 = models.BinaryField(max_length=32)
    size_bytes = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField()
    # Sealed, as it is nobody's but theirs who asked.
    sealed = models.BinaryField()
    created_at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["owner_sha256", "created_at"],
                include=["size_bytes"],
                name="kept_answer_by_owner",
            )
        ]

    def __str__(self) -> str:
        return f"answer {self.status} of {self.created_at:%Y-%m-%d %H:%M}"
