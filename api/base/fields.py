"""Values that need a closer look than their type."""

import base64
import binascii
from typing import Any
from uuid import UUID

from rest_framework import serializers

_SHA256_BYTES = 32


class IdField(serializers.UUIDField):
    """An id as text: DRF takes numbers, too, and makes of false a UUID that nothing can write."""

    def to_internal_value(self, data: Any) -> UUID:
        """The UUID."""
        if not isinstance(data, (str, UUID)):
            self.fail("invalid", value=data)
        found: UUID = super().to_internal_value(data)
        return found


class ChecksumField(serializers.CharField):
    """The base64 SHA-256 of some bytes, as S3 writes it in ``x-amz-checksum-sha256``."""

    default_error_messages = {
        "checksum": "This is not a SHA-256 in base64 (44 characters that end in “=”)."
    }

    def to_internal_value(self, data: Any) -> str:
        """The checksum in its one canonical spelling."""
        text = super().to_internal_value(data)
        try:
            digest = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            self.fail("checksum")
        if len(digest) != _SHA256_BYTES:
            self.fail("checksum")
        return base64.b64encode(digest).decode()
