"""How answers are written: JSON straight from rows' values, dates in UTC as RFC 3339 has them."""

from typing import Any

import msgspec
from rest_framework.renderers import BaseRenderer

# What it doesn't know is a lazy text.
_encoder = msgspec.json.Encoder(enc_hook=str)


def to_json(value: Any) -> bytes:
    """The document; ids, dates and numbers in their canonical spelling."""
    return _encoder.encode(value)


class JsonRenderer(BaseRenderer):
    """``application/json``, and problem details where an answer says so itself."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None
    ) -> bytes:
        """Nothing is no document."""
        return b"" if data is None else to_json(data)
