"""Episodes as programs see and change them."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from api.base.rows import Computed, RowSerializer
from api.shows.serializers import ShowBriefSerializer, artwork_url
from apps.core.clock import now
from apps.media.models import Rendition
from podcasts import urls
from podcasts.models import Episode
from podcasts.services.episodes import MAX_NOTES


class EnclosureSerializer(serializers.Serializer[Any]):
    """The file as the feed names it."""

    url = serializers.URLField()
    content_type = serializers.CharField()
    size_bytes = serializers.IntegerField()
    duration_ms = serializers.IntegerField()


class RenditionSerializer(RowSerializer[Rendition]):
    """A playable file made from what was uploaded; its bytes never change."""

    class Meta:
        model = Rendition
        fields = [
            "id",
            "content_type",
            "codec",
            "size_bytes",
            "header_bytes",
            "duration_ms",
            "bitrate_bps",
            "sha256",
            "created_at",
        ]
        read_only_fields = fields


_RENDITION_READS = [
    f"audio__renditions__{column}"
    for column in ("created_at", "content_type", "extension", "size_bytes", "duration_ms")
]


def _enclosure(episode: Episode) -> dict[str, Any] | None:
    rendition = episode.audio.rendition if episode.audio else None
    if rendition is None:
        return None
    return {
        "url": urls.enclosure_url(episode, rendition),
        "content_type": rendition.content_type,
        "size_bytes": rendition.size_bytes,
        "duration_ms": rendition.duration_ms,
    }


class EpisodeSerializer(RowSerializer[Episode]):
    """An episode."""

    show = ShowBriefSerializer()
    url = Computed(
        lambda episode: urls.episode_url(episode.show, episode),
        serializers.URLField(help_text="The public page, there once the episode is published."),
        reads=["slug", "show__handle"],
    )
    artwork_url = Computed(
        lambda episode: artwork_url(episode.artwork),
        serializers.URLField(
            help_text="The episode’s own picture, if it has one.", allow_null=True
        ),
        reads=["artwork__variants"],
    )
    enclosure = Computed(
        _enclosure,
        EnclosureSerializer(allow_null=True, help_text="The audio as the feed names it."),
        reads=["slug", *_RENDITION_READS],
    )
    renditions = RenditionSerializer(source="audio.renditions", many=True)

    class Meta:
        model = Episode
        fields = [
            "id",
            "show",
            "guid",
            "title",
            "slug",
            "notes",
            "notes_html",
            "season_number",
            "episode_number",
            "type",
            "is_explicit",
            "status",
            "published_at",
            "is_published_when_ready",
            "url",
            "artwork_url",
            "enclosure",
            "renditions",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class EpisodeInput(serializers.ModelSerializer[Episode]):
    """What can be said about an episode, audio and publishing apart."""

    class Meta:
        model = Episode
        fields = ["title", "notes", "season_number", "episode_number", "type", "is_explicit"]
        # White space at the beginning is Markdown: an indented code block.
        extra_kwargs: dict[str, dict[str, Any]] = {"notes": {"trim_whitespace": False}}


def refuse_future(value: datetime | None) -> None:
    """What is to come is scheduled, so that nobody plans by mistake."""
    if value is not None and value > now():
        raise serializers.ValidationError(
            "This moment is still to come. Schedule the episode instead.", "future_date"
        )


class PublishInput(serializers.Serializer[Any]):
    """With which date to publish."""

    published_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        validators=[refuse_future],
        help_text="In the past; the feed’s pubDate. Left out: now, or the date it has.",
    )


class ScheduleInput(serializers.Serializer[Any]):
    """When to publish."""

    publish_at = serializers.DateTimeField(help_text="A moment to come; without an offset in UTC.")


class ChapterSerializer(serializers.Serializer[Any]):
    """A chapter as the audio file names it."""

    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    title = serializers.CharField()


class ChaptersSerializer(RowSerializer[Episode]):
    """The chapters of the audio that is served; none when the file has none."""

    chapters = Computed(
        lambda episode: episode.audio.chapters if episode.audio else [],
        ChapterSerializer(many=True),
        reads=["audio__chapters"],
    )

    class Meta:
        model = Episode
        fields = ["id", "audio", "chapters"]
        read_only_fields = fields


class NotesInput(serializers.Serializer[Any]):
    """Show notes as they are typed."""

    notes = serializers.CharField(
        allow_blank=True, trim_whitespace=False, max_length=MAX_NOTES, help_text="Markdown."
    )


class NotesSerializer(serializers.Serializer[Any]):
    """Show notes as listeners see them."""

    html = serializers.CharField()
