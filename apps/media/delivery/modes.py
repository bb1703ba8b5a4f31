"""The ways in which public files reach listeners, and which of them this installation can do."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.db.models import TextChoices

from apps.media.delivery.configuration import cdn, has_bucket


class DeliveryMode(TextChoices):
    """Who sends the bytes; the stable address of an episode is the same with each."""

    DIRECT = "direct", "From this server"
    REDIRECT = "redirect", "From the bucket"
    CDN = "cdn", "Through CloudFront"


def possible_modes() -> tuple[DeliveryMode, ...]:
    """What can be chosen here."""
    return tuple(mode for mode in DeliveryMode if _is_possible(mode))


@cache
def is_direct_only() -> bool:
    """Whether nobody but this server can send anything."""
    return possible_modes() == (DeliveryMode.DIRECT,)


def mode_for(choice: str) -> DeliveryMode:
    """The mode that a show's stored choice comes to here; empty means the installation's.

    What this installation can't do, or can't do any more, is done directly: a listener hears the
    episode whatever became of the settings.
    """
    return _modes().get(choice, DeliveryMode.DIRECT)


@cache
def _modes() -> Mapping[str, DeliveryMode]:
    modes = {mode.value: mode for mode in possible_modes()}
    return {**modes, "": modes.get(settings.DELIVERY, DeliveryMode.DIRECT)}


def choices_of_mode(mode: DeliveryMode) -> list[str]:
    """The stored choices that come to this mode here."""
    return [choice for choice, chosen in _modes().items() if chosen is mode]


def _is_possible(mode: DeliveryMode) -> bool:
    match mode:
        case DeliveryMode.REDIRECT:
            return has_bucket()
        case DeliveryMode.CDN:
            return cdn() is not None
    return True


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting.startswith("CDN_") or setting in {"S3_BUCKET", "DELIVERY"}:
        _modes.cache_clear()
        is_direct_only.cache_clear()


setting_changed.connect(_forget)
