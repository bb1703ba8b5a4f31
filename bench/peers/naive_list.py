"""The list of episodes as a beginner with Django REST framework writes it: it asks row by row."""

from typing import Any

from django.db.models import FETCH_ONE, QuerySet
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from apps.media.models import Rendition
from podcasts import urls
from podcasts.models import Episode, Show


class NaiveShow(serializers.ModelSerializer[Show]):
    class Meta:
        model = Show
        fields = ["id", "handle", "title"]


class NaiveRendition(serializers.ModelSerializer[Rendition]):
    class Meta:
        model = Rendition
        fields = [
            *("id", "content_type", "codec", "size_bytes", "header_bytes"),
            *("duration_ms", "bitrate_bps", "sha256", "created_at"),
        ]


class NaiveEpisode(serializers.ModelSerializer[Episode]):
    show = NaiveShow()
    url = serializers.SerializerMethodField()
    artwork_url = serializers.SerializerMethodField()
    enclosure = serializers.SerializerMethodField()
    renditions = NaiveRendition(source="audio.renditions", many=True)

    class Meta:
        model = Episode
        fields = [
            *("id", "show", "guid", "title", "slug", "notes", "notes_html", "season_number"),
            *("episode_number", "type", "is_explicit", "status", "published_at"),
            *("is_published_when_ready", "url", "artwork_url", "enclosure", "renditions"),
            *("created_at", "updated_at"),
        ]

    def get_url(self, episode: Episode) -> str:
        return urls.episode_url(episode.show, episode)

    def get_artwork_url(self, episode: Episode) -> str | None:
        return urls.artwork_url(episode.artwork, "feed") if episode.artwork else None

    def get_enclosure(self, episode: Episode) -> dict[str, Any] | None:
        rendition = episode.audio.rendition if episode.audio else None
        if rendition is None:
            return None
        return {
            "url": urls.enclosure_url(episode, rendition),
            "content_type": rendition.content_type,
            "size_bytes": rendition.size_bytes,
            "duration_ms": rendition.duration_ms,
        }


class NaiveList(ListAPIView[Episode]):
    """Without pages: the bench cuts the rows."""

    serializer_class = NaiveEpisode
    pagination_class = None

    def get_queryset(self) -> QuerySet[Episode]:
        episodes = Episode.objects.filter(
            show=self.kwargs["show_id"], organization__memberships__user=self.request.user.pk
        )
        rows = episodes.order_by("-published_at", "-id").fetch_mode(FETCH_ONE)
        return rows[: self.kwargs["count"]]
