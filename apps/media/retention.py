"""Which stored objects rows name, and deleting those that none does."""

import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from apps.core.clock import now
from apps.media.delivery.stale import forget_object_at_cdn
from apps.media.models import (
    Asset,
    AssetStatus,
    Image,
    Rendition,
    StrayObject,
    Upload,
    UploadStatus,
)
from apps.media.storage import MultipartUpload, storage
from apps.media.storage.disk import DiskStorage
from apps.media.storage.keys import upload_id_of

# What a running process may still be writing is younger.
LEFTOVER_AFTER = timedelta(days=1)


def hold_object(key: str) -> None:
    """Until the transaction ends, nobody else stores or deletes the object of this key.

    Keys name contents, so that two tenants with the same file share one object: without the lock
    the last owner's deletion could overtake a new owner's row. Whoever names an object in a row
    holds it before storing it; that it was a stray until now is forgotten with this.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    StrayObject.objects.filter(key=key).delete()


def named_keys(keys: Collection[str]) -> set[str]:
    """Those of these keys that a row names now."""
    named = {
        *Rendition.objects.filter(storage_key__in=keys).values_list("storage_key", flat=True),
        *Asset.objects.filter(storage_key__in=keys).values_list("storage_key", flat=True),
        *_keys_of_open_uploads(keys),
    }
    pictures = Image.objects.filter(variant_keys__has_any_keys=list(keys))
    for shown in pictures.values_list("variant_keys", flat=True):
        named.update(shown)
    return named.intersection(keys)


def _keys_of_open_uploads(keys: Iterable[str]) -> Iterator[str]:
    """An upload may be joined already while its row still waits to become an asset."""
    ids = [found for key in keys if (found := upload_id_of(key))]
    still_open = Upload.objects.filter(id__in=ids, status=UploadStatus.OPEN)
    for upload_id in still_open.values_list("id", flat=True):
        yield MultipartUpload(upload_id, "").key


def delete_unused_objects(keys: Iterable[str]) -> set[str]:
    """Delete the objects of these keys that no row names any more, and say which they were."""
    return {key for key in sorted(keys) if _delete_unused_object(key)}


@transaction.atomic
def _delete_unused_object(key: str) -> bool:
    hold_object(key)
    if named_keys([key]):
        return False
    storage().delete(key)
    forget_object_at_cdn(key)
    return True


def forget_completed_uploads() -> None:
    """Delete the rows of uploads whose file is long done, and what they may have left behind."""
    done = Upload.objects.filter(
        status=UploadStatus.COMPLETE,
        expires_at__lte=now(),
        asset__status__in=[AssetStatus.READY, AssetStatus.FAILED],
    )
    for upload in done.iterator():
        # A worker that died between its last commit and this deletion leaves the original.
        delete_unused_objects([MultipartUpload(upload.id, "").key])
        upload.delete()


def remove_leftovers() -> None:
    """Remove what killed processes left on this machine's disk."""
    oldest = time.time() - LEFTOVER_AFTER.total_seconds()
    for path in _leftovers():
        try:
            if path.lstat().st_mtime < oldest:
                _remove(path)
        except FileNotFoundError:
            continue  # its owner was faster


def _leftovers() -> Iterator[Path]:
    yield from Path(settings.SCRATCH_ROOT).glob("*")
    store = storage()
    if not isinstance(store, DiskStorage):
        return
    root = Path(settings.MEDIA_STORE_ROOT)
    yield from root.glob("originals/.incoming-*")
    yield from root.glob("*/??/.incoming-*")
    folders = store.parts_folder(UUID(int=0)).parent
    open_uploads = Upload.objects.filter(status=UploadStatus.OPEN)
    still_open = {str(upload_id) for upload_id in open_uploads.values_list("id", flat=True)}
    yield from (folder for folder in folders.glob("*") if folder.name not in still_open)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
