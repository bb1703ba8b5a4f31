"""The state of a show's feed."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import NOT_FOUND, problems
from api.base.views import ApiView
from podcasts.access import get_show
from podcasts.feeds.state import feed_state


class FeedStateSerializer(serializers.Serializer[Any]):
    """The feed as apps get it; null where it was not rendered yet."""

    url = serializers.URLField()
    etag = serializers.CharField(allow_null=True, help_text="What the feed is answered with.")
    modified_at = serializers.DateTimeField(
        allow_null=True, help_text="The last change that apps can see."
    )
    size_bytes = serializers.IntegerField(allow_null=True)
    gzipped_bytes = serializers.IntegerField(allow_null=True, help_text="As most apps fetch it.")
    is_stale = serializers.BooleanField(
        help_text="Whether a change is not in the feed yet: normally for a moment only."
    )
    stale_since = serializers.DateTimeField(allow_null=True)


class FeedStateView(ApiView):
    """``/shows/<id>/feed/``."""

    @extend_schema(
        operation_id="get_show_feed",
        responses={200: FeedStateSerializer, **problems({404: NOT_FOUND})},
    )
    def get(self, request: Request, show_id: UUID) -> Response:
        """Where the feed is, how large, and how old."""
        state = feed_state(get_show(request.user, show_id))
        return Response(asdict(state) | {"is_stale": state.stale_since is not None})
