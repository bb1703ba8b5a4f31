"""How lists are cut into pages: after the last row that was seen, so that none shifts or repeats.

A cursor names a row by the value that the list is ordered by and by its id, which no two share.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from api.base.parameters import ParameterError, refuse_empty
from apps.core.clock import in_utc

PAGING = ("cursor", "page_size", "ordering")
DEFAULT_SIZE = 50
LARGEST_SIZE = 200
_MOST_DIGITS = 9  # leading zeros included: Python refuses to read thousands
_SORT = "_sort"
# What reading a cursor that somebody made up may raise: binascii's errors are ValueErrors.
_UNREADABLE = (
    ValidationError,
    ValueError,
    TypeError,
    OverflowError,
    RecursionError,
    msgspec.MsgspecError,
)


@dataclass(frozen=True, slots=True)
class Orderings:
    """What a list can be ordered by: names and expressions that are never NULL."""

    default: str  # with a minus for descending
    expressions: dict[str, Combinable | str]

    def names(self) -> list[str]:
        """All that ``?ordering=`` takes."""
        return [sign + name for name in self.expressions for sign in ("", "-")]


BY_ID = Orderings("-id", {"id": F("pk")})


class _Cursor(msgspec.Struct, array_like=True):
    """Where a page begins: behind this row, in the list's direction or against it."""

    ordering: str
    is_backward: bool
    value: msgspec.Raw
    id: str


def cursor_in[C: msgspec.Struct](request: Request, kind: type[C]) -> C | None:
    """What ``?cursor=`` says, if it is there; ParameterError for what no link of ours had."""
    refuse_empty(request, ["cursor"])  # a script that lost its place would begin again and again
    text = request.query_params.get("cursor")
    if text is None:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        document = base64.urlsafe_b64decode(padded.encode())
        return msgspec.json.decode(document, type=kind)
    except _UNREADABLE as error:
        raise bad_cursor() from error


def page_address(address: str, cursor: msgspec.Struct) -> str:
    """The same list from this place on."""
    text = base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")
    return replace_query_param(address, "cursor", text)


def address_of(request: Request) -> str:
    """Where the request was sent, as the installation calls itself: a Host may say anything."""
    return settings.BASE_URL + request.get_full_path()


def bad_cursor() -> ParameterError:
    """For a cursor that no link of ours had."""
    return ParameterError(
        "cursor", "invalid_cursor", "This cursor is none of ours. Begin with the first page."
    )


