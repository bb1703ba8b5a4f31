"""What a store of media must answer, whether it is a folder or an S3 bucket."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable
from uuid import UUID

from apps.media.sources import Source

CHECKSUM_HEADER = "x-amz-checksum-sha256"
"""The request header of a part: the base64 SHA-256 of its bytes, as S3 names it."""


class StorageError(OSError):
    """The store could not do what was asked; the message says why."""


class ObjectMissingError(StorageError, FileNotFoundError):
    """No object has this key."""


class NoSuchUploadError(StorageError):
    """The multipart upload was completed, aborted or never begun."""


class PartMismatchError(StorageError):
    """The parts named do not match the parts that are stored."""


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    """An open multipart upload: all a store needs to find it again."""

    upload_id: UUID
    token: str  # the store's own name for it, to be kept with the upload

    @property
    def key(self) -> str:
        """Where the whole file is once the upload is complete."""
        return f"originals/{self.upload_id}"


@dataclass(frozen=True, slots=True)
class Part:
    """A part that arrived, or one that a client says has arrived."""

    number: int  # from 1
    size_bytes: int
    etag: str  # as the store answered the PUT, quotes included
    checksum_sha256: str  # base64; empty when the store does not tell


@dataclass(frozen=True, slots=True)
class PartTarget:
    """Where to send one part: this method, address and headers exactly, until it expires.

    The address is absolute for S3, and begins with a slash for our own endpoint.
    """

    url: str
    expires_at: datetime
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "PUT"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A whole object that the store holds, as a listing tells it."""

    key: str
    size_bytes: int
    modified_at: datetime


class Storage(Protocol):
    """Files under content-addressed keys, and uploads in parts. Sync but for the reading side.

    A store that clients can be sent to is a `Presigning` as well: ask with isinstance.
    """

    def put(self, path: Path, key: str, *, content_type: str) -> None:
        """Store a local file durably; a key that exists is left alone, for keys name contents."""

    def size(self, key: str) -> int:
        """The length in bytes; raises ObjectMissingError."""

    def exists(self, key: str) -> bool:
        """Whether an object has this key."""

    def delete(self, key: str) -> None:
        """Remove an object; one that is gone already is no error."""

    def list_objects(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose keys begin so, a page at a time; parts of open uploads are none."""

    def materialise(self, key: str) -> AbstractContextManager[Path]:
        """A local path to read from while the context lasts; raises ObjectMissingError."""

    async def open_source(self, key: str, size_bytes: int) -> Source:
        """The object, to be read in ranges.

        Raises OSError when it is absent or of another size: here, or when a range is prepared.
        """

    def create_multipart(self, upload_id: UUID, *, content_type: str) -> MultipartUpload:
        """Begin an upload in parts."""

    def part_target(
        self,
        upload: MultipartUpload,
        *,
        number: int,
        size_bytes: int,
        checksum_sha256: str,
        lifetime_seconds: int,
    ) -> PartTarget:
        """Where one part may be sent: bound to its number, exact size and base64 checksum.

        The checksum must be known here because S3 refuses `x-amz-` headers that are not signed.
        """

    def list_parts(self, upload: MultipartUpload) -> list[Part]:
        """The parts that arrived, by number; raises NoSuchUploadError."""

    def complete_multipart(self, upload: MultipartUpload, parts: Sequence[Part]) -> str:
        """Join the parts, listed from 1 without a gap, and return the key of the whole.

        They are listed as the client knows them, checksums included: not every S3 service
        remembers those, and all want to hear them again.

        A repeated call after success returns the same key. Raises PartMismatchError or
        NoSuchUploadError.
        """

    def abort_multipart(self, upload: MultipartUpload) -> None:
        """Throw the parts away; an upload that is gone already is no error."""


@runtime_checkable
class Presigning(Protocol):
    """A store that gives its objects addresses, good for anyone who has them, for a while."""

    def presigned_get(
        self,
        key: str,
        *,
        lifetime_seconds: int,
        content_type: str = "",
        filename: str = "",
        cache_control: str = "",
    ) -> str:
        """Where the object can be read with GET, in ranges, without asking us.

        The answer bears these headers where they are given; the filename is for saving, shown
        inline. The address lasts for at least `lifetime_seconds` from now and at most twice as
        long, for it is handed out again while it does. One that was signed with the temporary
        credentials of a role ends with them, but not within five minutes. Raises OSError.
        """

    async def apresigned_get(
        self,
        key: str,
        *,
        lifetime_seconds: int,
        content_type: str = "",
        filename: str = "",
        cache_control: str = "",
    ) -> str:
        """The same for an event loop: signing, which may wait for credentials, is in a thread."""


def require_same_parts(claimed: Sequence[Part], stored: Sequence[Part]) -> None:
    """Whether a client's list of parts is what arrived, whole; raises PartMismatchError."""
    if not claimed or [part.number for part in claimed] != list(range(1, len(claimed) + 1)):
        raise PartMismatchError("The parts must be listed from 1 on, in order, without a gap.")
    arrived = {part.number: part for part in stored}
    for part in claimed:
        if part.number not in arrived:
            raise PartMismatchError(f"Part {part.number} has not arrived.")
        if not _is_same(part, arrived[part.number]):
            raise PartMismatchError(f"Part {part.number} is not the one that is stored.")
    if len(arrived) > len(claimed):
        raise PartMismatchError(f"{len(arrived)} parts arrived, {len(claimed)} are listed.")


def _is_same(claimed: Part, stored: Part) -> bool:
    checksums = {claimed.checksum_sha256, stored.checksum_sha256} - {""}
    return (
        claimed.etag.strip('"') == stored.etag.strip('"')
        and claimed.size_bytes == stored.size_bytes
        and len(checksums) <= 1
    )
