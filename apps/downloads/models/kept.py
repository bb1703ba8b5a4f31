"""What is kept for good: every download, why responses were dropped, and which days are over."""

from django.db import models
from django.db.models import Q

from apps.accounts.models import Organization
from apps.core.loading import PlainLoading
from apps.downloads.keys import KEY_BYTES
from apps.downloads.models.references import OutlivedKey
from podcasts.models import Episode, Show


class Download(PlainLoading, models.Model):
    """One listener's coverage that reached the threshold.

    Nothing here leads to a person: the listener key stays with the coverage, which goes with its
    day. ``day`` is the UTC day whose bytes were added up; ``local_day`` is where charts show it,
    in the show's time zone at the time of counting.
    """

    id = models.BigAutoField(primary_key=True)
    organization = OutlivedKey(Organization)
    show = OutlivedKey(Show)
    episode = OutlivedKey(Episode)
    day = models.DateField()
    local_day = models.DateField()
    first_at = models.DateTimeField()
    counted_at = models.DateTimeField()
    app = models.CharField(max_length=100, blank=True)
    category = models.CharField(max_length=10)  # agents.AgentKind
    device = models.CharField(max_length=100, blank=True)
    platform = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    referrer = models.CharField(max_length=255, blank=True)
    # The listener's first of this show on this UTC day.
    is_first_of_listener = models.BooleanField(default=False)
    # Known from requests only: whoever serves the bytes has not told yet.
    is_provisional = models.BooleanField(default=False)
    # Beyond the ceiling of one address (a keyed hash, forgotten on release): waits for review and
    # is in no total.
    held_address = models.BinaryField(max_length=KEY_BYTES, null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["show", "-counted_at"], name="download_show_latest"),
            models.Index(fields=["organization", "-counted_at"], name="download_team_latest"),
            models.Index(fields=["episode", "-counted_at"], name="download_episode_latest"),
            models.Index(fields=["-counted_at"], name="download_latest"),
            models.Index(fields=["day"], name="download_day"),
            models.Index(
                fields=["organization", "day", "held_address"],
                condition=Q(held_address__isnull=False),
                name="download_held",
            ),
        ]

    def __str__(self) -> str:
        return f"download of {self.episode_id} at {self.first_at:%Y-%m-%d %H:%M}"


class DropTally(models.Model):
    """How many responses of a day were dropped, and why."""

    day = models.DateField()
    # All three empty when the message named nothing that (still) existed.
    organization = OutlivedKey(Organization, null=True)
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
        indexes = [
            models.Index(fields=["day"], name="drop_tally_day"),
            # The chart of two years of a show reads one row for each day, episode and reason.
            models.Index(
                fields=["show", "day", "reason"], include=["count"], name="drop_tally_chart"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.reason} on {self.day}"


class ClosedDay(models.Model):
    """That a UTC day takes no more hits: its key is destroyed, or about to be."""

    day = models.DateField(primary_key=True)

    def __str__(self) -> str:
        return f"{self.day} is closed"


class LoggedDay(models.Model):
    """That logs of whoever sends a show's bytes were read for a UTC day."""

    pk = models.CompositePrimaryKey("day", "show")
    day = models.DateField()
    show = OutlivedKey(Show)

    def __str__(self) -> str:
        return f"logs of {self.show_id} on {self.day}"
