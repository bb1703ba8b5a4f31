"""Downloads beyond an address's ceiling: who waits for review, and letting them count."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count

from apps.core.clock import now
from apps.downloads.models import Coverage


@dataclass(frozen=True, slots=True)
class QuarantinedAddress:
    """One address (as a keyed hash) on one day, and how much of it waits."""

    organization: UUID
    day: date
    address_key: bytes
    downloads: int
    agents: int
    shows: int
    show_ids: tuple[UUID, ...]


def waiting_for_review(
    *, organization: UUID | None = None, limit: int = 100
) -> list[QuarantinedAddress]:
    """The latest days first, then the largest."""
    rows = Coverage.objects.filter(quarantined_at__isnull=False)
    if organization is not None:
        rows = rows.filter(organization_id=organization)
    found = (
        rows.values_list("organization_id", "day", "address_key")
        .annotate(
            downloads=Count("id"),
            agents=Count("listener_key", distinct=True),
            shows=Count("show_id", distinct=True),
            show_ids=ArrayAgg("show_id", distinct=True),
        )
        .order_by("-day", "-downloads")[:limit]
    )
    return [
        QuarantinedAddress(
            organization, day, bytes(address), downloads, agents, shows, tuple(show_ids)
        )
        for organization, day, address, downloads, agents, shows, show_ids in found
    ]


def release_address(*, organization: UUID, day: date, address_key: bytes) -> int:
    """Count what waits for this address after all; how many downloads that made."""
    return Coverage.objects.filter(
        organization_id=organization,
        day=day,
        address_key=address_key,
        quarantined_at__isnull=False,
    ).update(counted_at=now(), quarantined_at=None)
