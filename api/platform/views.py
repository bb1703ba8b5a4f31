"""Downloads that wait for review, and their release; for the platform's staff."""

import logging
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import INVALID, NOT_FOUND, problems
from api.base.pagination import address_of, cursor_in, page_address, page_size_of
from api.base.views import ApiView
from api.platform.serializers import ReleasedSerializer, ReleaseInput, WaitingPageSerializer
from apps.accounts.access import organizations_for_platform
from apps.accounts.actors import Actor
from apps.downloads.quarantine import QuarantinedAddress, release_address, waiting_after
from podcasts.access import shows_for_platform

logger = logging.getLogger(__name__)


def _require_staff(actor: Actor) -> None:
    if not actor.is_staff:
        raise Http404("There is no such page.")


class _Place(msgspec.Struct, array_like=True):
    """Which row a page comes after."""

    day: date
    organization: UUID
    address_key: bytes

    @property
    def parts(self) -> tuple[date, UUID, bytes]:
        """As services know it."""
        return self.day, self.organization, self.address_key


def _rendered(rows: list[QuarantinedAddress]) -> list[dict[str, Any]]:
    organizations = organizations_for_platform({row.organization for row in rows})
    shows = shows_for_platform({show_id for row in rows for show_id in row.show_ids})
    return [
        {
            "organization": _named(row.organization, organizations),
            "shows": [_named(show_id, shows) for show_id in row.show_ids],
            "day": row.day,
            "address_key": row.address_key.hex(),
            "downloads": row.downloads,
            "apps": row.apps,
        }
        for row in rows
    ]


def _named(key: UUID, things: dict[UUID, Any]) -> dict[str, Any]:
    found = things.get(key)
    return {"id": key, "name": None if found is None else str(found)}


class QuarantineView(ApiView):
    """``/platform/quarantine/``: the latest days first."""

    parameters: ClassVar = ("cursor", "page_size")

    @extend_schema(
        operation_id="list_quarantine",
        parameters=[
            OpenApiParameter(
                "cursor",
                {"type": "string", "minLength": 1},
                description="Where the page begins: from a link.",
            ),
            OpenApiParameter("page_size", int, description="How many rows at most."),
        ],
        responses={200: WaitingPageSerializer, **problems({400: INVALID, 404: NOT_FOUND})},
    )
    def get(self, request: Request) -> Response:
        """One page of what waits for review: three queries, however many rows."""
        _require_staff(request.user)
        size = page_size_of(request)
        place = cursor_in(request, _Place)
        found = waiting_after(place.parts if place else None, limit=size + 1)
        rows = found[:size]
        following = None
        if len(found) > size:
            last = _Place(rows[-1].day, rows[-1].organization, rows[-1].address_key)
            following = page_address(address_of(request), last)
        return Response({"next": following, "previous": None, "results": _rendered(rows)})


class ReleaseView(ApiView):
    """``/platform/quarantine/release/``."""

    @extend_schema(
        operation_id="release_from_quarantine",
        request=ReleaseInput,
        responses={200: ReleasedSerializer, **problems({400: INVALID, 404: NOT_FOUND})},
    )
    def post(self, request: Request) -> Response:
        """Count what waits of one address of one organisation on one day."""
        _require_staff(request.user)
        data = ReleaseInput(data=request.data)
        data.is_valid(raise_exception=True)
        count = release_address(**data.validated_data)
        if count:
            day = data.validated_data["day"]
            logger.info("%s released %s downloads of %s", request.user.pk, count, day)
        return Response({"released": count})
