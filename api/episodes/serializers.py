"""Episodes as programs see and change them."""

from typing import Any

from rest_framework import serializers

from api.base.rows import Computed, RowSerializer
from api.shows.serializers import ShowBriefSerializer, artwork_url
from apps.media.models import Rendition
from podcasts import urls
from podcasts.models import Episode


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
