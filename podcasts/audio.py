"""An episode's audio file: received, prepared by a worker, served once it is ready."""

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from apps.core.clock import now
from apps.media import claims
from apps.media.models import Asset, AssetStatus
from apps.media.processing import process_asset
from podcasts.audio_progress import announce_change, announce_progress
from podcasts.models import Episode
from podcasts.services.changes import tell_lists, tell_lists_of_ids
from podcasts.services.episodes import attach_audio
from podcasts.services.telling import tell_processed

# Of ours, not of the file itself: another attempt at the same bytes may end otherwise.
RETRYABLE_ERRORS = frozenset({"interrupted", "internal", "no-room", "cancelled"})


class AudioRefusedError(Exception):
    """This file can't become the episode's audio: a code, and a sentence for the person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@transaction.atomic
def receive_audio(*, episode: Episode, asset: Asset) -> None:
    """Make an uploaded file the episode's next audio and have it prepared.

    What is served until now is served until the new file is ready. May be repeated. Raises
    AudioRefusedError for a file of another organisation and for one that is known to be no use.
    """
    # In the order in which a worker that finishes takes them: asset, then episode.
    asset = Asset.objects.select_for_update().get(id=asset.id)
    episode = Episode.objects.select_for_update().get(id=episode.id)
    _refuse_useless(episode, asset)
    if episode.audio_id == asset.id:
        return
    if asset.status == AssetStatus.FAILED:
        claims.restart(asset)
    replaced_id, episode.incoming_audio = episode.incoming_audio_id, asset
    episode.save(update_fields=["incoming_audio"])
    if replaced_id not in (None, asset.id):
        _cancel_on_commit(replaced_id)
    if asset.status == AssetStatus.READY:
        _serve(asset)
    else:
        _queue(asset.id)
    tell_lists([episode])
    _announce_on_commit([episode.id])


def _refuse_useless(episode: Episode, asset: Asset) -> None:
    if asset.organization_id != episode.organization_id:
        raise AudioRefusedError("not_found", "There is no such file.")
    if asset.status == AssetStatus.FAILED and asset.error_code not in RETRYABLE_ERRORS:
        raise AudioRefusedError("audio_failed", asset.error_message)


@transaction.atomic
def dismiss_incoming(*, episode: Episode) -> None:
    """Forget the file that is being prepared or that failed; what is served stays."""
    episode = Episode.objects.select_for_update().get(id=episode.id)
    asset_id, episode.incoming_audio = episode.incoming_audio_id, None
    if asset_id is None:
        return
    # Without a file on its way, nothing would ever fulfil the wish to publish.
    episode.is_published_when_ready = False
    episode.save(update_fields=["incoming_audio", "is_published_when_ready"])
    _cancel_on_commit(asset_id)
    tell_lists([episode])
    _announce_on_commit([episode.id])


def _cancel_on_commit(asset_id: UUID) -> None:
    def cancel() -> None:
        if not _expecting(asset_id):
            claims.cancel(asset_id)

    transaction.on_commit(cancel, robust=True)


def process_incoming(asset_id: UUID) -> bool:
    """Prepare a file and serve it; False when another attempt should follow later.

    May run twice, also at the same time: only one attempt at a time gets the file. When the row
    is gone, or the file is finished, there is nothing to do.
    """
    episode_ids = _expecting(asset_id)

    def tell(stage: str, percent: int) -> None:
        announce_progress(episode_ids, asset_id, stage, percent)

    is_settled = process_asset(asset_id, on_progress=tell, on_ready=_ready, on_failed=_failed)
    _announce([*episode_ids, *_expecting(asset_id)])
    return is_settled


def _expecting(asset_id: UUID) -> list[UUID]:
    return list(Episode.objects.filter(incoming_audio_id=asset_id).values_list("id", flat=True))


def _ready(asset: Asset) -> None:
    episode_ids = _expecting(asset.id)
    _serve(asset)
    tell_processed(asset, episode_ids)


def _failed(asset: Asset) -> None:
    tell_processed(asset, _expecting(asset.id))


def _serve(asset: Asset) -> None:
    """In the transaction that makes the file ready: give it to every episode that waits for it."""
    for episode in Episode.objects.select_for_update().filter(incoming_audio=asset).order_by("id"):
        # Players are in the middle of what it replaces: its time of grace begins now.
        if episode.audio_id:
            Asset.objects.filter(id=episode.audio_id).update(unused_since=now())
        attach_audio(episode=episode, asset=asset)


def recover_stalled() -> int:
    """Give files whose worker fell silent to another; end those that used up their attempts."""
    expected = Episode.objects.filter(incoming_audio_id=OuterRef("id"))
    stalled = claims.stalled(now()).filter(Exists(expected))
    count = 0
    for asset in stalled.iterator():
        count += 1
        if asset.attempts < claims.MAX_ATTEMPTS:
            _queue(asset.id)
        else:
            _give_up(Asset.objects.filter(id=asset.id, attempts=asset.attempts))
            _announce(_expecting(asset.id))
    return count


def _give_up(assets: QuerySet[Asset]) -> None:
    claims.fail(
        assets.exclude(status__in=[AssetStatus.READY, AssetStatus.FAILED]),
        "interrupted",
        f"Preparing this file was interrupted {claims.MAX_ATTEMPTS} times, by a restart of the "
        "server or by something in the file. Try again, or choose another file.",
        _failed,
    )


def _queue(asset_id: UUID) -> None:
    from podcasts.audio_tasks import process_audio  # the task calls this module

    # The file is saved: when no queue takes the job, recover_stalled finds the file waiting.
    transaction.on_commit(lambda: process_audio.delay(str(asset_id)), robust=True)


def _announce_on_commit(episode_ids: list[UUID]) -> None:
    transaction.on_commit(lambda: announce_change(episode_ids))


def _announce(episode_ids: list[UUID]) -> None:
    """Of preparation that ended: to their own pages and to lists."""
    announce_change(episode_ids)
    tell_lists_of_ids(episode_ids)
