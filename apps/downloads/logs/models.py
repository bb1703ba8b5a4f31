"""Where access logs lie, how far each file was read, and what audio their paths mean."""

from datetime import datetime

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from apps.accounts.models import Organization
from apps.core.clock import now
from apps.core.ids import new_id
from apps.downloads.logs.formats import Layout, LogFormat
from apps.downloads.window import KEY_LIFETIME
from podcasts.models import Episode, Show

MAX_PATH = 1024  # of an episode at another host; longer ones can't be told apart by an index


def earliest_countable() -> datetime:
    """The begin of the earliest day that is still open."""
    return (now() - KEY_LIFETIME).replace(hour=0, minute=0, second=0, microsecond=0)


class LogSource(models.Model):
    """A folder or bucket in which somebody who sends audio leaves their access logs.

    One that belongs to an organisation counts for that organisation's episodes only.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(max_length=64, unique=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    place = models.CharField(max_length=1024)  # "s3://bucket/prefix" or an absolute path
    name_pattern = models.CharField(max_length=200, blank=True)  # as in a shell; empty: every file
    format = models.CharField(max_length=12, choices=LogFormat)
    # nginx: its log_format. CloudFront: names of the fields, where the log doesn't tell them.
    description = models.TextField(blank=True)
    delimiter = models.CharField(max_length=5, blank=True)  # between CloudFront's values
    # Requests that began earlier are passed over: they were counted elsewhere, or too long ago.
    not_before = models.DateTimeField(default=earliest_countable)
    # Of another host's paths: a regular expression with a group episode, guid or slug.
    path_pattern = models.TextField(blank=True)
    # Whose episodes the guids and slugs are.
    show = models.ForeignKey(
        Show, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    # Days after which files that were read are deleted; empty: never.
    delete_after_days = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now)
    # When everything that lay there had last been read.
    complete_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True, editable=False)  # why the place can't be read now

    class Meta:
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=Q(format__in=LogFormat.values), name="log_source_format_is_known"
            ),
            models.CheckConstraint(
                condition=Q(path_pattern="") | Q(organization__isnull=False),
                name="log_source_foreign_paths_need_owner",
            ),
            models.CheckConstraint(
                condition=Q(show=None) | Q(organization__isnull=False),
                name="log_source_of_show_has_owner",
            ),
            models.CheckConstraint(
                condition=Q(delete_after_days=None) | Q(delete_after_days__gte=1),
                name="log_source_deletes_after_a_day",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def layout(self) -> Layout:
        """How the lines are to be read."""
        return Layout(LogFormat(self.format), self.description, self.delimiter)


class FileState(models.TextChoices):
    """``gone`` was renamed beyond recognition, replaced or deleted."""

    READING = "reading", "Being read"
    DONE = "done", "Read to the end"
    FAILED = "failed", "Can't be read"
    GONE = "gone", "Gone"


class LogFile(models.Model):
    """One file of a source, recognised by its beginning, and how far it was read."""

    source = models.ForeignKey(LogSource, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=1024)  # below the source's place
    # What the place says of it: unchanged means that nothing has to be looked at.
    version = models.CharField(max_length=200)
    size_bytes = models.BigIntegerField()
    head_bytes = models.PositiveIntegerField(default=0)
    head_digest = models.CharField(max_length=32, blank=True)
    state = models.CharField(max_length=10, choices=FileState, default=FileState.READING)
    # See reading.Place.
    position = models.BigIntegerField(default=0)
    line_number = models.BigIntegerField(default=0)
    header = models.TextField(blank=True)
    hits = models.BigIntegerField(default=0)  # given to the counter
    bad_lines = models.BigIntegerField(default=0)
    skipped = models.JSONField(default=dict)  # {mapping.SkipReason: how many}
    attempts = models.PositiveSmallIntegerField(default=0)  # that failed, one after the other
    retry_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    seen_at = models.DateTimeField(default=now)  # when it last lay there, to the day
    read_at = models.DateTimeField(null=True)  # when something new was last found in it

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "name"],
                condition=~Q(state="gone"),
                name="log_file_once_in_source",
            ),
            models.CheckConstraint(
                condition=Q(state__in=FileState.values), name="log_file_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=FileState.FAILED) | ~Q(error=""),
                name="log_file_failure_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["source", "head_digest"], name="log_file_by_head"),
            models.Index(fields=["source", "seen_at"], name="log_file_to_forget"),
            models.Index(
                fields=["source", "read_at"], condition=Q(state="done"), name="log_file_to_delete"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


class BadLine(models.Model):
    """A line that is no record; a file keeps the first of them."""

    file = models.ForeignKey(LogFile, on_delete=models.CASCADE, related_name="kept_bad_lines")
    line_number = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    excerpt = models.CharField(max_length=200)  # holds no address: see redaction.py

    class Meta:
        ordering = ("line_number",)
        constraints = [
            models.UniqueConstraint(fields=["file", "line_number"], name="bad_line_once_in_file")
        ]

    def __str__(self) -> str:
        return f"line {self.line_number}: {self.reason}"


class LogPath(models.Model):
    """Which episode a path at another host meant."""

    source = models.ForeignKey(LogSource, on_delete=models.CASCADE, related_name="paths")
    path = models.CharField(max_length=MAX_PATH)  # decoded, without the query
    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "path"], name="log_path_once_in_source")
        ]

    def __str__(self) -> str:
        return self.path


class AudioVersion(models.Model):
    """A file that was an episode's audio, remembered when it no longer is.

    Logs arrive up to a day late: by then an episode may have another file, and the old one may be
    gone. The ids refer to what may be deleted for good.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    show_id = models.UUIDField()
    episode_id = models.UUIDField()
    rendition_id = models.UUIDField()
    storage_key = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    header_bytes = models.BigIntegerField()
    duration_ms = models.BigIntegerField()
    since = models.DateTimeField()  # when it was first seen to be the episode's

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["episode_id", "rendition_id"], name="audio_version_once_in_episode"
            )
        ]
        indexes = [models.Index(fields=["storage_key"], name="audio_version_by_key")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} of episode {self.episode_id}"
