"""Where log files lie: a folder, or a prefix in a bucket."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from django.conf import settings

from apps.core.clock import now
from apps.downloads.logs.reading import is_compressed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BUCKET = "s3://"
_MISSING = {"NoSuchKey", "NotFound", "404"}
# A log that nobody has written to for so long ends with its last line.
_WHOLE_AFTER = timedelta(hours=1)


class PlaceError(OSError):
    """A place that can't be read, or is none; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file as a listing tells it; ``version`` changes whenever its content does."""

    name: str
    size_bytes: int
    modified_at: datetime
    version: str
    is_whole: bool  # nobody will append to it


class LogPlace(Protocol):
    """What holds log files."""

    has_renames: bool
    """Whether files get other names in time, as logrotate does."""

    def find(self) -> Iterator[FoundFile]:
        """All files, by name; raises PlaceError."""

    def fetch(self, name: str) -> AbstractContextManager[Path]:
        """The file on a disk while the context lasts; raises PlaceError."""

    def delete(self, name: str, version: str) -> bool:
        """Remove a file, whether or not it is gone already; raises PlaceError.

        False for one to which somebody may still be writing, and for what has the name now in
        another version: it stays.
        """


def place_at(address: str) -> LogPlace:
    """The folder or bucket at ``s3://bucket/prefix`` or an absolute path; raises PlaceError."""
    if address.startswith(_BUCKET):
        bucket, _, prefix = address.removeprefix(_BUCKET).partition("/")
        if not bucket:
            raise PlaceError("The address names no bucket: s3://bucket/prefix is wanted.")
        return BucketPlace(bucket, prefix)
    folder = Path(address)
    if not folder.is_absolute():
        raise PlaceError("A folder is named by its absolute path, a bucket as s3://bucket/prefix.")
    return FolderPlace(folder)


class FolderPlace:
    """Implements LogPlace in a folder and those below it."""

    has_renames = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self) -> Iterator[FoundFile]:
        if not self._folder.is_dir():
            raise PlaceError(f"There is no folder {self._folder}.")
        try:
            for path in sorted(self._folder.rglob("*")):
                with suppress(FileNotFoundError):  # it was renamed or deleted meanwhile
                    if path.is_file() and not path.is_symlink():
                        yield self._found(path)
        except OSError as error:
            raise PlaceError(f"{self._folder} can't be read: {error.strerror}.") from error

    def _found(self, path: Path) -> FoundFile:
        told = path.stat()
        modified_at = datetime.fromtimestamp(told.st_mtime, UTC)
        return FoundFile(
            name=path.relative_to(self._folder).as_posix(),
            size_bytes=told.st_size,
            modified_at=modified_at,
            version=f"{told.st_ino}-{told.st_mtime_ns}-{told.st_size}",
            is_whole=now() - modified_at > _WHOLE_AFTER,
        )

    @contextmanager
    def fetch(self, name: str) -> Iterator[Path]:
        yield self._folder / name

    def delete(self, name: str, version: str) -> bool:
        """A web server goes on writing into a deleted file, where nobody would find it."""
        path = self._folder / name
        try:
            if self._found(path).version != version or not is_compressed(path):
                return False
            path.unlink()
        except FileNotFoundError:
            return True
        except OSError as error:
            raise PlaceError(f"{name} can't be deleted: {error.strerror}.") from error
        return True


class BucketPlace:
    """Implements LogPlace in a bucket, reached as the settings LONGWAVE_LOGS_… say."""

    has_renames = False

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket, self._prefix = bucket, prefix
        self._client = _connect()

    def find(self) -> Iterator[FoundFile]:
        from botocore.exceptions import BotoCoreError, ClientError

        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix
        )
        try:
            for page in pages:
                for found in page.get("Contents", []):
                    yield FoundFile(
                        name=found["Key"],
                        size_bytes=found["Size"],
                        modified_at=found["LastModified"],
                        version=found["ETag"].strip('"'),
                        is_whole=True,
                    )
        except (BotoCoreError, ClientError) as error:
            raise PlaceError(f"The bucket {self._bucket} can't be listed: {error}") from error

    @contextmanager
    def fetch(self, name: str) -> Iterator[Path]:
        """Into the scratch folder: a log is small, and a slow counter would keep S3 waiting.

        Raises FileNotFoundError for an object that is gone.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        settings.SCRATCH_ROOT.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="log-", dir=settings.SCRATCH_ROOT) as folder:
            path = Path(folder) / "log"
            try:
                body = self._client.get_object(Bucket=self._bucket, Key=name)["Body"]
                with path.open("wb") as file:
                    shutil.copyfileobj(body, file, 1024 * 1024)
            except (BotoCoreError, ClientError) as error:
                if _is_missing(error):  # a lifecycle rule, say, was faster
                    raise FileNotFoundError(name) from error
                raise PlaceError(f"{name} can't be fetched: {error}") from error
            yield path

    def delete(self, name: str, version: str) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = self._client.head_object(Bucket=self._bucket, Key=name)
            if found["ETag"].strip('"') != version:
                return False
            self._client.delete_object(Bucket=self._bucket, Key=name)
        except (BotoCoreError, ClientError) as error:
            if _is_missing(error):
                return True
            raise PlaceError(f"{name} can't be deleted: {error}") from error
        return True


def _is_missing(error: Exception) -> bool:
    from botocore.exceptions import ClientError

    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _MISSING


def _connect() -> "S3Client":
    from apps.media.storage.s3 import Account, connect  # boto3 takes a third of a second to load

    return connect(
        Account(
            endpoint_url=settings.LOGS_S3_ENDPOINT_URL,
            region=settings.LOGS_S3_REGION,
            access_key_id=settings.LOGS_ACCESS_KEY_ID,
            secret_access_key=settings.LOGS_SECRET_ACCESS_KEY,
        )
    )


def matches(name: str, pattern: str) -> bool:
    """Whether a file's name, without its folders, fits a shell pattern; "" fits every one."""
    return not pattern or fnmatch(name.rpartition("/")[2], pattern)
