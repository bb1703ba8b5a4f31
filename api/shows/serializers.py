"""Shows as programs see and change them."""

from typing import Any

from rest_framework import serializers

from api.base.rows import Computed, RowSerializer
from apps.media.delivery import mode_for
from apps.media.models import Image
from podcasts import urls
from podcasts.models import Show


def artwork_url(image: Image | None) -> str | None:
    """A picture in the size that feeds name; it reads the picture's ``variants``."""
    return urls.artwork_url(image, "feed") if image else None


class ShowSerializer(RowSerializer[Show]):
    """A show."""

    url = Computed(
        urls.show_url, serializers.URLField(help_text="The public page."), reads=["handle"]
    )
    feed_url = Computed(
        lambda show: urls.feed_url(show.handle),
        serializers.URLField(help_text="The feed, for ever."),
        reads=["handle"],
    )
    artwork_url = Computed(
        lambda show: artwork_url(show.artwork),
        serializers.URLField(help_text="The picture in the size that the feed names."),
        reads=["artwork__variants"],
    )
    delivery_mode = Computed(
        lambda show: mode_for(show.delivery).value,
        serializers.CharField(
            help_text="Who sends the audio now: `delivery`, or what is done in its place."
        ),
        reads=["delivery"],
    )

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
            "owner_name",
            "owner_email",
            "is_owner_email_public",
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
            "is_artwork_generated",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class ShowBriefSerializer(RowSerializer[Show]):
    """Which show something belongs to."""

    class Meta:
        model = Show
        fields = ["id", "handle", "title"]
        read_only_fields = fields


class ShowInput(serializers.ModelSerializer[Show]):
    """What can be said about a show; the services check what only they can know."""

    class Meta:
        model = Show
        fields = [
            "handle",
            "title",
            "description",
            "language",
            "category",
            "is_explicit",
            "type",
            "author",
            "owner_name",
            "owner_email",
            "is_owner_email_public",
            "website",
            "copyright",
            "is_locked",
            "is_complete",
            "is_blocked",
            "delivery",
            "time_zone",
        ]
        # Whether it is taken is told by the service, with a code of its own.
        extra_kwargs: dict[str, dict[str, Any]] = {"handle": {"validators": []}}


class NewShowInput(ShowInput):
    """What a new show needs; the service proposes what is left out."""

    class Meta(ShowInput.Meta):
        extra_kwargs: dict[str, dict[str, Any]] = {
            "handle": {
                "validators": [],
                "required": False,
                "help_text": "Made from the title unless given.",
            },
            "author": {"required": False, "help_text": "The organisation unless given."},
        }
