"""Where media is kept: the store that the settings name."""

from functools import cache

from django.conf import settings
from django.core.signals import setting_changed

from apps.media.storage.base import (
    CHECKSUM_HEADER,
    MultipartUpload,
    NoSuchUploadError,
    ObjectMissingError,
    Part,
    PartMismatchError,
    PartTarget,
    Presigning,
    Storage,
    StorageError,
    StoredObject,
)

__all__ = [
    "CHECKSUM_HEADER",
    "MultipartUpload",
    "NoSuchUploadError",
    "ObjectMissingError",
    "Part",
    "PartMismatchError",
    "PartTarget",
    "Presigning",
    "Storage",
    "StorageError",
    "StoredObject",
    "storage",
]


@cache
def storage() -> Storage:
    """The process's store: the bucket when one is named, else the folder of media."""
    if settings.S3_BUCKET:
        from apps.media.storage.s3 import S3Storage  # boto3 takes a third of a second to load

        return S3Storage.from_settings()
    from apps.media.storage.disk import DiskStorage

    return DiskStorage(settings.MEDIA_STORE_ROOT)


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting in {"S3_BUCKET", "S3_ENDPOINT_URL", "MEDIA_STORE_ROOT"}:
        storage.cache_clear()


setting_changed.connect(_forget)
