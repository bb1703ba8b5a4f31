"""Django's system checks of what the settings say about delivery."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage
from django.core.checks import Warning as Caution

from apps.media.delivery.configuration import CdnWay, cdn, cdn_problem, proxy_problem
from apps.media.delivery.modes import DeliveryMode, possible_modes


def check_delivery(**kwargs: Any) -> list[CheckMessage]:
    """To be registered with Django's checks.

    Warnings only: episodes are sent from here meanwhile, and must not stop for a setting.
    """
    return [*_check_mode(), *_check_cdn()]


def _check_mode() -> Iterator[CheckMessage]:
    if settings.DELIVERY not in DeliveryMode.values:
        yield Caution(
            f"LONGWAVE_DELIVERY is “{settings.DELIVERY}”, which is no mode: files are sent from "
            "this server.",
            hint=f"Use one of {', '.join(DeliveryMode.values)}.",
            id="media.W011",
        )
    elif settings.DELIVERY not in possible_modes():
        yield Caution(
            f"This installation can't do LONGWAVE_DELIVERY={settings.DELIVERY}: files are sent "
            "from this server.",
            hint="See docs/delivery.md for the settings that it takes.",
            id="media.W012",
        )


def _check_cdn() -> Iterator[CheckMessage]:
    if problem := cdn_problem():
        yield Caution(
            problem, hint="CloudFront is not used: see docs/delivery.md.", id="media.W013"
        )
    if problem := proxy_problem():
        yield Caution(
            problem,
            hint="What CloudFront tells of listeners is not believed: see docs/delivery.md.",
            id="media.W016",
        )
    usable = cdn()
    if usable is None:
        return
    if usable.way is CdnWay.SIGNED and settings.CDN_ORIGIN_SECRETS:
        yield Caution(
            "The CDN has a key pair, so that LONGWAVE_CDN_ORIGIN_SECRET is not used.",
            hint="Remove the secret, or the key pair if the CDN is to read this server.",
            id="media.W014",
        )
    if usable.way is CdnWay.PUBLIC and not settings.CDN_DISTRIBUTION:
        yield Caution(
            "The CDN can't be told to forget what was unpublished: it keeps it for up to "
            f"{settings.CDN_MAX_AGE_SECONDS} seconds.",
            hint="Name the distribution in LONGWAVE_CDN_DISTRIBUTION.",
            id="media.W015",
        )
