"""Handles: which a show has or had, and whether another one is free."""

from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import INVALID, NOT_FOUND, problems
from api.base.pagination import Orderings
from api.base.parameters import ParameterError
from api.base.rows import Computed, RowSerializer
from api.base.views import ApiView, ListView
from podcasts import urls
from podcasts.access import get_show, handles_of
from podcasts.models import Handle, Show
from podcasts.services.handles import check_handle, propose_handle


class HandleSerializer(RowSerializer[Handle]):
    """A handle of a show."""

    is_current = Computed(
        lambda row: row.handle == row.show.handle,
        serializers.BooleanField(help_text="A former one redirects to it, for ever."),
        reads=["show__handle"],
    )
    feed_url = Computed(
        lambda row: urls.feed_url(row.handle), serializers.URLField(), reads=["handle"]
    )

    class Meta:
        model = Handle
        fields = ["handle", "is_current", "feed_url", "created_at"]
        read_only_fields = fields


class HandlesView(ListView[Handle]):
    """``/shows/<id>/handles/``: the latest first."""

    serializer_class = HandleSerializer
    orderings: ClassVar = Orderings("-created_at", {"created_at": "created_at"})

    def rows(self) -> QuerySet[Handle]:
        return handles_of(get_show(self.request.user, self.kwargs["show_id"]))

    @extend_schema(
        operation_id="list_show_handles",
        responses={200: HandleSerializer(many=True), **problems({404: NOT_FOUND})},
    )
    def get(self, request: Request, show_id: UUID) -> Response:
        """One page of the handles that the show has or had."""
        return super().get(request)


class HandleReasonSerializer(serializers.Serializer[Any]):
    """Why a handle can't be had."""

    code = serializers.ChoiceField(
        choices=["required", "invalid", "handle_reserved", "handle_taken"]
    )
    detail = serializers.CharField()


class HandleCheckSerializer(serializers.Serializer[Any]):
    """Whether a handle can be had now; another request may be faster."""

    handle = serializers.CharField(help_text="As asked for, or as made from the title.")
    is_available = serializers.BooleanField()
    reason = HandleReasonSerializer(allow_null=True)


class HandleCheckView(ApiView):
    """``/handles/check/``."""

    parameters: ClassVar = ("handle", "title", "show")

    @extend_schema(
        operation_id="check_handle",
        parameters=[
            OpenApiParameter("handle", str, description="The handle in question."),
            OpenApiParameter("title", str, description="In its place: a title to make one from."),
            OpenApiParameter(
                "show", UUID, description="For this show, which may have its former ones again."
            ),
        ],
        responses={200: HandleCheckSerializer, **problems({400: INVALID, 404: NOT_FOUND})},
    )
    def get(self, request: Request) -> Response:
        """Whether a handle is free, or which one a title suggests and whether that is."""
        handle, title = (request.query_params.get(name) for name in ("handle", "title"))
        if (handle is None) is (title is None):
            raise ParameterError("handle", "required", "Name either a handle or a title.")
        wanted = propose_handle(title) if title is not None else str(handle)
        reason = _reason(wanted, self._show())
        return Response({"handle": wanted, "is_available": reason is None, "reason": reason})

    def _show(self) -> Show | None:
        text = self.request.query_params.get("show")
        if text is None:
            return None
        try:
            show_id = UUID(text)
        except ValueError as error:
            raise ParameterError("show", "invalid", "This is no id of a show.") from error
        return get_show(self.request.user, show_id)


def _reason(handle: str, show: Show | None) -> dict[str, str] | None:
    if not handle:
        return {"code": "required", "detail": "Type a handle: letters from a to z, and digits."}
    try:
        check_handle(handle, show=show)
    except ValidationError as error:
        return {"code": error.code or "invalid", "detail": error.messages[0]}
    return None
