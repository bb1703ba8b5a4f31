"""The store that is an S3 bucket, at AWS or at any service with the same protocol."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import UUID

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils.http import content_disposition_header

from apps.core.clock import now
from apps.media.storage.base import (
    CHECKSUM_HEADER,
    MultipartUpload,
    NoSuchUploadError,
    ObjectMissingError,
    Part,
    PartMismatchError,
    PartTarget,
    StorageError,
    StoredObject,
    require_same_parts,
)
from apps.media.storage.presigned import PresignedAddresses, Wanted
from apps.media.storage.s3_source import S3Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

LISTED_AT_ONCE = 1000  # as many as S3 gives in one answer
_BAD_PARTS = {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "BadDigest"}


@dataclass(frozen=True, slots=True)
class Account:
    """An S3 service and who asks it; without keys, boto3 looks for credentials itself."""

    endpoint_url: str | None  # Amazon's without one
    region: str
    access_key_id: str | None
    secret_access_key: str | None

    @classmethod
    def from_settings(cls) -> "Account":
        """The one that holds the media."""
        return cls(
            endpoint_url=settings.S3_ENDPOINT_URL,
            region=settings.S3_REGION,
            access_key_id=settings.AWS_ACCESS_KEY_ID,
            secret_access_key=settings.AWS_SECRET_ACCESS_KEY,
        )


def connect(account: Account | None = None) -> "S3Client":
    """A client of this account, or of the one in the settings."""
    account = account or Account.from_settings()
    return boto3.session.Session().client(
        "s3",
        endpoint_url=account.endpoint_url,
        region_name=account.region,
        aws_access_key_id=account.access_key_id,
        aws_secret_access_key=account.secret_access_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if account.endpoint_url else "virtual"},
            retries={"mode": "standard", "max_attempts": 4},
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=64,
            # boto3 would otherwise sign a CRC32 into addresses that browsers must use.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


class S3Storage:
    """Implements Storage in one bucket."""

    def __init__(self, client: "S3Client", bucket: str, scratch: Path) -> None:
        self._client, self._bucket, self._scratch = client, bucket, scratch
        self._addresses = PresignedAddresses(self._sign)

    @classmethod
    def from_settings(cls) -> "S3Storage":
        """The bucket of S3_BUCKET."""
        return cls(connect(), str(settings.S3_BUCKET), settings.SCRATCH_ROOT)

    def put(self, path: Path, key: str, *, content_type: str) -> None:
        if self.exists(key) and self.size(key) == path.stat().st_size:
            return
        self._client.upload_file(
            str(path), self._bucket, key, ExtraArgs={"ContentType": content_type}
        )

    def size(self, key: str) -> int:
        try:
            return self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"]
        except ClientError as error:
            if _code(error) in {"404", "NoSuchKey", "NotFound"}:
                raise ObjectMissingError(f"nothing is stored as {key}") from error
            raise StorageError(f"the bucket does not answer for {key}: {error}") from error

    def exists(self, key: str) -> bool:
        try:
            self.size(key)
        except ObjectMissingError:
            return False
        return True

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=key)

    def list_objects(self, prefix: str) -> Iterator[StoredObject]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, PaginationConfig={"PageSize": LISTED_AT_ONCE}
        )
        try:
            for page in pages:
                for found in page.get("Contents", []):
                    yield StoredObject(found["Key"], found["Size"], found["LastModified"])
        except (BotoCoreError, ClientError) as error:
            raise StorageError(f"the bucket cannot be listed: {error}") from error

    @contextmanager
    def materialise(self, key: str) -> Iterator[Path]:
        self.size(key)
        self._scratch.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="object-", dir=self._scratch) as folder:
            path = Path(folder) / Path(key).name
            self._client.download_file(self._bucket, key, str(path))
            yield path

    async def open_source(self, key: str, size_bytes: int) -> S3Source:
        return S3Source(self._addresses, key, size_bytes)

    def presigned_get(
        self,
        key: str,
        *,
        lifetime_seconds: int,
        content_type: str = "",
        filename: str = "",
        cache_control: str = "",
    ) -> str:
        wanted = _wanted(key, content_type, filename, cache_control)
        return self._addresses.get(wanted, lifetime_seconds=lifetime_seconds)

    async def apresigned_get(
        self,
        key: str,
        *,
        lifetime_seconds: int,
        content_type: str = "",
        filename: str = "",
        cache_control: str = "",
    ) -> str:
        wanted = _wanted(key, content_type, filename, cache_control)
        return await self._addresses.aget(wanted, lifetime_seconds=lifetime_seconds)

    def _sign(self, wanted: Wanted, lifetime_seconds: int) -> str:
        asked = {
            "ResponseContentType": wanted.content_type,
            "ResponseContentDisposition": wanted.content_disposition,
            "ResponseCacheControl": wanted.cache_control,
        }
        given = {name: value for name, value in asked.items() if value}
        try:
            return self._client.generate_presigned_url(
                "get_object",
                Params={"Bucket": self._bucket, "Key": wanted.key, **given},
                ExpiresIn=lifetime_seconds,
            )
        except BotoCoreError as error:
            raise StorageError(f"no address can be signed for the bucket: {error}") from error

    def create_multipart(self, upload_id: UUID, *, content_type: str) -> MultipartUpload:
        key = MultipartUpload(upload_id, token="").key
        answer = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=key, ContentType=content_type, ChecksumAlgorithm="SHA256"
        )
        return MultipartUpload(upload_id, token=answer["UploadId"])

    def part_target(
        self,
        upload: MultipartUpload,
        *,
        number: int,
        size_bytes: int,
        checksum_sha256: str,
        lifetime_seconds: int,
    ) -> PartTarget:
        url = self._client.generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": self._bucket,
                "Key": upload.key,
                "UploadId": upload.token,
                "PartNumber": number,
                "ContentLength": size_bytes,
                "ChecksumSHA256": checksum_sha256,
            },
            ExpiresIn=lifetime_seconds,
        )
        return PartTarget(
            url=url,
            headers={CHECKSUM_HEADER: checksum_sha256},
            expires_at=now() + timedelta(seconds=lifetime_seconds),
        )

    def list_parts(self, upload: MultipartUpload) -> list[Part]:
        pages = self._client.get_paginator("list_parts").paginate(
            Bucket=self._bucket, Key=upload.key, UploadId=upload.token
        )
        try:
            listed = [part for page in pages for part in page.get("Parts", [])]
        except ClientError as error:
            raise _upload_error(error) from error
        # SeaweedFS lists what was sent before under the same number as well: the newest holds.
        listed.sort(key=lambda part: (part["PartNumber"], part["LastModified"]))
        newest = {part["PartNumber"]: part for part in listed}
        return [
            Part(number, part["Size"], part["ETag"], part.get("ChecksumSHA256", ""))
            for number, part in newest.items()
        ]

    def complete_multipart(self, upload: MultipartUpload, parts: Sequence[Part]) -> str:
        try:
            require_same_parts(parts, self.list_parts(upload))
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=upload.key,
                UploadId=upload.token,
                MultipartUpload={"Parts": [_completed(part) for part in parts]},
            )
        except NoSuchUploadError:
            if not self.exists(upload.key):
                raise
        except ClientError as error:
            raise _upload_error(error) from error
        return upload.key

    def abort_multipart(self, upload: MultipartUpload) -> None:
        try:
            self._client.abort_multipart_upload(
                Bucket=self._bucket, Key=upload.key, UploadId=upload.token
            )
        except ClientError as error:
            if _code(error) != "NoSuchUpload":
                raise _upload_error(error) from error


def _wanted(key: str, content_type: str, filename: str, cache_control: str) -> Wanted:
    disposition = content_disposition_header(False, filename) or ""
    return Wanted(key, content_type, disposition, cache_control)


def _completed(part: Part) -> "CompletedPartTypeDef":
    completed: CompletedPartTypeDef = {"PartNumber": part.number, "ETag": part.etag}
    if part.checksum_sha256:
        completed["ChecksumSHA256"] = part.checksum_sha256
    return completed


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _upload_error(error: ClientError) -> StorageError:
    code = _code(error)
    if code == "NoSuchUpload":
        return NoSuchUploadError("This upload is not open any more.")
    if code in _BAD_PARTS:
        return PartMismatchError(f"The bucket refuses the parts: {error}")
    return StorageError(f"the bucket refuses: {error}")
