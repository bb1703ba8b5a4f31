"""Uploads as programs see them."""

from typing import Any

from rest_framework import serializers

from api.base.fields import ChecksumField
from apps.media.models import Upload
from apps.media.uploads import MAX_PARTS, PartClaim, received_parts

# One signature costs about half a millisecond; a client asks again long before the last part.
MAX_PARTS_PER_REQUEST = 100


class NewUploadSerializer(serializers.Serializer[Any]):
    """What must be known of a file before any of it is sent."""

    organization = serializers.UUIDField(help_text="Who the file will belong to.")
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
    episode = serializers.UUIDField(
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


class UploadSerializer(serializers.ModelSerializer[Upload]):
    """An upload and how far it is."""

    parts = serializers.SerializerMethodField()
    asset = serializers.SerializerMethodField()

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
            "parts",
            "asset",
            "created_at",
            "expires_at",
        ]
        read_only_fields = fields

    part_count = serializers.IntegerField(read_only=True)

    def get_parts(self, upload: Upload) -> list[dict[str, Any]]:
        """The parts that have arrived, by number."""
        return [dict(ReceivedPartSerializer(part).data) for part in received_parts(upload)]

    def get_asset(self, upload: Upload) -> str | None:
        """The file that a complete upload has become."""
        asset = getattr(upload, "asset", None)
        return str(asset.id) if asset else None


class PartRequestSerializer(serializers.Serializer[Any]):
    """How to send one part: this method, address and headers exactly, until it expires."""

    number = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    method = serializers.CharField(source="target.method")
    url = serializers.CharField(source="target.url")
    headers = serializers.DictField(source="target.headers", child=serializers.CharField())
    expires_at = serializers.DateTimeField(source="target.expires_at")


class AssetSerializer(serializers.Serializer[Any]):
    """An uploaded file."""

    id = serializers.UUIDField()
    filename = serializers.CharField()
    size_bytes = serializers.IntegerField()
    status = serializers.CharField()
