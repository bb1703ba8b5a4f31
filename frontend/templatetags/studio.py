"""What the studio's templates say of an episode's state."""

from dataclasses import dataclass

from django import template

from apps.core.clock import now
from apps.media.models import AssetStatus
from podcasts.models import Episode, EpisodeStatus
from podcasts.services.publishing import is_public

register = template.Library()


@dataclass(frozen=True)
class State:
    """A badge's kind and its words."""

    kind: str
    text: str


@register.filter
def state_of(episode: Episode) -> State:
    """Where the episode stands: what its audio does matters most while it is a draft."""
    if is_public(episode, now()):
        return State("published", "Published")
    if episode.status != EpisodeStatus.DRAFT:
        return State(episode.status, EpisodeStatus(episode.status).label)
    incoming = episode.incoming_audio
    if incoming is None or episode.audio_id is not None:
        return State("draft", "Draft")
    if incoming.status == AssetStatus.FAILED:
        return State("failed", "Audio failed")
    if episode.is_published_when_ready:
        return State("processing", "Publishing when ready")
    return State("processing", "Audio processing")
