"""Adding up why responses were dropped."""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from apps.downloads.batch import DropKey

# Repeated reports of a dropped response come within seconds of each other.
REMEMBERED_DROPS = 50_000


class Tallied:
    """The responses that were tallied last, not to be tallied again."""

    def __init__(self) -> None:
        self._responses: OrderedDict[UUID, None] = OrderedDict()

    def __contains__(self, response: object) -> bool:
        return response in self._responses

    def add(self, responses: Iterable[UUID]) -> None:
        """Only after the commit: what was rolled back comes again and has to be tallied."""
        self._responses.update(dict.fromkeys(responses))
        while len(self._responses) > REMEMBERED_DROPS:
            self._responses.popitem(last=False)


_TALLY = """
INSERT INTO downloads_droptally AS tally (
    day, organization_id, show_id, episode_id, reason, count
)
{added}
ON CONFLICT (show_id, day, episode_id, reason) DO UPDATE SET count = tally.count + excluded.count
"""
_GIVEN = """
SELECT * FROM unnest(%s::date[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::bigint[])
"""
# In the order of `tally`, lest two that add at once wait for each other.
_STORED = """
SELECT day, organization_id, show_id, episode_id, reason, count FROM {table}
ORDER BY concat_ws(' ', day, coalesce(organization_id::text, 'None'),
    coalesce(show_id::text, 'None'), coalesce(episode_id::text, 'None'), reason) COLLATE "C"
"""


def tally(drops: Counter[DropKey]) -> None:
    """Add what was dropped; exact because the stream's position moves in the same transaction."""
    if not drops:
        return
    ordered = sorted(drops.items(), key=lambda item: tuple(map(str, item[0])))
    rows = [(*key[:-1], str(key.reason), count) for key, count in ordered]
    with connection.cursor() as cursor:
        cursor.execute(
            _TALLY.format(added=_GIVEN), [list(column) for column in zip(*rows, strict=True)]
        )


def tally_from(table: str) -> None:
    """Add what another table like that of tallies holds."""
    with connection.cursor() as cursor:
        cursor.execute(_TALLY.format(added=_STORED.format(table=table)))
