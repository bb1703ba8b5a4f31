"""What lives as long as a UTC day is open: its key, who was served which bytes, and its hits.

The tables of the last three are partitioned by day, see ``partitions``: a closed day goes at once.
"""

from django.db import models
from django.db.models import Func, Q

from apps.accounts.models import Organization
from apps.downloads.fields import IntervalsField
from apps.downloads.keys import DAY_KEY_BYTES, KEY_BYTES
from apps.downloads.models.references import OutlivedKey
from apps.media.models import Rendition
from podcasts.models import Episode, Show


class Reaches(Func):
    """Whether a set of intervals holds so many bytes: a SQL function made by a migration."""

    function = "longwave_reaches"
    output_field = models.BooleanField()


class DayKey(models.Model):
    """The random key behind one day's listener keys; destroyed 72 h after the day's end."""

    day = models.DateField(primary_key=True)
    key = models.BinaryField(max_length=DAY_KEY_BYTES)

    def __str__(self) -> str:
        return f"key of {self.day}"


class Coverage(models.Model):
    """All bytes of one file that one listener was served on one UTC day.

    ``first_at`` is when the listener's first request began: it doesn't depend on the order of
    reports. ``download`` is set once the union reached the threshold: that is what is kept.
    """

    pk = models.CompositePrimaryKey("day", "episode", "listener_key", "rendition")
    day = models.DateField()
    episode = OutlivedKey(Episode)
    listener_key = models.BinaryField(max_length=KEY_BYTES)
    rendition = OutlivedKey(Rendition)
    organization = OutlivedKey(Organization)
    show = OutlivedKey(Show)
    # The listener's address alone, for the ceiling; a keyed hash like the listener key.
    # Set with the download.
    address_key = models.BinaryField(max_length=KEY_BYTES, null=True, blank=True)
    served = IntervalsField()
    threshold_bytes = models.BigIntegerField()
    first_at = models.DateTimeField()
    referrer = models.CharField(max_length=255, blank=True)  # of the first request that names one
    # Sent on to somebody else who serves the bytes: a download until their logs say otherwise.
    is_sent_on = models.BooleanField(default=False)
    download_id = models.BigIntegerField(null=True, blank=True)
    # When the download was attributed to a moment, and whether bytes or a request made it one.
    attributed_at = models.DateTimeField(null=True, blank=True)
    is_provisional = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "coverage"
        constraints = [
            # A file replaced in mid-day must not count the same listener twice.
            models.UniqueConstraint(
                fields=["day", "listener_key", "episode"],
                condition=Q(download_id__isnull=False),
                name="coverage_counted_once",
            ),
            models.CheckConstraint(
                condition=Q(threshold_bytes__gt=0), name="coverage_threshold_positive"
            ),
            models.CheckConstraint(
                condition=Q(download_id=None)
                | Q(is_provisional=True)
                | Q(Reaches("served", "threshold_bytes")),
                name="coverage_counted_reached_threshold",
            ),
            models.CheckConstraint(
                condition=Q(download_id__isnull=False, attributed_at__isnull=False)
                | Q(download_id=None, attributed_at=None, is_provisional=False),
                name="coverage_attributed_when_counted",
            ),
        ]
        indexes = [
            models.Index(
                fields=["day", "address_key"],
                condition=Q(download_id__isnull=False),
                name="coverage_address_ceiling",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.served} towards {self.threshold_bytes} bytes on {self.day}"


class DayListener(models.Model):
    """That a listener downloaded something of a show on a UTC day."""

    pk = models.CompositePrimaryKey("day", "show", "listener_key")
    day = models.DateField()
    show = OutlivedKey(Show)
    listener_key = models.BinaryField(max_length=KEY_BYTES)

    def __str__(self) -> str:
        return f"a listener of {self.show_id} on {self.day}"


class HitBatch(models.Model):
    """The hits of one batch that belong to one day, to count the day again with.

    Sealed with the day's key, see ``archive``: with the key go the addresses.
    """

    pk = models.CompositePrimaryKey("day", "id")
    day = models.DateField()
    id = models.BigIntegerField()
    hits = models.IntegerField()
    sealed = models.BinaryField()
    # Whether these hits were read from a CDN's or a web server's log.
    is_from_log = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "hit batches"

    def __str__(self) -> str:
        return f"{self.hits} hits of {self.day}"
