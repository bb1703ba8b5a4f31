"""Which uploads may begin: not too large, not too many at once, and only where there is room."""

import shutil
from pathlib import Path

from django.conf import settings

from apps.accounts.models import Organization
from apps.media.models import Upload, UploadStatus

# The engines and the worker need some room of their own on the same disk.
RESERVED_BYTES = 256 * 1024**2


class UploadRefusedError(Exception):
    """An upload can't begin or go on: a code for programs, a sentence for the person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def admit(organization: Organization, size_bytes: int) -> None:
    """Raise UploadRefusedError unless a file of this size may be sent now.

    To be called in the transaction that makes the upload: others of the organisation wait for it.
    """
    _refuse_too_large(size_bytes)
    _refuse_too_many(organization)
    # Joining needs the size once more until the parts are gone; so does preparing the original.
    refuse_without_room(size_bytes, times=2)


def _refuse_too_large(size_bytes: int) -> None:
    if size_bytes > settings.MAX_UPLOAD_BYTES:
        raise UploadRefusedError(
            "too_large",
            f"This file has {_spoken(size_bytes)}; at most {_spoken(settings.MAX_UPLOAD_BYTES)} "
            "are accepted. An hour of MP3 at 128 kbit/s takes about 58 MB.",
        )


def _refuse_too_many(organization: Organization) -> None:
    """Parts that nobody joins stay until they expire: one tenant must not fill the disk."""
    # Not FOR UPDATE: rows that refer to the organisation may be made meanwhile.
    Organization.objects.select_for_update(no_key=True).get(id=organization.id)
    unfinished = Upload.objects.filter(organization=organization, status=UploadStatus.OPEN)
    if unfinished.count() < settings.MAX_OPEN_UPLOADS:
        return
    until = unfinished.order_by("expires_at").values_list("expires_at", flat=True)[0]
    raise UploadRefusedError(
        "too_many_uploads",
        f"{organization} has {settings.MAX_OPEN_UPLOADS} unfinished uploads, which is as many as "
        "it may have. Finish or cancel one of them; the oldest is given up by itself on "
        f"{until.day} {until:%B}.",
    )


def refuse_without_room(size_bytes: int, *, times: int = 1) -> None:
    """Raise UploadRefusedError when the disk can't take a file of this size so many times."""
    if not settings.S3_BUCKET and not has_room_for(times * size_bytes):
        raise UploadRefusedError(
            "no_room",
            f"The server’s disk has no room for a file of {_spoken(size_bytes)} at the moment. "
            "Whoever runs this installation has to free some space first.",
        )


def has_room_for(wanted_bytes: int) -> bool:
    """Whether so much can be stored without taking the room that the engines need."""
    return free_bytes(Path(settings.MEDIA_STORE_ROOT)) >= wanted_bytes + RESERVED_BYTES


def free_bytes(folder: Path) -> int:
    """What can still be written below a folder that need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _spoken(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"
