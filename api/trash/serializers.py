"""Deleted shows and episodes as rows of one list."""

from datetime import datetime

from django.conf import settings
from rest_framework import serializers

from api.base.rows import Computed, RowSerializer
from api.shows.serializers import ShowBriefSerializer
from podcasts.models import Episode, Show


def _purged_at(row: Show | Episode) -> datetime | None:
    return row.deleted_at + settings.TRASH_LIFETIME if row.deleted_at else None


def _kind(name: str) -> Computed:
    return Computed(
        lambda row: name, serializers.ChoiceField(choices=["show", "episode"]), reads=[]
    )


def _purging() -> Computed:
    output = serializers.DateTimeField(help_text="From when on it is gone for good.")
    return Computed(_purged_at, output, reads=["deleted_at"])


_FIELDS = ["kind", "id", "title", "show", "deleted_at", "purged_at"]


class TrashedEpisodeSerializer(RowSerializer[Episode]):
    """A deleted episode, or a show, whose ``show`` is null."""

    kind = _kind("episode")
    show = ShowBriefSerializer(allow_null=True, help_text="Whose episode it is; null for a show.")
    purged_at = _purging()

    class Meta:
        model = Episode
        fields = _FIELDS
        read_only_fields = fields


class TrashedShowSerializer(RowSerializer[Show]):
    """A deleted show, with the fields of an episode's row."""

    kind = _kind("show")
    show = Computed(lambda row: None, serializers.CharField(allow_null=True), reads=[])
    purged_at = _purging()

    class Meta:
        model = Show
        fields = _FIELDS
        read_only_fields = fields
