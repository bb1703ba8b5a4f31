"""Deleting what is stored: rows first, then the files that no other row names."""

import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from apps.core.clock import now
from apps.media.models import Asset, AssetStatus, Rendition, Upload, UploadStatus
from apps.media.storage import MultipartUpload, storage
from apps.media.storage.disk import DiskStorage

# What a running process may still be writing is younger.
LEFTOVER_AFTER = timedelta(days=1)


def lock_object(key: str) -> None:
    """Until the transaction ends, nobody else stores or deletes the object of this key.

    Keys name contents, so that two tenants with the same file share one object: without the lock
    the last owner's deletion could overtake a new owner's row.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


@transaction.atomic
def discard_asset(asset_id: UUID) -> None:
    """Delete a file and everything made from it; one that is gone already is no error.

    Raises django.db.models.ProtectedError while something serves it.
    """
    asset = Asset.objects.select_for_update().filter(id=asset_id).first()
    if asset is None:
        return
    keys = {asset.storage_key, *asset.renditions.values_list("storage_key", flat=True)}
    upload_id = asset.upload_id
    asset.delete()
    if upload_id:
        Upload.objects.filter(id=upload_id).delete()
    transaction.on_commit(lambda: delete_unused_objects(keys))


def delete_unused_objects(keys: Iterable[str]) -> None:
    """Delete the objects of these keys that no row names any more."""
    for key in sorted(keys):
        with transaction.atomic():
            lock_object(key)
            if not _is_used(key):
                storage().delete(key)


def _is_used(key: str) -> bool:
    return (
        Rendition.objects.filter(storage_key=key).exists()
        or Asset.objects.filter(storage_key=key).exists()
    )


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
