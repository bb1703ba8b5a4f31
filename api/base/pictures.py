"""Pictures that come in a request: as a form's file ``artwork``, or as the body itself."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request

from api.base.problems import ProblemError
from apps.media.images import LARGEST_FILE

FIELD = "artwork"
# For the OpenAPI document: what the body may be.
PICTURE_BODY: dict[str, Any] = {
    "multipart/form-data": {
        "type": "object",
        "required": [FIELD],
        "properties": {FIELD: {"type": "string", "format": "binary"}},
    },
    **{
        kind: {"type": "string", "format": "binary"}
        for kind in ("image/jpeg", "image/png", "image/webp")
    },
}
BUSY = "`busy`: too many pictures are being prepared; try again in a minute."
"""For the OpenAPI document, also where a cover is drawn."""


class PictureParser(BaseParser):
    """A body that is a picture, as bytes; what is in it is judged where it is stored."""

    media_type = "image/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """One byte more than is accepted, at most."""
        content: bytes = stream.read(LARGEST_FILE + 1)
        return content


PICTURE_PARSERS: list[type[BaseParser]] = [MultiPartParser, PictureParser]


def picture_of(request: Request) -> bytes:
    """The picture's bytes; raises the problem when there is none or it is too large."""
    sent: Any = request.data
    if isinstance(sent, bytes):
        content = sent
    else:
        file = request.FILES.get(FIELD)
        if not isinstance(file, UploadedFile):
            raise ValidationError({FIELD: "Send the picture as a file of this name."}, "required")
        if (file.size or 0) > LARGEST_FILE:
            raise _too_large()
        content = file.read()
    if len(content) > LARGEST_FILE:
        raise _too_large()
    if not content:
        raise ValidationError({FIELD: "This file is empty. Choose the picture again."}, "empty")
    return content


def _too_large() -> ProblemError:
    megabytes = LARGEST_FILE // 1024**2
    detail = f"This picture is larger than {megabytes} MB. Save it as JPEG and send it again."
    return ProblemError(413, "too_large", detail)
