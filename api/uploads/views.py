"""Uploads: opened, continued, sent in parts, completed, thrown away."""

from http import HTTPStatus
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.permissions import require_scope
from api.base.problems import ProblemError
from api.base.views import ApiView
from api.episodes.audio_views import receive
from api.uploads.serializers import (
    AssetSerializer,
    CompleteSerializer,
    NewUploadSerializer,
    PartRequestSerializer,
    PartUrlsSerializer,
    UploadSerializer,
)
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.media import uploads
from apps.media.access import get_upload
from apps.media.admission import UploadRefusedError
from podcasts.access import get_episode, require_uploader

_STATUSES = {
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "no_room": HTTPStatus.INSUFFICIENT_STORAGE,
    "no_such_part": HTTPStatus.BAD_REQUEST,
}


def _refused(error: UploadRefusedError) -> ProblemError:
    return ProblemError(_STATUSES.get(error.code, HTTPStatus.CONFLICT), error.code, error.message)


class UploadsView(ApiView):
    """``/uploads/``."""

    read_scope = write_scope = Scope.UPLOADS

    @extend_schema(request=NewUploadSerializer, responses={201: UploadSerializer})
    def post(self, request: Request) -> Response:
        """Open an upload (201), or continue the open one of the same file (200)."""
        data = NewUploadSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        fields = data.validated_data
        membership = require_uploader(request.user, fields.pop("organization"))
        try:
            upload, is_new = uploads.open_upload(
                organization=membership.organization, actor=request.user, **fields
            )
        except UploadRefusedError as error:
            raise _refused(error) from error
        return Response(UploadSerializer(upload).data, status=201 if is_new else 200)


class UploadView(ApiView):
    """``/uploads/<id>/``."""

    read_scope = write_scope = Scope.UPLOADS

    @extend_schema(responses=UploadSerializer)
    def get(self, request: Request, upload_id: UUID) -> Response:
        """How far an upload is, with the parts that have arrived."""
        return Response(UploadSerializer(get_upload(request.user, upload_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, upload_id: UUID) -> Response:
        """Throw an open upload away; a closed one stays as it is."""
        uploads.abort_upload(upload=get_upload(request.user, upload_id))
        return Response(status=204)


class PartUrlsView(ApiView):
    """``/uploads/<id>/part-urls/``."""

    read_scope = write_scope = Scope.UPLOADS

    @extend_schema(request=PartUrlsSerializer, responses=PartRequestSerializer(many=True))
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Where to send parts: each address takes one part with this size and checksum only."""
        upload = get_upload(request.user, upload_id)
        data = PartUrlsSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        try:
            requests = uploads.part_requests(upload, data.validated_data["parts"])
        except UploadRefusedError as error:
            raise _refused(error) from error
        return Response(PartRequestSerializer(requests, many=True).data)


class CompleteView(ApiView):
    """``/uploads/<id>/complete/``."""

    read_scope = write_scope = Scope.UPLOADS

    @extend_schema(request=CompleteSerializer, responses=AssetSerializer)
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Join the parts into one file; a repeated call answers the same.

        With an episode, both happen or neither: a file that arrived is never left without a use.
        Changing an episode takes the scope ``write`` as well.
        """
        upload = get_upload(request.user, upload_id)
        data = CompleteSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        episode_id = data.validated_data["episode"]
        if episode_id is not None:
            require_scope(request.user, Scope.WRITE)
        episode = get_episode(request.user, episode_id, Role.EDITOR) if episode_id else None
        try:
            with transaction.atomic():
                asset = uploads.complete_upload(
                    upload_id=upload.id, claims=data.validated_data["parts"]
                )
                if episode is not None:
                    receive(episode, asset)
        except UploadRefusedError as error:
            raise _refused(error) from error
        return Response(AssetSerializer(asset).data)
