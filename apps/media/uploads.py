"""Receiving one file in parts: opened, sent with the S3 multipart protocol, completed once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.accounts.actors import Actor, person_of, token_of
from apps.accounts.models import Organization
from apps.core.clock import now
from apps.core.row_news import rows_group, tell
from apps.media.admission import UploadRefusedError, admit, refuse_without_room
from apps.media.models import Asset, Upload, UploadStatus
from apps.media.storage import (
    MultipartUpload,
    NoSuchUploadError,
    Part,
    PartMismatchError,
    PartTarget,
    storage,
)

MAX_PARTS = 10_000  # Amazon S3, "multipart upload limits"
PART_URL_LIFETIME = timedelta(hours=1)
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class PartClaim:
    """What a client says of one part: its number (from 1) and base64 SHA-256."""

    number: int
    checksum_sha256: str


@dataclass(frozen=True, slots=True)
class PartRequest:
    """Where and how one part is to be sent."""

    number: int
    size_bytes: int
    target: PartTarget


@transaction.atomic
def open_upload(
    *,
    organization: Organization,
    actor: Actor,
    filename: str,
    size_bytes: int,
    fingerprint: str = "",
) -> tuple[Upload, bool]:
    """An upload to send parts to, and whether it is new.

    The actor's open upload of the same file (same fingerprint and size) is continued, but not for
    longer than it had: a bucket's lifecycle rule counts from the beginning as well. Raises
    UploadRefusedError when the file is too large for the installation or its disk, and when the
    organisation has too many open uploads.
    """
    resumed = _continue_upload(organization, actor, size_bytes, fingerprint)
    if resumed is not None:
        return resumed, False
    admit(organization, size_bytes)
    upload = Upload(
        organization=organization,
        created_by=person_of(actor),
        opened_with=token_of(actor),
        filename=plain_filename(filename),
        size_bytes=size_bytes,
        part_size_bytes=part_size_for(size_bytes),
        fingerprint=fingerprint,
        expires_at=now() + settings.UPLOAD_LIFETIME,
    )
    # The type a browser names is worth nothing: contents are told by looking at them.
    begun = storage().create_multipart(upload.id, content_type="application/octet-stream")
    upload.storage_token = begun.token
    upload.save(force_insert=True)
    _tell_lists(upload)
    return upload, True


def _continue_upload(
    organization: Organization, actor: Actor, size_bytes: int, fingerprint: str
) -> Upload | None:
    if not fingerprint:
        return None
    return (
        Upload.objects.filter(
            organization=organization,
            created_by=person_of(actor),
            opened_with=token_of(actor),
            fingerprint=fingerprint,
            size_bytes=size_bytes,
            status=UploadStatus.OPEN,
            expires_at__gt=now(),
        )
        .order_by("-id")
        .first()
    )


def plain_filename(name: str) -> str:
    """A name without folders and control characters, short enough to store."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable()).strip()[-255:] or "audio"


