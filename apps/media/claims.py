"""Who works on an asset: taken by one worker at a time, given to another when it falls silent."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from apps.core.clock import now
from apps.media.models import Asset, AssetStatus

MAX_ATTEMPTS = 3
BEAT_SECONDS = 5.0
# Several beats: one that is late is no death.
SILENT_AFTER = timedelta(seconds=20)
# A queue may be long; asking again for what only waits is harmless but useless.
FORGOTTEN_AFTER = timedelta(minutes=5)
REPORTS_PER_SECOND = 4

type OnProgress = Callable[[str, int], None]
"""Told the stage in words and the percentage of the whole."""


type OnEnd = Callable[[Asset], None]
"""Told of an asset in the transaction that makes it ready or failed."""


class ClaimLostError(Exception):
    """Somebody else has the asset now, or it was cancelled: stop, and change nothing."""


@dataclass(slots=True)
class Claim:
    """One attempt at one asset; its number tells it from an earlier worker that wakes up again."""

    asset_id: UUID
    attempt: int
    on_progress: OnProgress
    _told: tuple[str, int] = ("", 0)
    _told_at: float = 0.0
    _ended: threading.Event = field(default_factory=threading.Event)
    _beating: threading.Thread | None = None

    def rows(self) -> QuerySet[Asset]:
        """The asset while this claim holds, else nothing."""
        return Asset.objects.filter(
            id=self.asset_id, status=AssetStatus.PROCESSING, attempts=self.attempt
        )

    def locked_asset(self) -> Asset:
        """The asset, locked until the transaction ends; raises ClaimLostError."""
        asset = self.rows().select_for_update().first()
        if asset is None:
            raise ClaimLostError(self.asset_id)
        return asset

    def report(self, stage: str, percent: int) -> None:
        """Say how far the work is, at most a few times a second; raises ClaimLostError."""
        percent = min(max(percent, 0), 99)
        is_new_stage = stage != self._told[0]
        wait = self._told_at + 1 / REPORTS_PER_SECOND - time.monotonic()
        if (stage, percent) == self._told or (wait > 0 and not is_new_stage):
            return
        if not self.rows().update(stage=stage, progress=percent, heartbeat_at=now()):
            raise ClaimLostError(self.asset_id)
        self._told, self._told_at = (stage, percent), time.monotonic()
        self.on_progress(stage, percent)

    def __enter__(self) -> Self:
        """Beat in a thread: hashing, copying and decoding may be silent for long."""
        self._beating = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._beating.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        if self._beating is not None:
            self._beating.join()

    def _beat(self) -> None:
        try:
            while not self._ended.wait(BEAT_SECONDS):
                self.rows().update(heartbeat_at=now())
        finally:
            connection.close()  # this thread's own


@transaction.atomic
def claim(asset_id: UUID, on_progress: OnProgress) -> Claim | None:
    """Take an asset that waits, or whose worker fell silent; None when there is nothing to do."""
    asset = Asset.objects.select_for_update().filter(id=asset_id).first()
    if asset is None or not _is_free(asset, now()):
        return None
    asset.status = AssetStatus.PROCESSING
    asset.attempts += 1
    asset.heartbeat_at = now()
    asset.stage, asset.progress = "", 0
    asset.error_code = asset.error_message = ""
    asset.save()
    return Claim(asset.id, asset.attempts, on_progress)


def is_taken(asset_id: UUID) -> bool:
    """Whether somebody works on the asset, or did until a moment ago."""
    return Asset.objects.filter(id=asset_id, status=AssetStatus.PROCESSING).exists()


def _is_free(asset: Asset, at: datetime) -> bool:
    if asset.is_finished or asset.attempts >= MAX_ATTEMPTS:
        return False
    return asset.status == AssetStatus.PENDING or asset.heartbeat_at < at - SILENT_AFTER


def stalled(at: datetime) -> QuerySet[Asset]:
    """The unfinished assets that nobody works on although somebody should."""
    return Asset.objects.filter(
        Q(status=AssetStatus.PROCESSING, heartbeat_at__lt=at - SILENT_AFTER)
        | Q(status=AssetStatus.PENDING, heartbeat_at__lt=at - FORGOTTEN_AFTER)
    )


def release(claim: Claim) -> bool:
    """Let another attempt be made; False when this was the last one (or the claim was lost)."""
    if claim.attempt >= MAX_ATTEMPTS:
        return False
    released = claim.rows().update(status=AssetStatus.PENDING, heartbeat_at=now())
    return bool(released)


@transaction.atomic
def fail(assets: QuerySet[Asset], code: str, message: str, on_failed: OnEnd | None = None) -> bool:
    """End the asset badly, with a sentence for the person; False when it is not there.

    ``on_failed`` is called in the transaction that ends it.
    """
    asset = assets.select_for_update().first()
    if asset is None:
        return False
    asset.status = AssetStatus.FAILED
    asset.error_code, asset.error_message = code, message
    asset.stage = ""
    asset.processed_at = asset.heartbeat_at = now()
    asset.save(
        update_fields=[
            "status",
            "error_code",
            "error_message",
            "stage",
            "processed_at",
            "heartbeat_at",
        ]
    )
    if on_failed is not None:
        on_failed(asset)
    return True


def cancel(asset_id: UUID) -> None:
    """End an unfinished asset because another file was chosen; its worker stops by itself."""
    unfinished = [AssetStatus.PENDING, AssetStatus.PROCESSING]
    fail(
        Asset.objects.filter(id=asset_id, status__in=unfinished),
        "cancelled",
        "Preparing this file was cancelled.",
    )


def restart(asset: Asset) -> None:
    """Give a failed asset its attempts back."""
    asset.status = AssetStatus.PENDING
    asset.attempts = asset.progress = 0
    asset.stage = asset.error_code = asset.error_message = ""
    asset.heartbeat_at = now()
    asset.processed_at = None
    asset.save()
