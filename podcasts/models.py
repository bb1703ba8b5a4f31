"""Shows and their episodes, and the feed documents made from them."""

import uuid
from typing import ClassVar

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from apps.accounts.models import Organization, User
from apps.core.clock import now
from apps.core.ids import new_id
from apps.core.loading import PlainLoading
from apps.media.delivery import DeliveryMode
from apps.media.models import Asset, Image
from podcasts.querysets import EpisodeQuerySet, ShowQuerySet
from podcasts.time_zones import validate_time_zone

HANDLE_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$"
validate_handle = RegexValidator(
    HANDLE_PATTERN,
    "Use lower-case letters, digits and hyphens, with a letter or digit at both ends.",
)


class ShowType(models.TextChoices):
    """Apple's ``itunes:type``: newest first, or in the order of the episode numbers."""

    EPISODIC = "episodic", "Episodic: newest first"
    SERIAL = "serial", "Serial: in order, from the first episode"


class Show(PlainLoading, models.Model):
    """A podcast."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="shows")
    # podcast:guid: assigned once, so that a show keeps its identity wherever it moves.
    guid = models.UUIDField(unique=True, editable=False)
    handle = models.CharField(max_length=64, unique=True, validators=[validate_handle])
    title = models.CharField(max_length=255)
    description = models.TextField(max_length=4000)
    language = models.CharField(max_length=10, default="en")
    category = models.CharField(max_length=100)  # "Arts" or "Arts/Books": see categories.py
    is_explicit = models.BooleanField("explicit", default=False)
    type = models.CharField(max_length=10, choices=ShowType, default=ShowType.EPISODIC)
    author = models.CharField(max_length=255)
    owner_name = models.CharField(max_length=255, blank=True)
    owner_email = models.EmailField(max_length=254, blank=True)
    # Mail addresses in feeds are read by spammers: public only when the owner says so.
    is_owner_email_public = models.BooleanField(default=False)
    website = models.URLField(blank=True)
    copyright = models.CharField(max_length=255, blank=True)
    is_locked = models.BooleanField(default=True)  # podcast:locked: other hosts may not import it
    is_complete = models.BooleanField(default=False)  # itunes:complete: no more episodes
    is_blocked = models.BooleanField(default=False)  # itunes:block: directories leave it out
    artwork = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")
    is_artwork_generated = models.BooleanField(default=False)  # made from the title, to replace
    # Who sends the audio; empty: whoever does so for this installation.
    delivery = models.CharField(max_length=10, choices=DeliveryMode, blank=True, default="")
    # In which days end on its charts; an IANA name. What is counted already keeps its day.
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    # Set by every change that the feed shows, with that change; empty once the feed has it.
    feed_stale_since = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ShowQuerySet] = ShowQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(handle__regex=HANDLE_PATTERN), name="show_handle_is_well_formed"
            ),
            models.CheckConstraint(
                condition=Q(type__in=ShowType.values), name="show_type_is_known"
            ),
            models.CheckConstraint(
                condition=Q(delivery__in=["", *DeliveryMode.values]), name="show_delivery_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "title"], name="show_by_organization"),
            models.Index(
                fields=["feed_stale_since"],
                condition=Q(feed_stale_since__isnull=False),
                name="show_with_stale_feed",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Handle(models.Model):
    """A handle that a show has or had: it answers, or redirects, for ever."""

    handle = models.CharField(max_length=64, primary_key=True)
    # A show that is gone for good leaves its handles taken: whoever got one would get its
    # subscribers as well.
    show = models.ForeignKey(Show, on_delete=models.SET_NULL, null=True, related_name="handles")
    created_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return self.handle


class EpisodeStatus(models.TextChoices):
    """``scheduled`` becomes ``published`` by itself; ``unpublished`` was public once."""

    DRAFT = "draft", "Draft"
    SCHEDULED = "scheduled", "Scheduled"
    PUBLISHED = "published", "Published"
    UNPUBLISHED = "unpublished", "Unpublished"


class EpisodeType(models.TextChoices):
    """Apple's ``itunes:episodeType``."""

    FULL = "full", "Full episode"
    TRAILER = "trailer", "Trailer"
    BONUS = "bonus", "Bonus"


def new_guid() -> str:
    """A GUID for an episode made here: random, so it can't follow a title or a file."""
    return str(uuid.uuid4())


class Episode(PlainLoading, models.Model):
    """One item of a show."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="episodes"
    )
    show = models.ForeignKey(Show, on_delete=models.CASCADE, related_name="episodes")
    guid = models.CharField(max_length=512, default=new_guid, editable=False)
    title = models.CharField(max_length=255)
    slug = models.SlugField(max_length=100)
    notes = models.TextField(blank=True, max_length=100_000)  # Markdown, as it was typed
    notes_html = models.TextField(blank=True, editable=False)  # made from it, sanitised
    season_number = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    episode_number = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    type = models.CharField(max_length=10, choices=EpisodeType, default=EpisodeType.FULL)
    is_explicit = models.BooleanField("explicit", default=False)
    artwork = models.ForeignKey(
        Image, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    audio = models.ForeignKey(
        Asset, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # A new file on its way: the old one is served until this one is ready.
    incoming_audio = models.ForeignKey(
        Asset, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    status = models.CharField(max_length=12, choices=EpisodeStatus, default=EpisodeStatus.DRAFT)
    # The feed's pubDate; in the future while the episode is scheduled.
    published_at = models.DateTimeField(null=True, blank=True)
    is_published_when_ready = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[EpisodeQuerySet] = EpisodeQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint("show", "guid", name="episode_guid_unique_in_show"),
            models.UniqueConstraint("show", "slug", name="episode_slug_unique_in_show"),
            models.CheckConstraint(
                condition=Q(status__in=EpisodeStatus.values), name="episode_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(type__in=EpisodeType.values), name="episode_type_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["scheduled", "published"])
                | Q(published_at__isnull=False, audio__isnull=False),
                name="episode_public_has_date_and_audio",
            ),
            models.CheckConstraint(
                condition=(Q(season_number=None) | Q(season_number__gte=1))
                & (Q(episode_number=None) | Q(episode_number__gte=1)),
                name="episode_numbers_not_zero",
            ),
        ]
        indexes = [
            models.Index(fields=["show", "-published_at"], name="episode_newest_first"),
            models.Index(
                fields=["published_at"], condition=Q(status="scheduled"), name="episode_due"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class FeedDocument(models.Model):
    """A show's feed as it is served: rendered when something changed, compressed once."""

    show = models.OneToOneField(
        Show, on_delete=models.CASCADE, primary_key=True, related_name="feed_document"
    )
    xml = models.BinaryField()
    gzipped = models.BinaryField()
    # Of everything but lastBuildDate: tells a real change from a mere rendering.
    content_sha256 = models.CharField(max_length=64)
    modified_at = models.DateTimeField()  # the last real change
    # What besides the show went into it; see feeds/edition.py.
    edition = models.CharField(max_length=255, default="")

    def __str__(self) -> str:
        return f"feed of {self.show_id}"
