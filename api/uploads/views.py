"""Uploads: listed, opened, continued, sent in parts, completed, thrown away."""

from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import CHANGED, FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.pagination import Orderings
from api.base.permissions import require_scope
from api.base.refusals import telling_refusals
from api.base.views import ApiView, ListView, RowsView, RowView
from api.uploads.filters import UploadFilters
from api.uploads.serializers import (
    AssetSerializer,
    CompleteSerializer,
    NewUploadSerializer,
    PartRequestSerializer,
    PartUrlsSerializer,
    UploadBriefSerializer,
    UploadSerializer,
)
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.media import uploads
from apps.media.access import assets_of_member, get_asset, get_upload, uploads_of_member
from apps.media.models import Asset, Upload
from podcasts.access import get_episode, require_uploader
from podcasts.audio import receive_audio

_REFUSALS = {403: FORBIDDEN, 404: NOT_FOUND}


class OrganizationUploadsView(ListView[Upload]):
    """``/organizations/<id>/uploads/``."""

    read_scope = write_scope = Scope.UPLOADS
    serializer_class = UploadBriefSerializer
    filterset_class = UploadFilters
    is_streamed = True
    orderings: ClassVar = Orderings(
        "-created_at",
        {
            "created_at": "created_at",
            "expires_at": "expires_at",
            "size_bytes": "size_bytes",
            "filename": "filename",
        },
    )

    def rows(self) -> QuerySet[Upload]:
        organization_id = self.kwargs["organization_id"]
        return uploads_of_member(self.request.user).filter(organization=organization_id)

    @extend_schema(
        operation_id="list_uploads",
        responses={
            200: UploadBriefSerializer(many=True),
            **problems(_REFUSALS | {400: INVALID}),
        },
    )
    def get(self, request: Request, organization_id: UUID) -> Response:
        """One page of an organisation's uploads, open and closed ones, newest first.

        A token for one show sees those that it began itself.
        """
        require_uploader(request.user, organization_id)
        return super().get(request)


class UploadsView(RowsView[Upload]):
    """``/uploads/``."""

    read_scope = write_scope = Scope.UPLOADS
    serializer_class = UploadSerializer
    row_route = ("upload",)

    def rows(self) -> QuerySet[Upload]:
        return uploads_of_member(self.request.user)

    @extend_schema(
        operation_id="open_upload",
        request=NewUploadSerializer,
        responses={
            200: UploadSerializer,
            201: UploadSerializer,
            **problems(
                _REFUSALS
                | {
                    400: INVALID,
                    409: "`too_many_uploads`: the organisation has too many unfinished ones.",
                    413: "`too_large`: more than the installation accepts.",
                    507: "`no_room`: the disk is too full.",
                }
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Open an upload (201), or continue the open one of the same file (200)."""
        data = NewUploadSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        fields = data.validated_data
        membership = require_uploader(request.user, fields.pop("organization"))
        with telling_refusals():
            upload, is_new = uploads.open_upload(
                organization=membership.organization, actor=request.user, **fields
            )
        return self.row_answer(upload.pk, status=201 if is_new else 200)


class UploadView(RowView[Upload]):
    """``/uploads/<id>/``."""

    read_scope = write_scope = Scope.UPLOADS
    serializer_class = UploadSerializer

    def rows(self) -> QuerySet[Upload]:
        return uploads_of_member(self.request.user)

    @extend_schema(
        operation_id="get_upload", responses={200: UploadSerializer, **problems(_REFUSALS)}
    )
    def get(self, request: Request, upload_id: UUID) -> Response:
        """How far an upload is, with the parts that have arrived."""
        get_upload(request.user, upload_id)
        return self.row_answer(upload_id)

    @extend_schema(
        operation_id="abort_upload",
        responses={204: None, **problems(_REFUSALS | {412: CHANGED})},
    )
    def delete(self, request: Request, upload_id: UUID) -> Response:
        """Throw an open upload away; a closed one stays as it is."""
        upload = get_upload(request.user, upload_id)
        with self.unchanged(upload_id):
            uploads.abort_upload(upload=upload)
        return Response(status=204)


class PartUrlsView(ApiView):
    """``/uploads/<id>/part-urls/``."""

    read_scope = write_scope = Scope.UPLOADS
    keeps_answers = False  # asking changes nothing, and addresses are good for an hour at most

    @extend_schema(
        operation_id="request_part_urls",
        request=PartUrlsSerializer,
        responses={
            200: PartRequestSerializer(many=True),
            **problems(
                _REFUSALS
                | {
                    400: INVALID + " Or `no_such_part`.",
                    409: "`upload_closed`: it takes no more parts.",
                }
            ),
        },
    )
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Where to send parts: each address takes one part with this size and checksum only."""
        upload = get_upload(request.user, upload_id)
        data = PartUrlsSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        with telling_refusals():
            requests = uploads.part_requests(upload, data.validated_data["parts"])
        return Response(PartRequestSerializer(requests, many=True).data)


class CompleteView(RowsView[Asset]):
    """``/uploads/<id>/complete/``."""

    read_scope = write_scope = Scope.UPLOADS
    serializer_class = AssetSerializer

    def rows(self) -> QuerySet[Asset]:
        return assets_of_member(self.request.user)

    @extend_schema(
        operation_id="complete_upload",
        request=CompleteSerializer,
        responses={
            200: AssetSerializer,
            **problems(
                _REFUSALS
                | {
                    400: INVALID,
                    409: "`parts_differ`, `upload_closed`, or `audio_failed`.",
                    507: "`no_room`: the disk is too full to join the parts.",
                }
            ),
        },
    )
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Join the parts into one file; a repeated call answers the same file.

        With an episode, both happen or neither: a file that arrived is never left without a use.
        Changing an episode takes the scope `write` as well.
        """
        upload = get_upload(request.user, upload_id)
        data = CompleteSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        episode_id = data.validated_data["episode"]
        if episode_id is not None:
            require_scope(request.user, Scope.WRITE)
        episode = get_episode(request.user, episode_id, Role.EDITOR) if episode_id else None
        with telling_refusals(), transaction.atomic():
            asset = uploads.complete_upload(
                upload_id=upload.id, claims=data.validated_data["parts"]
            )
            if episode is not None:
                receive_audio(episode=episode, asset=asset)
        return self.row_answer(asset.pk)


class AssetView(RowView[Asset]):
    """``/assets/<id>/``."""

    read_scope = write_scope = Scope.UPLOADS
    serializer_class = AssetSerializer

    def rows(self) -> QuerySet[Asset]:
        return assets_of_member(self.request.user)

    @extend_schema(
        operation_id="get_asset", responses={200: AssetSerializer, **problems(_REFUSALS)}
    )
    def get(self, request: Request, asset_id: UUID) -> Response:
        """An uploaded file: how far its preparation is, and the renditions made from it."""
        get_asset(request.user, asset_id)
        return self.row_answer(asset_id)
