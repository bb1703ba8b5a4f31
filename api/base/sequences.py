"""Lists that are put in order outside the database, cut into pages as all others are."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

from rest_framework.request import Request

from api.base.pagination import CursorPagination, Orderings, bad_cursor


class Identified(Protocol):
    """What such lists hold."""

    @property
    def id(self) -> UUID:
        """Which no two share."""
        ...


class SequencePagination(CursorPagination):
    """The same parameters and links. Of the orderings' expressions only the caller makes sense."""

    def paginate[Item: Identified](
        self, request: Request, orderings: Orderings, ordered: Callable[[str], Sequence[Item]]
    ) -> list[Item]:
        """The page of what ``ordered`` gives for an ordering's name; raises ParameterError."""
        self._read(request, orderings)
        items = ordered(self._ordering)
        if self._cursor is None:
            first, end = 0, self._size
        elif self._is_backward:
            end = self._position(items)
            first = max(end - self._size, 0)
        else:
            first = self._position(items) + 1
            end = first + self._size
        self._has_more = first > 0 if self._is_backward else end < len(items)
        page = list(items[first:end])
        self._page = page
        return page

    def _position(self, items: Sequence[Identified]) -> int:
        """Where the cursor's item is now; what is gone is no place to go on from."""
        wanted = self._cursor.id if self._cursor else ""
        for number, item in enumerate(items):
            if str(item.id) == wanted:
                return number
        raise bad_cursor()

    def _place_of(self, row: Any) -> tuple[Any, Any]:
        return None, row.id
