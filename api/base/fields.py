"""Values that need a closer look than their type."""

import base64
import binascii
from typing import Any

from rest_framework import serializers

_SHA256_BYTES = 32


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
