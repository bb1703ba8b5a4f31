"""Uploads as programs see them."""

from typing import Any

from rest_framework import serializers

from api.base.fields import ChecksumField, IdField
from api.base.rows import Computed, RowSerializer
from api.episodes.audio_serializers import AudioErrorSerializer
from api.episodes.serializers import RenditionSerializer
from apps.media.models import Asset, AssetStatus, Upload
from apps.media.uploads import MAX_PARTS, PartClaim, received_parts
from podcasts.audio import RETRYABLE_ERRORS

# One signature costs about half a millisecond; a client asks again long before the last part.
MAX_PARTS_PER_REQUEST = 100


class NewUploadSerializer(serializers.Serializer[Any]):
    """What must be known of a file before any of it is sent."""

    organization = IdField(help_text="Who the file will belong to.")
    filename = serializers.CharField(max_length=1000)
    size_bytes = serializers.IntegerField(min_value=1)
    fingerprint = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        default="",
        help_text="The client’s own name for these bytes. The same one while an upload of the "
        "file is open continues that upload.",
    )


class PartClaimSerializer(serializers.Serializer[Any]):
    """One part of the file."""

    number = serializers.IntegerField(min_value=1, max_value=MAX_PARTS)
    checksum_sha256 = ChecksumField(help_text="Base64 SHA-256 of the part.")

    def to_internal_value(self, data: Any) -> PartClaim:
        """What the services take."""
        return PartClaim(**super().to_internal_value(data))


class PartUrlsSerializer(serializers.Serializer[Any]):
    """The parts that are to be sent next."""

    parts: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=PartClaimSerializer(), allow_empty=False, max_length=MAX_PARTS_PER_REQUEST
    )


class CompleteSerializer(serializers.Serializer[Any]):
    """All parts, and what the file is for."""

    parts: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=PartClaimSerializer(), allow_empty=False, max_length=MAX_PARTS
    )
    episode = IdField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Make the file this episode’s next audio, in the same step.",
    )


class ReceivedPartSerializer(serializers.Serializer[Any]):
    """A part that has arrived."""

    number = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    checksum_sha256 = serializers.CharField()


class UploadBriefSerializer(RowSerializer[Upload]):
    """An upload, its parts apart: those are known to the storage only."""

    part_count = Computed(
        lambda upload: upload.part_count,
        serializers.IntegerField(),
        reads=["size_bytes", "part_size_bytes"],
    )
    asset = Computed(
        lambda upload: asset.id if (asset := getattr(upload, "asset", None)) else None,
        IdField(allow_null=True, help_text="The file that it has become."),
        reads=["asset"],
    )

    class Meta:
        model = Upload
        fields = [
            "id",
            "organization",
            "filename",
            "size_bytes",
            "fingerprint",
            "status",
            "part_size_bytes",
            "part_count",
            "asset",
            "created_at",
            "expires_at",
        ]
        read_only_fields = fields


class UploadSerializer(UploadBriefSerializer):
    """An upload and how far it is."""

    parts = Computed(
        lambda upload: [
            {
                "number": part.number,
                "size_bytes": part.size_bytes,
                "checksum_sha256": part.checksum_sha256,
            }
            for part in received_parts(upload)
        ],
        ReceivedPartSerializer(many=True, help_text="Those that have arrived, by number."),
        reads=["status", "storage_token"],
    )

    class Meta:
        model = Upload
        fields = [*UploadBriefSerializer.Meta.fields, "parts"]
        read_only_fields = fields


class PartRequestSerializer(serializers.Serializer[Any]):
    """How to send one part: this method, address and headers exactly, until it expires."""

    number = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    method = serializers.CharField(source="target.method")
    url = serializers.CharField(source="target.url")
    headers = serializers.DictField(source="target.headers", child=serializers.CharField())
    expires_at = serializers.DateTimeField(source="target.expires_at")


def _error(asset: Asset) -> dict[str, Any] | None:
    if asset.status != AssetStatus.FAILED:
        return None
    return {
        "code": asset.error_code,
        "message": asset.error_message,
        "can_retry": asset.error_code in RETRYABLE_ERRORS,
    }


class AssetSerializer(RowSerializer[Asset]):
    """An uploaded file, how far its preparation is, and what was made from it."""

    error = Computed(
        _error,
        AudioErrorSerializer(allow_null=True),
        reads=["status", "error_code", "error_message"],
    )
    chapter_count = Computed(
        lambda asset: len(asset.chapters), serializers.IntegerField(), reads=["chapters"]
    )
    notices = Computed(
        lambda asset: asset.notices,
        serializers.ListField(
            child=serializers.CharField(), help_text="What is odd about the file, in sentences."
        ),
        reads=["notices"],
    )
    renditions = RenditionSerializer(many=True)

    class Meta:
        model = Asset
        fields = [
            "id",
            "organization",
            "filename",
            "size_bytes",
            "sha256",
            "status",
            "stage",
            "progress",
            "error",
            "title",
            "chapter_count",
            "notices",
            "renditions",
            "created_at",
            "processed_at",
        ]
        read_only_fields = fields
