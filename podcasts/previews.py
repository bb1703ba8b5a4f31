"""Tokens with which the studio's own player plays an episode without being counted."""

from uuid import UUID

from django.core.signing import BadSignature, TimestampSigner

from apps.media.models import Rendition
from podcasts.models import Episode

PARAMETER = "preview"
LIFETIME_SECONDS = 6 * 3600


def preview_url(episode: Episode, rendition: Rendition) -> str:
    """Where a member's browser plays an episode, public or not; for pages of the studio only."""
    path = f"/media/{episode.id}/{episode.slug}.{rendition.extension}"
    return f"{path}?{PARAMETER}={_signer().sign(str(episode.id))}"


def is_preview_token(token: str, episode_id: UUID) -> bool:
    """Whether a token is for this episode and not older than LIFETIME_SECONDS."""
    try:
        return _signer().unsign(token, max_age=LIFETIME_SECONDS) == str(episode_id)
    except BadSignature:
        return False


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="podcasts.preview")
