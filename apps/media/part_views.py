"""How a part of an upload arrives when the store is a folder: what S3 does elsewhere."""

import asyncio
import errno
import logging
from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse, JsonResponse

from apps.core.clock import now
from apps.core.streamed import StreamedRequest
from apps.media.admission import has_room_for
from apps.media.storage import CHECKSUM_HEADER, NoSuchUploadError, storage
from apps.media.storage.disk import DiskStorage
from apps.media.storage.disk_parts import PartRefusedError, is_signed, receive_part

logger = logging.getLogger(__name__)


class _RefusedError(Exception):
    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.response = _problem(status, code, detail)


async def upload_part(request: StreamedRequest, upload_id: UUID, number: int) -> HttpResponse:
    """``PUT /uploads/<id>/parts/<n>?size=&expires=&signature=``; errors are RFC 9457 problems."""
    if request.method != "PUT":
        response = _problem(405, "method_not_allowed", "Parts are sent with PUT.")
        response.headers["Allow"] = "PUT"
        return response
    try:
        return await _receive(request, upload_id, number)
    except _RefusedError as refusal:
        return refusal.response


async def _receive(request: StreamedRequest, upload_id: UUID, number: int) -> HttpResponse:
    store = storage()
    if not isinstance(store, DiskStorage):
        raise _RefusedError(404, "not_found", "Parts are sent to the bucket, not here.")
    size_bytes = _require_signature(request, upload_id, number)
    checksum = _require_announcement(request, size_bytes)
    # Many uploads may have been begun while there was room for each of them.
    if not await asyncio.to_thread(has_room_for, size_bytes):
        raise _storage_full()
    try:
        part = await receive_part(
            store.parts_folder(upload_id),
            request.stream_body(),
            number=number,
            size_bytes=size_bytes,
            checksum_sha256=checksum,
        )
    except NoSuchUploadError as error:
        raise _RefusedError(404, "no_such_upload", f"{error} Begin a new one.") from error
    except PartRefusedError as error:
        raise _RefusedError(400, "part_refused", str(error)) from error
    except OSError as error:
        raise _storage_refusal(error) from error
    return HttpResponse(headers={"ETag": part.etag, CHECKSUM_HEADER: part.checksum_sha256})


def _require_signature(request: StreamedRequest, upload_id: UUID, number: int) -> int:
    """The size that this address was given out for."""
    size_bytes, expires = _number(request, "size"), _number(request, "expires")
    signature = request.GET.get("signature", "")
    if not is_signed(
        upload_id, number=number, size_bytes=size_bytes, expires=expires, signature=signature
    ):
        raise _RefusedError(403, "bad_signature", "This address was not given out by this server.")
    if expires <= now().timestamp():
        raise _RefusedError(403, "expired", "This address has expired. Ask for a new one.")
    return size_bytes


def _require_announcement(request: StreamedRequest, size_bytes: int) -> str:
    """The checksum that the client announces; refuses a length that can't be right at once."""
    length = request.headers.get("Content-Length", "")
    if not length:
        raise _RefusedError(411, "length_required", "Send a Content-Length.")
    if length != str(size_bytes):
        raise _RefusedError(
            400, "wrong_length", f"This address takes exactly {size_bytes} bytes, not {length}."
        )
    checksum = request.headers.get(CHECKSUM_HEADER, "")
    if not checksum:
        raise _RefusedError(
            400, "checksum_required", f"Send the part's base64 SHA-256 as {CHECKSUM_HEADER}."
        )
    return checksum


def _number(request: StreamedRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _storage_refusal(error: OSError) -> _RefusedError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _storage_full()
    logger.error("A part could not be written", exc_info=error)
    return _RefusedError(503, "storage_away", "The part could not be stored. Send it again.")


def _storage_full() -> _RefusedError:
    return _RefusedError(507, "storage_full", "The server's storage is full. Try again later.")


def _problem(status: int, code: str, detail: str) -> JsonResponse:
    """The same form as the API's problems (RFC 9457 section 3.1, with `code` as extension)."""
    body = {
        "type": f"urn:longwave:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return JsonResponse(body, status=status, content_type="application/problem+json")
