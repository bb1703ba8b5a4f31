"""What a stream of a list wants to be told: which rows, where, and which fields of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from rest_framework.request import Request

from api.base.filters import filter_parameters, filtered
from api.base.pagination import PAGING
from api.base.parameters import ParameterError, refuse_unknown, wanted_fields
from api.base.views import ListView
from apps.accounts.actors import Actor
from apps.live.groups import Board

type Parts = Mapping[str, UUID]
"""The ids in a list's address, by name."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows are that somebody may see: all of a show's, for instance."""

    group: str  # of the channel layer, in which changes are told
    within: tuple[tuple[str, UUID], ...]  # what narrows the rows to these
    # Downloads are told by the live board that counts them.
    board: Board | None = None


@dataclass(frozen=True)
class LiveList:
    """A list of the API that can be listened to."""

    view: type[ListView[Any]]
    # Where the actor finds the list's rows; raises Http404 or PermissionDenied as the view does.
    places: Callable[[Actor, Parts], list[Place]]
    # The rows of a place, for whoever was let in.
    rows: Callable[..., QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class RowsWish:
    """Equal wishes have equal answers, whoever asks: rights decide about places only."""

    source: LiveList
    place: Place
    fields: frozenset[str] | None
    filters: str  # as behind the question mark, in one order

    def rows(self) -> QuerySet[Any]:
        """All that match now, with what rendering them reads."""
        view = self.source.view()
        view.setup(_request(self.filters))
        rows = self.source.rows(**dict(self.place.within))
        plan = view.serializer_class.plan(self.fields)
        fetched: QuerySet[Any] = plan.fetch(filtered(view, rows))
        return fetched

    def render(self, rows: Iterable[Any]) -> dict[str, dict[str, Any]]:
        """Rows that were fetched so, by id, as the list has them."""
        found = list(rows)
        plan = self.source.view.serializer_class.plan(self.fields)
        documents = plan.render_all(found)
        return {str(row.pk): document for row, document in zip(found, documents, strict=True)}

    def rendered(self, row_ids: list[str]) -> dict[str, dict[str, Any]]:
        """Those of these rows that match now, by id."""
        return self.render(self.rows().filter(pk__in=row_ids))


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for, its places apart."""

    source: LiveList
    fields: frozenset[str] | None
    filters: str

    def wish(self, place: Place) -> RowsWish:
        """At one place."""
        return RowsWish(self.source, place, self.fields, self.filters)


def asked(source: LiveList, query: str) -> Asked:
    """Read what is behind the question mark; raises ProblemError as the list does."""
    request = _request(query)
    view = source.view()
    view.setup(request)
    for name in PAGING:
        if name in request.query_params:
            detail = "A stream has no pages and no order: ask for these when you get the list."
            raise ParameterError(name, "not_for_streams", detail)
    names = filter_parameters(view)
    refuse_unknown(request, ["fields", *names])
    fields = wanted_fields(request, source.view.serializer_class)
    filtered(view, source.view.serializer_class.model()._default_manager.none())
    chosen = QueryDict(mutable=True)
    for name in sorted(names):
        if name in request.query_params:
            chosen.setlist(name, request.query_params.getlist(name))
    return Asked(source, fields, chosen.urlencode())


def _request(query: str) -> Request:
    plain = HttpRequest()
    plain.method = "GET"
    plain.GET = QueryDict(query)
    return Request(plain)
