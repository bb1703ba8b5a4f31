"""Preparing an uploaded original: checked, measured, encoded if need be, stored as a rendition."""

import errno
import logging
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.core.clock import now
from apps.core.hashing import sha256_of_file
from apps.media import claims
from apps.media.claims import Claim, ClaimLostError, OnEnd, OnProgress
from apps.media.encoding import make_playable, playable_extension
from apps.media.image_store import store_image
from apps.media.models import Asset, AssetStatus, Image, Rendition
from apps.media.probing import Handling, Probe, probe
from apps.media.refusals import MediaError
from apps.media.retention import delete_unused_objects, hold_object
from apps.media.storage import ObjectMissingError, storage
from apps.media.tags import Tags

logger = logging.getLogger(__name__)

CHECKING = "Checking the file"
ENCODING = "Encoding to MP3"
REPACKING = "Making it start faster"
SAVING = "Saving"
# Where each stage begins and ends on the scale of the whole.
_CHECKED, _ENCODED, _PREPARED = 25, 80, 90


@dataclass(frozen=True, slots=True)
class _Playable:
    """A file that can be served, and the facts about it."""

    path: Path
    facts: Probe
    sha256: str

    @property
    def key(self) -> str:
        return f"renditions/{self.sha256[:2]}/{self.sha256}.{self.facts.extension}"


def process_asset(
    asset_id: UUID, *, on_progress: OnProgress, on_ready: OnEnd, on_failed: OnEnd | None = None
) -> bool:
    """Make an asset ready or failed; False when another attempt should be made later.

    ``on_ready`` or ``on_failed`` is called in the transaction that makes it so. A second run of a
    finished asset changes nothing; while somebody else has it, nobody knows yet whether that
    attempt will end.
    """
    claim = claims.claim(asset_id, on_progress)
    if claim is None:
        return not claims.is_taken(asset_id)
    try:
        with claim:
            _process(claim, on_ready)
    except ClaimLostError:
        logger.info("Asset %s was cancelled or given to another worker", asset_id)
    except MediaError as error:
        claims.fail(claim.rows(), error.code, error.message, on_failed)
    except Exception as error:
        logger.exception("Attempt %s at asset %s failed", claim.attempt, asset_id)
        if claims.release(claim):
            return False
        claims.fail(claim.rows(), *_reason(error), on_failed)
    return True


def _reason(error: Exception) -> tuple[str, str]:
    if isinstance(error, ObjectMissingError):
        return "lost", "The uploaded file is not in the store any more. Upload it again."
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "no-room", (
            "The server’s disk is full, so the file could not be prepared. Try again once whoever "
            "runs this installation has freed some space."
        )
    return "internal", (
        "Something on the server failed while the file was prepared; the file itself may be fine. "
        "Try again in a few minutes."
    )


def _process(claim: Claim, on_ready: OnEnd) -> None:
    asset = Asset.objects.select_related("organization").get(id=claim.asset_id)
    settings.SCRATCH_ROOT.mkdir(parents=True, exist_ok=True)
    with (
        storage().materialise(asset.storage_key) as original,
        tempfile.TemporaryDirectory(prefix="audio-", dir=settings.SCRATCH_ROOT) as folder,
    ):
        claim.report(CHECKING, 1)
        asset.sha256 = sha256_of_file(original)
        facts = probe(original, on_progress=_part(claim, CHECKING, 5, _CHECKED))
        playable = _playable(claim, original, asset.sha256, facts, Path(folder))
        claim.report(SAVING, _PREPARED)
        storage().put(playable.path, playable.key, content_type=playable.facts.content_type)
        asset.artwork = _embedded_picture(asset, facts.tags)
        _finish(claim, asset, facts, playable, on_ready)


def _playable(claim: Claim, original: Path, sha256: str, facts: Probe, folder: Path) -> _Playable:
    """The original itself where apps can play it, else a file made from it, measured likewise."""
    if facts.handling is Handling.SERVE:
        return _Playable(original, facts, sha256)
    stage = ENCODING if facts.handling is Handling.ENCODE else REPACKING
    made = folder / f"playable.{playable_extension(facts)}"
    make_playable(original, made, facts, on_progress=_part(claim, stage, _CHECKED, _ENCODED))
    made_facts = probe(made, on_progress=_part(claim, stage, _ENCODED, _PREPARED))
    return _Playable(made, made_facts, sha256_of_file(made))


def _part(claim: Claim, stage: str, start: int, stop: int) -> Callable[[int], None]:
    """Reports the percent of one piece of work on the scale of the whole."""
    return lambda done: claim.report(stage, start + done * (stop - start) // 100)


def _embedded_picture(asset: Asset, tags: Tags) -> Image | None:
    """The cover inside the file, if it would do as artwork; a proposal, shown to nobody else."""
    if tags.artwork is None:
        return None
    try:
        return store_image(organization_id=asset.organization_id, content=tags.artwork.data)
    except ValidationError:
        return None


@transaction.atomic
def _finish(
    claim: Claim,
    asset: Asset,
    facts: Probe,
    playable: _Playable,
    on_ready: OnEnd,
) -> None:
    """All or nothing: the rendition's row, the asset's end, and what waits for it."""
    claim.locked_asset()
    hold_object(playable.key)
    # The last other owner of equal bytes may have deleted them a moment ago.
    storage().put(playable.path, playable.key, content_type=playable.facts.content_type)
    _record_rendition(asset, playable)
    asset.status = AssetStatus.READY
    asset.progress, asset.stage = 100, ""
    asset.attempts = claim.attempt
    asset.title = facts.tags.title
    asset.chapters = [asdict(chapter) for chapter in facts.chapters]
    asset.notices = list(facts.notices)
    asset.processed_at = asset.heartbeat_at = now()
    original_key = asset.storage_key
    if playable.sha256 == asset.sha256:
        asset.storage_key = playable.key  # equal bytes are kept once
    asset.save()
    if original_key != asset.storage_key:
        transaction.on_commit(lambda: delete_unused_objects([original_key]))
    on_ready(asset)


def _record_rendition(asset: Asset, playable: _Playable) -> None:
    facts = playable.facts
    Rendition.objects.update_or_create(
        asset=asset,
        sha256=playable.sha256,
        defaults={
            "storage_key": playable.key,
            "content_type": facts.content_type,
            "extension": facts.extension,
            "codec": facts.codec,
            "size_bytes": facts.size_bytes,
            "header_bytes": facts.header_bytes,
            "duration_ms": facts.duration_ms,
            "bitrate_bps": facts.bitrate_bps,
        },
    )
