"""Roll-ups: what charts read, so that no chart reads downloads one by one.

A row without an episode is of a whole show; one without a show is of the whole platform.
"""

from django.db import models
from django.db.models import Q

from apps.accounts.models import Organization
from apps.downloads.keys import DAY_KEY_BYTES
from apps.downloads.models.references import OutlivedKey
from podcasts.models import Episode, Show


class Dimension(models.TextChoices):
    """By what a total is told apart; "" is the total itself."""

    ALL = "", "All"
    APP = "app", "App"
    DEVICE = "device", "Device"
    COUNTRY = "country", "Country"
    REFERRER = "referrer", "Website"


def _one_row(name: str, *fields: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(
        fields=["show", "episode", *fields], nulls_distinct=False, name=name
    )


class _Total(models.Model):
    organization = OutlivedKey(Organization, null=True)
    show = OutlivedKey(Show, null=True)
    episode = OutlivedKey(Episode, null=True)
    downloads = models.BigIntegerField()
    # How many of these are known from requests only.
    provisional = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class _PartTotal(_Total):
    dimension = models.CharField(max_length=10, choices=Dimension, blank=True)
    value = models.CharField(max_length=255, blank=True)

    class Meta:
        abstract = True


class HourTotal(_Total):
    """Downloads of one hour, which begins at ``hour`` (a whole hour of UTC)."""

    hour = models.DateTimeField()

    class Meta:
        constraints = [_one_row("hour_total_one_row", "hour")]
        indexes = [
            models.Index(
                fields=["organization", "hour"],
                condition=Q(episode__isnull=True),
                name="hour_total_shows",
            )
        ]

    def __str__(self) -> str:
        return f"{self.downloads} in {self.hour:%Y-%m-%d %H}"


class DayTotal(_PartTotal):
    """Downloads of one day in the show's time zone (UTC for the platform)."""

    day = models.DateField()

    class Meta:
        constraints = [_one_row("day_total_one_row", "dimension", "day", "value")]
        indexes = [
            models.Index(
                fields=["show", "day"],
                condition=Q(episode__isnull=False, dimension=""),
                name="day_total_episodes",
            ),
            models.Index(
                fields=["organization", "day"],
                condition=Q(episode__isnull=True, dimension=""),
                name="day_total_shows",
            ),
            models.Index(
                fields=["day"],
                condition=Q(show__isnull=False, episode__isnull=True, dimension=""),
                name="day_total_platform",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.downloads} {self.value} on {self.day}"


class MonthTotal(_PartTotal):
    """Downloads of one month; ``month`` is its first day."""

    month = models.DateField()

    class Meta:
        constraints = [_one_row("month_total_one_row", "dimension", "month", "value")]
        indexes = [
            models.Index(
                fields=["show"],
                condition=Q(episode__isnull=False, dimension=""),
                name="month_total_episodes",
            ),
            models.Index(
                fields=["organization"],
                condition=Q(episode__isnull=True, dimension=""),
                name="month_total_shows",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.downloads} {self.value} in {self.month:%Y-%m}"


class FirstDays(models.Model):
    """Downloads of an episode in its first ``days`` days, which are closed; see first_days.py.

    ``since`` is the hour of publication from which they were added up.
    """

    pk = models.CompositePrimaryKey("show", "episode", "days")
    show = OutlivedKey(Show)
    episode = OutlivedKey(Episode)
    days = models.SmallIntegerField()
    since = models.DateTimeField()
    downloads = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "first days"

    def __str__(self) -> str:
        return f"{self.downloads} in {self.days} days since {self.since:%Y-%m-%d %H}"


class ListenerTotal(models.Model):
    """Distinct listeners of a show on one UTC day: exact."""

    organization = OutlivedKey(Organization)
    show = OutlivedKey(Show)
    day = models.DateField()
    listeners = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["show", "day"], name="listener_total_one_row")
        ]
        indexes = [models.Index(fields=["day"], name="listener_total_day")]

    def __str__(self) -> str:
        return f"{self.listeners} on {self.day}"


class MonthKey(models.Model):
    """The random key under which a month's listeners are told apart; destroyed after the month."""

    month = models.DateField(primary_key=True)
    key = models.BinaryField(max_length=DAY_KEY_BYTES)

    def __str__(self) -> str:
        return f"key of {self.month:%Y-%m}"


class MonthListeners(models.Model):
    """About how many listeners a show had in a UTC month: a sketch that holds none of them."""

    organization = OutlivedKey(Organization)
    show = OutlivedKey(Show)
    month = models.DateField()
    # See sketch.py. PostgreSQL may compress it, which takes longer than all else of a fold, but a
    # sketch of a hundred listeners is 0.5 kB then instead of 5.8, and is kept for good (ADR 17).
    sketch = models.BinaryField()
    listeners = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "month listeners"
        constraints = [
            models.UniqueConstraint(fields=["show", "month"], name="month_listeners_one_row")
        ]

    def __str__(self) -> str:
        return f"about {self.listeners} in {self.month:%Y-%m}"


class MonthArrival(models.Model):
    """New listeners of a show in a UTC month that are not in its sketch yet, of one batch.

    It lives for seconds: months.py folds it into the sketch. All that is told of a listener is the
    mark that he would leave there, see sketch.py.
    """

    # What is folded, and what a chart looks up, is a show's month; so no index is needed but this.
    pk = models.CompositePrimaryKey("show", "month", "batch")
    show = OutlivedKey(Show)
    month = models.DateField()
    batch = models.UUIDField()
    organization = OutlivedKey(Organization)
    marks = models.BinaryField()

    def __str__(self) -> str:
        return f"{len(self.marks)} bytes of marks in {self.month:%Y-%m}"