def part_size_for(size_bytes: int) -> int:
    """The part length: as configured, or more where that would make too many parts."""
    needed = -(-size_bytes // MAX_PARTS)
    rounded_up = -(-needed // _MIB) * _MIB
    return settings.UPLOAD_PART_BYTES if needed <= settings.UPLOAD_PART_BYTES else rounded_up


def received_parts(upload: Upload) -> list[Part]:
    """The parts that have arrived, by number; none once the upload is closed."""
    if upload.status != UploadStatus.OPEN:
        return []
    try:
        return storage().list_parts(in_store(upload))
    except NoSuchUploadError:
        return []


def in_store(upload: Upload) -> MultipartUpload:
    """What the store needs to find the upload."""
    return MultipartUpload(upload_id=upload.id, token=upload.storage_token)


def part_requests(upload: Upload, claims: Iterable[PartClaim]) -> list[PartRequest]:
    """Where to send these parts; raises UploadRefusedError when the upload takes no more."""
    _refuse_closed(upload)
    left = upload.expires_at - now()
    lifetime = int(min(PART_URL_LIFETIME, left).total_seconds())
    return [
        PartRequest(
            number=claim.number,
            size_bytes=_part_bytes(upload, claim.number),
            target=storage().part_target(
                in_store(upload),
                number=claim.number,
                size_bytes=_part_bytes(upload, claim.number),
                checksum_sha256=claim.checksum_sha256,
                lifetime_seconds=lifetime,
            ),
        )
        for claim in claims
    ]


def _part_bytes(upload: Upload, number: int) -> int:
    if not 1 <= number <= upload.part_count:
        raise UploadRefusedError(
            "no_such_part", f"This upload has parts 1 to {upload.part_count}, no part {number}."
        )
    return upload.part_bytes(number)


def _refuse_closed(upload: Upload) -> None:
    if upload.status != UploadStatus.OPEN or upload.expires_at <= now():
        raise UploadRefusedError(
            "upload_closed", "This upload is over. Choose the file again to send it anew."
        )


@transaction.atomic
def complete_upload(*, upload_id: UUID, claims: Sequence[PartClaim]) -> Asset:
    """Join the parts into an asset; a repeated call returns the same asset.

    The row stays locked while the store joins the parts, so that two calls can't do it at once.
    Raises UploadRefusedError when parts are missing or differ from what arrived.
    """
    upload = Upload.objects.select_for_update().get(id=upload_id)
    if upload.status == UploadStatus.COMPLETE:
        asset = Asset.objects.filter(upload=upload).first()
        if asset is not None:
            return asset
    _refuse_closed(upload)
    key = _join(upload, claims)
    upload.status = UploadStatus.COMPLETE
    upload.save(update_fields=["status"])
    _tell_lists(upload)
    return Asset.objects.create(
        organization_id=upload.organization_id,
        upload=upload,
        filename=upload.filename,
        size_bytes=upload.size_bytes,
        storage_key=key,
    )


def _join(upload: Upload, claims: Sequence[PartClaim]) -> str:
    begun = in_store(upload)
    try:
        arrived = {part.number: part for part in storage().list_parts(begun)}
    except NoSuchUploadError:
        arrived = {}  # joined by an earlier call that died before it could say so
    else:
        refuse_without_room(upload.size_bytes)
    try:
        key = storage().complete_multipart(begun, _matching(upload, claims, arrived))
    except (PartMismatchError, NoSuchUploadError) as error:
        raise _parts_differ() from error
    if storage().size(key) != upload.size_bytes:
        raise _parts_differ()
    return key


def _matching(upload: Upload, claims: Sequence[PartClaim], arrived: dict[int, Part]) -> list[Part]:
    """The stored parts that the client means, from 1 without a gap."""
    ordered = sorted(claims, key=lambda claim: claim.number)
    if [claim.number for claim in ordered] != list(range(1, upload.part_count + 1)):
        raise _parts_differ()
    if not arrived:
        return [Part(c.number, upload.part_bytes(c.number), "", c.checksum_sha256) for c in ordered]
    return [_matching_part(upload, claim, arrived.get(claim.number)) for claim in ordered]


def _matching_part(upload: Upload, claim: PartClaim, part: Part | None) -> Part:
    if part is None or part.size_bytes != upload.part_bytes(claim.number):
        raise _parts_differ()
    if part.checksum_sha256 not in ("", claim.checksum_sha256):
        raise _parts_differ()
    return replace(part, checksum_sha256=claim.checksum_sha256)


def _parts_differ() -> UploadRefusedError:
    return UploadRefusedError(
        "parts_differ",
        "Some parts are missing or differ from the file. Choose the same file again: "
        "only what is missing will be sent.",
    )


def abort_upload(*, upload: Upload, status: UploadStatus = UploadStatus.ABORTED) -> None:
    """Close an open upload and throw its parts away; one that is closed already is left alone."""
    closed = Upload.objects.filter(id=upload.id, status=UploadStatus.OPEN).update(status=status)
    if closed:
        _tell_lists(upload)
        storage().abort_multipart(in_store(upload))


def expire_uploads() -> int:
    """Abort the open uploads whose time is over, and say how many there were."""
    overdue = Upload.objects.filter(status=UploadStatus.OPEN, expires_at__lte=now())
    count = 0
    for upload in overdue.iterator():
        abort_upload(upload=upload, status=UploadStatus.EXPIRED)
        count += 1
    return count


def _tell_lists(upload: Upload) -> None:
    """A token for one show has a list of its own: it may not even know of the other uploads."""
    groups = [rows_group("uploads", "organization", upload.organization_id), rows_group("uploads")]
    if upload.opened_with_id is not None:
        groups.append(rows_group("uploads", "token", upload.opened_with_id))
    tell(groups, [upload.pk])
