"""What waits for review, in words: the rows of the staff's table."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from apps.accounts.access import organizations_for_platform
from apps.downloads.quarantine import waiting_for_review
from podcasts.access import shows_for_platform

_GONE = "(deleted)"


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One address on one day; ``address_key`` tells it from others and says nothing of it."""

    organization_id: UUID
    organization: str
    shows: str
    day: date
    address_key: str
    downloads: int
    apps: int


def waiting_rows(*, limit: int = 100) -> list[WaitingRow]:
    """The latest days first; three queries, however many rows."""
    found = waiting_for_review(limit=limit)
    organizations = organizations_for_platform({row.organization for row in found})
    shows = shows_for_platform({show_id for row in found for show_id in row.show_ids})
    return [
        WaitingRow(
            organization_id=row.organization,
            organization=str(organizations.get(row.organization, _GONE)),
            shows=", ".join(sorted(str(shows.get(show_id, _GONE)) for show_id in row.show_ids)),
            day=row.day,
            address_key=row.address_key.hex(),
            downloads=row.downloads,
            apps=row.apps,
        )
        for row in found
    ]
