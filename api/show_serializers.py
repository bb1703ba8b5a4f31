"""Shows and episodes as programs see them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.media.delivery import mode_for
from apps.media.models import Image
from podcasts import urls
from podcasts.models import Episode, Show


def _artwork_url(image: Image | None) -> str | None:
    return urls.artwork_url(image, "feed") if image else None


class ShowSerializer(serializers.ModelSerializer[Show]):
    """A show."""

    delivery_mode = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    feed_url = serializers.SerializerMethodField()
    artwork_url = serializers.SerializerMethodField()

    class Meta:
        model = Show
        fields = [
            "id",
            "organization",
            "guid",
            "handle",
            "title",
            "description",
            "language",
            "category",
            "is_explicit",
            "type",
            "author",
            "website",
            "copyright",
            "is_locked",
            "is_complete",
            "is_blocked",
            "delivery",
            "delivery_mode",
            "time_zone",
            "url",
            "feed_url",
            "artwork_url",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    def get_delivery_mode(self, show: Show) -> str:
        """Who sends the audio now: `delivery`, or what the installation does in its place."""
        return mode_for(show.delivery).value

    def get_url(self, show: Show) -> str:
        """The public page."""
        return urls.show_url(show)

    def get_feed_url(self, show: Show) -> str:
        """The feed."""
        return urls.feed_url(show.handle)

    def get_artwork_url(self, show: Show) -> str | None:
        """The picture in the size that feeds name."""
        return _artwork_url(show.artwork)


class EnclosureSerializer(serializers.Serializer[Any]):
    """The file as the feed names it."""

    url = serializers.CharField()
    content_type = serializers.CharField()
    size_bytes = serializers.IntegerField()
    duration_ms = serializers.IntegerField()


class EpisodeSerializer(serializers.ModelSerializer[Episode]):
    """An episode."""

    url = serializers.SerializerMethodField()
    artwork_url = serializers.SerializerMethodField()
    enclosure = serializers.SerializerMethodField()

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
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    def get_url(self, episode: Episode) -> str:
        """The public page, there once the episode is published."""
        return urls.episode_url(episode.show, episode)

    def get_artwork_url(self, episode: Episode) -> str | None:
        """The episode's own picture, if it has one."""
        return _artwork_url(episode.artwork)

    @extend_schema_field(EnclosureSerializer(allow_null=True))
    def get_enclosure(self, episode: Episode) -> dict[str, Any] | None:
        """The audio as the feed names it, if there is any."""
        rendition = episode.audio.rendition if episode.audio else None
        if rendition is None:
            return None
        return {
            "url": urls.enclosure_url(episode, rendition),
            "content_type": rendition.content_type,
            "size_bytes": rendition.size_bytes,
            "duration_ms": rendition.duration_ms,
        }
