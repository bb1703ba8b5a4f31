"""What is stored of listening: coverage per listener and day, the day's keys, what was dropped."""

from typing import Any

from django.db import models
from django.db.models import F, Func, Q

from apps.accounts.models import Organization
from apps.core.clock import now
from apps.downloads.fields import IntervalsField
from apps.downloads.keys import KEY_BYTES
from apps.media.models import Rendition
from podcasts.models import Episode, Show

_SETTLED = Q(counted_at__isnull=False) | Q(quarantined_at__isnull=False)


class ServedBytes(Func):
    """How many bytes a set of intervals holds: a SQL function made by the first migration."""

    function = "longwave_interval_bytes"
    output_field = models.BigIntegerField()


class OutlivedKey(models.ForeignKey[Any, Any]):
    """A reference to something that may be deleted for good without what was counted of it.

    Totals must not shrink when the trash is emptied. The counter holds no lock on what the studio
    edits, either.
    """

    def __init__(self, to: Any, **kwargs: Any) -> None:
        kwargs |= {"on_delete": models.DO_NOTHING, "db_constraint": False, "related_name": "+"}
        kwargs |= {"db_index": False}  # the composite ones begin with what is looked up
        super().__init__(to, **kwargs)


class Coverage(models.Model):
    """All bytes of one file that one listener was served on one UTC day.

    It is a download from ``counted_at`` on: the moment when the counter saw that the union
    reached the threshold. ``first_at`` is when the listener's first request began: it doesn't
    depend on the order of reports, so charts by the hour use it.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    show = OutlivedKey(Show)
    episode = OutlivedKey(Episode)
    rendition = OutlivedKey(Rendition)
    day = models.DateField()
    listener_key = models.BinaryField(max_length=KEY_BYTES)
    # The listener's address alone, for the ceiling; a keyed hash like the listener key.
    address_key = models.BinaryField(max_length=KEY_BYTES)
    served = IntervalsField()
    served_bytes = models.GeneratedField(
        expression=ServedBytes("served"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    threshold_bytes = models.BigIntegerField()
    first_at = models.DateTimeField()
    counted_at = models.DateTimeField(null=True, blank=True)
    quarantined_at = models.DateTimeField(null=True, blank=True)
    app = models.CharField(max_length=100, blank=True)
    category = models.CharField(max_length=10)  # agents.AgentKind
    device = models.CharField(max_length=100, blank=True)
    platform = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)

    class Meta:
        verbose_name_plural = "coverage"
        constraints = [
            models.UniqueConstraint(
                fields=["episode", "day", "listener_key", "rendition"],
                name="coverage_one_row_per_file",
            ),
            # A file replaced in mid-day must not count the same listener twice.
            models.UniqueConstraint(
                fields=["episode", "day", "listener_key"],
                condition=_SETTLED,
                name="coverage_counted_once",
            ),
            models.CheckConstraint(
                condition=~_SETTLED | Q(served_bytes__gte=F("threshold_bytes")),
                name="coverage_counted_reached_threshold",
            ),
            models.CheckConstraint(
                condition=Q(counted_at=None) | Q(quarantined_at=None),
                name="coverage_counted_or_quarantined",
            ),
            models.CheckConstraint(
                condition=Q(threshold_bytes__gt=0), name="coverage_threshold_positive"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "day"], name="coverage_organization_day"),
            models.Index(fields=["show", "day"], name="coverage_show_day"),
            models.Index(
                fields=["day"], condition=Q(counted_at__isnull=False), name="coverage_day"
            ),
            models.Index(
                fields=["show", "-counted_at"],
                condition=Q(counted_at__isnull=False),
                name="coverage_show_latest",
            ),
            models.Index(
                fields=["-counted_at"],
                condition=Q(counted_at__isnull=False),
                name="coverage_latest",
            ),
            models.Index(
                fields=["day", "address_key"],
                condition=_SETTLED,
                name="coverage_address_ceiling",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.served_bytes} of {self.threshold_bytes} bytes on {self.day}"


class DayKey(models.Model):
    """The random key behind one day's listener keys; destroyed 72 h after the day's end."""

    day = models.DateField(primary_key=True)
    key = models.BinaryField(max_length=KEY_BYTES)

    def __str__(self) -> str:
        return f"key of {self.day}"


class DropTally(models.Model):
    """How many responses of a day were dropped, and why."""

    day = models.DateField()
    # All three empty when the message named nothing that (still) existed.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, related_name="+"
    )
    show = OutlivedKey(Show, null=True)
    episode = OutlivedKey(Episode, null=True)
    reason = models.CharField(max_length=20)  # rules.DropReason
    count = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "drop tallies"
        constraints = [
            models.UniqueConstraint(
                fields=["show", "day", "episode", "reason"],
                nulls_distinct=False,
                name="drop_tally_one_per_reason",
            ),
            models.CheckConstraint(condition=Q(count__gt=0), name="drop_tally_positive"),
        ]
        indexes = [models.Index(fields=["day"], name="drop_tally_day")]

    def __str__(self) -> str:
        return f"{self.count} {self.reason} on {self.day}"


class StreamPosition(models.Model):
    """Up to which message of the stream everything is in this database."""

    stream = models.CharField(max_length=100, primary_key=True)
    position = models.CharField(max_length=41)  # "<milliseconds>-<sequence>", two 64-bit numbers
    updated_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"{self.stream} at {self.position}"
