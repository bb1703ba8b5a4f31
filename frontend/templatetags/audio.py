"""What the audio panel of an episode begins with, before its script takes over."""

from typing import Any

from django import template
from django.conf import settings

from podcasts.audio_state import audio_state
from podcasts.models import Episode

register = template.Library()


@register.simple_tag(name="audio_state")
def state_of_audio(episode: Episode) -> dict[str, Any]:
    """The same facts that the socket sends."""
    return audio_state(episode)


@register.simple_tag
def largest_upload() -> int:
    """Bytes that one file may have."""
    return int(settings.MAX_UPLOAD_BYTES)


@register.filter
def kilobits(bits_per_second: int) -> str:
    """A bitrate as people know it: ``128 kbit/s``."""
    return f"{bits_per_second / 1000:.0f} kbit/s"
