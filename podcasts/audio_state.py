"""The state of an episode's audio, as the API answers it and the socket sends it."""

from typing import Any

from apps.media.models import Asset, AssetStatus
from podcasts.audio import RETRYABLE_ERRORS
from podcasts.models import Episode
from podcasts.previews import preview_url


def audio_state(episode: Episode) -> dict[str, Any]:
    """What is served and what is on its way, as values that JSON can hold.

    Takes an episode from the door, with its media. For members only: it holds a preview address.
    """
    return {
        "type": "audio",
        "episode": str(episode.id),
        "status": _status(episode),
        "incoming": _incoming(episode.incoming_audio) if episode.incoming_audio else None,
        "audio": _current(episode, episode.audio) if episode.audio else None,
    }


def _status(episode: Episode) -> str:
    """Of the newer file; ``empty`` when there is none at all."""
    newest = episode.incoming_audio or episode.audio
    return newest.status if newest else "empty"


def _incoming(asset: Asset) -> dict[str, Any]:
    has_failed = asset.status == AssetStatus.FAILED
    return {
        "asset": str(asset.id),
        "filename": asset.filename,
        "size_bytes": asset.size_bytes,
        "status": asset.status,
        "stage": asset.stage,
        "progress": asset.progress,
        "error": {
            "code": asset.error_code,
            "message": asset.error_message,
            "can_retry": asset.error_code in RETRYABLE_ERRORS,
        }
        if has_failed
        else None,
    }


def _current(episode: Episode, asset: Asset) -> dict[str, Any] | None:
    rendition = asset.rendition
    if rendition is None:
        return None
    return {
        "asset": str(asset.id),
        "filename": asset.filename,
        "title": asset.title,
        "has_artwork": asset.artwork_id is not None,
        "chapter_count": len(asset.chapters),
        "notices": asset.notices,
        "content_type": rendition.content_type,
        "extension": rendition.extension,
        "codec": rendition.codec,
        "size_bytes": rendition.size_bytes,
        "header_bytes": rendition.header_bytes,
        "duration_ms": rendition.duration_ms,
        "bitrate_bps": rendition.bitrate_bps,
        "sha256": rendition.sha256,
        "preview_url": preview_url(episode, rendition),
    }
