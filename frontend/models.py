"""No tables of its own: others' tables, in a form that Django's admin can show."""

from typing import ClassVar

from django.db import models


class KeptHits(models.Model):
    """The rows of ``downloads.HitBatch``, whose composite key the admin can't show.

    Their ids are of one sequence, so that one alone names a row. The hits themselves are sealed,
    and not here at all.
    """

    id = models.BigIntegerField(primary_key=True)
    day = models.DateField()
    hits = models.IntegerField()
    is_from_log = models.BooleanField(default=False)

    class Meta:
        managed = False
        db_table = "downloads_hitbatch"
        verbose_name = "batch of hits"
        verbose_name_plural = "batches of hits"
        default_permissions: ClassVar[tuple[str, ...]] = ()

    def __str__(self) -> str:
        return f"{self.hits} hits of {self.day}"