class CursorPagination(BasePagination):
    """``?page_size=`` to 200, ``?ordering=`` as the list allows, ``?cursor=`` from a link."""

    def paginate_queryset(  # type: ignore[override]  # only what can be ordered
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """The rows of the page; raises ParameterError."""
        return self.paginate_merged([queryset], request, view)

    def paginate_merged(
        self, querysets: Sequence[QuerySet[Any]], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """A page of the rows of several models as one list, one query for each.

        What they are ordered by compares here as in the database: times do, texts do not.
        """
        orderings: Orderings = getattr(view, "orderings", BY_ID)
        self._read(request, orderings)
        reached = [
            self._after(rows.annotate(**{_SORT: self._expression(orderings)}))[: self._size + 1]
            for rows in querysets
        ]
        found = list(merge(*reached, key=_place, reverse=self._is_descending))
        self._has_more = len(found) > self._size
        del found[self._size :]
        self._page = found[::-1] if self._is_backward else found
        return self._page

    def _read(self, request: Request, orderings: Orderings) -> None:
        """What the address asks for."""
        self._address = address_of(request)
        self._cursor = cursor_in(request, _Cursor)
        self._ordering = _ordering_of(request, orderings, self._cursor)
        self._size = page_size_of(request)

    @property
    def _is_backward(self) -> bool:
        return self._cursor is not None and self._cursor.is_backward

    @property
    def _is_descending(self) -> bool:
        """As the page is read, which is not how it is shown when it is read backward."""
        return self._ordering.startswith("-") is not self._is_backward

    def _expression(self, orderings: Orderings) -> Combinable:
        expression = orderings.expressions[self._ordering.removeprefix("-")]
        return F(expression) if isinstance(expression, str) else expression

    def _after(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Ordered as the page is read, beginning behind the cursor's row."""
        sign, compare = ("-", "lt") if self._is_descending else ("", "gt")
        ordered = rows.order_by(sign + _SORT, sign + "pk")
        if self._cursor is None:
            return ordered
        value, key = _position(self._cursor, rows)
        # The first condition says nothing new, but it is the one that an index answers.
        return ordered.filter(
            Q(**{f"{_SORT}__{compare}e": value}),
            Q(**{f"{_SORT}__{compare}": value}) | Q(**{_SORT: value, f"pk__{compare}": key}),
        )

    def _place_of(self, row: Any) -> tuple[Any, Any]:
        """By what a cursor names a row: what the list is ordered by, and an id."""
        return _place(row)

    def _link(self, row: Any, *, is_backward: bool) -> str | None:
        if row is None:
            return None
        value, key = self._place_of(row)
        found = msgspec.Raw(msgspec.json.encode(value))
        cursor = _Cursor(self._ordering, is_backward, found, str(key))
        return page_address(self._address, cursor)

    def next_link(self) -> str | None:
        """The page behind this one, if there is any."""
        has_next = self._is_backward or self._has_more
        if not self._page:
            # All rows before the cursor's are gone: what follows is the list from its beginning.
            return remove_query_param(self._address, "cursor") if self._is_backward else None
        return self._link(self._page[-1] if has_next else None, is_backward=False)

    def previous_link(self) -> str | None:
        """The page in front of this one, if there is any."""
        has_previous = self._has_more if self._is_backward else self._cursor is not None
        return self._link(self._page[0] if self._page and has_previous else None, is_backward=True)

    def get_paginated_response(self, data: Any) -> Response:
        """Addresses of the neighbours, and the rows."""
        return Response(
            {"next": self.next_link(), "previous": self.previous_link(), "results": data}
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """For the OpenAPI document."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """For the OpenAPI document."""
        orderings: Orderings = getattr(view, "orderings", BY_ID)
        size = {"type": "integer", "minimum": 1, "maximum": LARGEST_SIZE, "default": DEFAULT_SIZE}
        ordering = {"type": "string", "enum": orderings.names(), "default": orderings.default}
        return [
            _parameter(
                "cursor", {"type": "string", "minLength": 1}, "Where the page begins: from a link."
            ),
            _parameter("page_size", size, "How many rows at most."),
            _parameter("ordering", ordering, "What comes first; a minus turns it around."),
        ]


def _place(row: Any) -> tuple[Any, Any]:
    return row._sort, row.pk


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }


def page_size_of(request: Request) -> int:
    """How many rows ``?page_size=`` asks for; raises ParameterError."""
    text = request.query_params.get("page_size", str(DEFAULT_SIZE))
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not (is_number and 1 <= int(text) <= LARGEST_SIZE):
        message = f"A page has 1 to {LARGEST_SIZE} rows."
        raise ParameterError("page_size", "invalid", message)
    return int(text)


def _ordering_of(request: Request, orderings: Orderings, cursor: _Cursor | None) -> str:
    """A cursor goes with the ordering that it was made for."""
    made_for = cursor.ordering if cursor else orderings.default
    wanted = request.query_params.get("ordering", made_for)
    if wanted not in orderings.names():
        message = "This list can be ordered by " + ", ".join(orderings.names()) + "."
        raise ParameterError("ordering", "invalid_choice", message)
    if cursor is not None and cursor.ordering != wanted:
        raise bad_cursor()
    return wanted


def _position(cursor: _Cursor, rows: QuerySet[Any]) -> tuple[Any, Any]:
    """The row's values as the database compares them."""
    field = rows.query.annotations[_SORT].output_field
    try:
        value = field.to_python(msgspec.json.decode(cursor.value))
        if isinstance(value, datetime):
            value = in_utc(value)
        key = rows.model._meta.pk.to_python(cursor.id)
    except _UNREADABLE as error:
        raise bad_cursor() from error
    for part in (value, key):
        if part is None or (isinstance(part, str) and "\0" in part):
            raise bad_cursor()
    return value, key
