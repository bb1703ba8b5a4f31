"""Django's system checks of what the database says about shows."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as Caution
from django.db import DEFAULT_DB_ALIAS, DatabaseError
from django.db.models import Count

from apps.media.delivery import possible_modes
from podcasts.models import Show


@register(Tags.database)
def check_stored_delivery(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Shows whose choice this installation can't do (any more), with ``check --database``."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    impossible = Show.objects.exclude(delivery__in=["", *possible_modes()])
    counted = impossible.values_list("delivery").annotate(Count("pk")).order_by("delivery")
    try:
        return [_warning(choice, count) for choice, count in counted]
    except DatabaseError:
        return []  # it is yet to be migrated


def _warning(choice: str, count: int) -> CheckMessage:
    return Caution(
        f"Shows set to the delivery mode “{choice}”, which this installation can't do: {count}.",
        hint="Their audio is sent from this server meanwhile. See docs/delivery.md.",
        id="podcasts.W001",
    )
