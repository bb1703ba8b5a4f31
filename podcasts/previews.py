"""Tokens with which the studio's own player plays an episode without being counted."""

from uuid import UUID

from django.core.signing import BadSignature, TimestampSigner, b62_encode

from apps.core.clock import now
from apps.media.models import Rendition
from podcasts.models import Episode

PARAMETER = "preview"
LIFETIME_SECONDS = 6 * 3600  # at least, and at most a step more
# Addresses are the same for so long: an answer that holds one keeps its entity tag.
STEP_SECONDS = 3600


def preview_url(episode: Episode, rendition: Rendition) -> str:
    """Where a member's browser plays an episode, public or not; for pages of the studio only."""
    path = f"/media/{episode.id}/{episode.slug}.{rendition.extension}"
    return f"{path}?{PARAMETER}={_signer().sign(str(episode.id))}"


def is_preview_token(token: str, episode_id: UUID) -> bool:
    """Whether a token is for this episode and its time is not over."""
    try:
        signed = _signer().unsign(token, max_age=LIFETIME_SECONDS + STEP_SECONDS)
    except BadSignature:
        return False
    return signed == str(episode_id)


class _StepSigner(TimestampSigner):
    """Signs the beginning of the hour instead of the second."""

    def timestamp(self) -> str:
        """As Django writes it."""
        seconds = int(now().timestamp())
        return b62_encode(seconds - seconds % STEP_SECONDS)


def _signer() -> TimestampSigner:
    return _StepSigner(salt="podcasts.preview")
