"""What is stored: uploads on their way in, originals, playable files and pictures."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q

from apps.accounts.models import ApiToken, Organization, User
from apps.core.clock import now
from apps.core.ids import new_id
from apps.core.loading import PlainLoading

IMAGE_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png"}


class UploadStatus(models.TextChoices):
    """``open`` takes parts; ``complete`` has become an asset; the others are ends."""

    OPEN = "open"
    COMPLETE = "complete"
    ABORTED = "aborted"
    EXPIRED = "expired"


class Upload(models.Model):
    """One file being sent in parts, with the protocol of S3 multipart uploads."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="uploads")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # By which token, if by one: a token for one show sees its own uploads only.
    opened_with = models.ForeignKey(
        ApiToken, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    filename = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    part_size_bytes = models.BigIntegerField()
    # Recognises the same file picked again after a reload; chosen by the browser.
    fingerprint = models.CharField(max_length=200, blank=True)
    # What the storage calls this upload (S3: the UploadId).
    storage_token = models.CharField(max_length=1024, blank=True)
    status = models.CharField(max_length=10, choices=UploadStatus, default=UploadStatus.OPEN)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="upload_size_positive"),
            models.CheckConstraint(
                condition=Q(part_size_bytes__gt=0), name="upload_part_size_positive"
            ),
            models.CheckConstraint(
                condition=Q(status__in=UploadStatus.values), name="upload_status_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "expires_at"], name="upload_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.filename} ({self.status})"

    @property
    def part_count(self) -> int:
        """How many parts make the file; all but the last are ``part_size_bytes`` long."""
        return -(-self.size_bytes // self.part_size_bytes)

    def part_bytes(self, number: int) -> int:
        """The exact length of part ``number`` (from 1)."""
        start = (number - 1) * self.part_size_bytes
        return min(self.part_size_bytes, self.size_bytes - start)


class AssetStatus(models.TextChoices):
    """``pending`` waits for a worker; ``ready`` and ``failed`` are ends."""

    PENDING = "pending", "Waiting"
    PROCESSING = "processing", "Processing"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class Asset(PlainLoading, models.Model):
    """An uploaded original, and how far its processing is."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="assets")
    upload = models.OneToOneField(
        Upload, on_delete=models.SET_NULL, null=True, related_name="asset"
    )
    filename = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)  # known once the worker has read it
    storage_key = models.CharField(max_length=255)
    status = models.CharField(max_length=10, choices=AssetStatus, default=AssetStatus.PENDING)
    stage = models.CharField(max_length=40, blank=True)  # in words for the page: "Checking"
    progress = models.PositiveSmallIntegerField(default=0)  # percent of the whole processing
    attempts = models.PositiveSmallIntegerField(default=0)
    # Last sign of life of whoever processes it: silence for too long means it is given to another.
    heartbeat_at = models.DateTimeField(default=now)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    title = models.CharField(max_length=255, blank=True)  # from the file's own tags
    chapters = models.JSONField(default=list)  # [{"start_ms", "end_ms", "title"}]
    notices = models.JSONField(default=list)  # sentences: what was odd about the file, yet usable
    artwork = models.ForeignKey(
        "Image", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=now)
    processed_at = models.DateTimeField(null=True, blank=True)
    # Since when nothing refers to it, as far as the collection of garbage has seen.
    unused_since = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=AssetStatus.values), name="asset_status_is_known"
            ),
            models.CheckConstraint(condition=Q(progress__lte=100), name="asset_progress_percent"),
            models.CheckConstraint(
                condition=~Q(status=AssetStatus.FAILED) | ~Q(error_message=""),
                name="asset_failure_says_why",
            ),
        ]
        indexes = [
            models.Index(
                fields=["heartbeat_at"],
                condition=Q(status__in=["pending", "processing"]),
                name="asset_unfinished",
            ),
            models.Index(fields=["storage_key"], name="asset_by_key"),
            models.Index(
                fields=["unused_since"],
                condition=Q(unused_since__isnull=False),
                name="asset_unused",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.filename} ({self.status})"

    @property
    def rendition(self) -> "Rendition | None":
        """The file that is served: the newest one. Reads the prefetched renditions."""
        renditions = list(self.renditions.all())
        return renditions[-1] if renditions else None

    @property
    def is_finished(self) -> bool:
        """Whether processing has ended, well or badly."""
        return self.status in (AssetStatus.READY, AssetStatus.FAILED)


class Rendition(PlainLoading, models.Model):
    """A playable file made from an asset; its bytes never change, so caches may keep them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="renditions")
    storage_key = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    content_type = models.CharField(max_length=40)
    extension = models.CharField(max_length=8)  # without the dot
    codec = models.CharField(max_length=20)
    size_bytes = models.BigIntegerField()
    header_bytes = models.BigIntegerField()  # ID3v2 tag, or moov: IAB v2.3, 5.5.3
    duration_ms = models.BigIntegerField()
    bitrate_bps = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ("created_at", "id")
        constraints = [
            models.UniqueConstraint("asset", "sha256", name="rendition_once_per_asset"),
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="rendition_size_positive"),
            models.CheckConstraint(
                condition=Q(header_bytes__gte=0, header_bytes__lte=F("size_bytes")),
                name="rendition_header_within_file",
            ),
        ]
        indexes = [models.Index(fields=["storage_key"], name="rendition_by_key")]

    def __str__(self) -> str:
        return f"{self.extension} of {self.asset_id}"

    @property
    def etag(self) -> str:
        """The strong entity tag, quotes included."""
        return f'"{self.sha256}"'


class Image(PlainLoading, models.Model):
    """A square picture, checked and resized; ``variants`` says which sizes are stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="images")
    sha256 = models.CharField(max_length=64)  # of what was uploaded
    width = models.PositiveIntegerField()
    # {"1400": {"key", "sha256", "size_bytes", "content_type", "width"}}; "feed" is the largest.
    variants = models.JSONField()
    # The keys alone, so that an index can tell who names an object.
    variant_keys = models.GeneratedField(
        expression=Func(
            F("variants"), template="jsonb_path_query_array(%(expressions)s, '$.*.key')"
        ),
        output_field=models.JSONField(),
        db_persist=True,
    )
    created_at = models.DateTimeField(default=now)
    unused_since = models.DateTimeField(null=True, editable=False)  # as of an asset

    class Meta:
        indexes = [
            GinIndex(fields=["variant_keys"], name="image_by_key"),
            models.Index(
                fields=["unused_since"],
                condition=Q(unused_since__isnull=False),
                name="image_unused",
            ),
        ]

    def __str__(self) -> str:
        return f"image {self.id}"


class StrayObject(models.Model):
    """A stored object that no row names, left by a process that died or by a deleted tenant."""

    key = models.CharField(max_length=1024, primary_key=True)  # S3's longest
    size_bytes = models.BigIntegerField()
    unreferenced_since = models.DateTimeField(db_index=True)  # when it was first seen so

    def __str__(self) -> str:
        return self.key


class CdnInvalidation(models.Model):
    """Paths that the CDN must forget and has not been told yet; gone once it has taken them."""

    # Also what CloudFront knows the request by: one that is sent again counts as the same.
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    paths = models.JSONField()
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=now)
    due_at = models.DateTimeField(default=now, db_index=True)

    def __str__(self) -> str:
        return f"invalidation of {len(self.paths)} paths"
