"""Downloads beyond an address's ceiling: who waits for review, and letting them count."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from apps.core.clock import now
from apps.downloads import first_days, listeners, rollups, shadow
from apps.downloads.models import Download


@dataclass(frozen=True, slots=True)
class QuarantinedAddress:
    """One address (as a keyed hash) on one day, and how much of it waits."""

    organization: UUID
    day: date
    address_key: bytes
    downloads: int
    apps: int
    shows: int
    show_ids: tuple[UUID, ...]


def waiting_for_review(
    *, organization: UUID | None = None, limit: int = 100
) -> list[QuarantinedAddress]:
    """The latest days first, then the largest."""
    rows = Download.objects.filter(held_address__isnull=False)
    if organization is not None:
        rows = rows.filter(organization_id=organization)
    return _addresses(rows, ["-day", "-downloads"], limit)


def waiting_after(
    place: tuple[date, UUID, bytes] | None, *, limit: int
) -> list[QuarantinedAddress]:
    """The latest days first, then in an order that further downloads don't change.

    ``place`` is the day, organisation and address that the ones wanted come after; None: the first.
    """
    rows = Download.objects.filter(held_address__isnull=False)
    if place is not None:
        day, organization, address = place
        behind = Q(organization_id=organization, held_address__gt=address)
        same_day = Q(organization_id__gt=organization) | behind
        rows = rows.filter(Q(day__lt=day) | Q(same_day, day=day))
    return _addresses(rows, ["-day", "organization_id", "held_address"], limit)


def _addresses(
    rows: QuerySet[Download], ordering: list[str], limit: int
) -> list[QuarantinedAddress]:
    found = (
        rows.values_list("organization_id", "day", "held_address")
        .annotate(
            downloads=Count("id"),
            apps=Count("app", distinct=True),
            shows=Count("show_id", distinct=True),
            show_ids=ArrayAgg("show_id", distinct=True),
        )
        .order_by(*ordering)[:limit]
    )
    return [
        QuarantinedAddress(organization, day, bytes(address), downloads, apps, shows, tuple(ids))
        for organization, day, address, downloads, apps, shows, ids in found
    ]


@transaction.atomic
def release_address(*, organization: UUID, day: date, address_key: bytes) -> int:
    """Count what waits for this address after all; how many downloads that made."""
    shadow.wait_for_recounts()
    held = Download.objects.select_for_update().filter(
        organization_id=organization, day=day, held_address=address_key
    )
    rows = list(held.values_list("id", "show_id", "is_first_of_listener"))
    numbers = [number for number, _, _ in rows]
    Download.objects.filter(id__in=numbers).update(held_address=None, counted_at=now())
    rollups.add_downloads(numbers)
    listeners.add_to_days((organization, show, day) for _, show, is_first in rows if is_first)
    first_days.add_up_again({show for _, show, _ in rows}, changed=day)
    return len(rows)
