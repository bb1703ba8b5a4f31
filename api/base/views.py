"""What all views of the API have in common, so that none can forget it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import APIException, Throttled
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.base.conditional import entity_tag, require_match, tagged
from api.base.filters import filter_parameters, filtered
from api.base.idempotency import once_per_key
from api.base.pagination import BY_ID, PAGING, CursorPagination, Orderings
from api.base.parameters import refuse_unknown, wanted_fields
from api.base.problems import ProblemError
from api.base.rates import Asker, Spent, asker, guesser, spend
from api.base.rendering import to_json
from api.base.rows import Plan, RowSerializer
from apps.accounts.scopes import Scope

# HEAD is GET without a body (RFC 9110, 9.3.2): what holds for one holds for the other.
READING = ("GET", "HEAD")
# An answer with some of its fields is of another type, so that the usual one can promise all.
SPARSE_TYPE = "application/vnd.longwave.sparse+json"


class ApiView(APIView):
    """Rate limits with headers, entity tags on what is read, repeatable POSTs."""

    # Names that may stand behind the question mark; an address that takes more says so.
    parameters: ClassVar[tuple[str, ...]] = ()
    # What a token needs to have been given: see HasScope. None: nothing in particular.
    read_scope: ClassVar[Scope | None] = Scope.READ
    write_scope: ClassVar[Scope | None] = Scope.WRITE
    # Whether changes are made only while ``If-Match`` holds; elsewhere the header is refused.
    honours_if_match: ClassVar[bool] = False
    # Whether the answer to a POST is kept for whoever repeats it with its ``Idempotency-Key``.
    keeps_answers: ClassVar[bool] = True
    _spent: Spent | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "post" in cls.__dict__:
            cls.post = once_per_key(cls.post)  # type: ignore[attr-defined]

    def perform_authentication(self, request: Request) -> None:
        """Count the request, or refuse it with 429; guesses at tokens count for an address."""
        try:
            super().perform_authentication(request)
        except APIException:
            self._spend(guesser(request))
            raise
        self._spend(asker(request))

    def _spend(self, who: Asker) -> None:
        self._spent = spend(who)
        if self._spent is not None and not self._spent.is_allowed:
            raise Throttled(self._spent.wait_seconds)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Besides who asks, how often and whether they may: whether all that is asked is known."""
        super().initial(request, *args, **kwargs)
        # A method that is not taken is refused as such, by what comes next.
        if request.method in self.allowed_methods:
            refuse_unknown(request, self.known_parameters())
            self._refuse_unheeded_tag(request)

    def _refuse_unheeded_tag(self, request: Request) -> None:
        """Whoever sends a tag relies on it: a change that doesn't look at it must not be made."""
        is_change = request.method not in SAFE_METHODS
        if is_change and not self.honours_if_match and "If-Match" in request.headers:
            detail = "This address looks at no If-Match. Leave it out to make the change anyway."
            raise ProblemError(400, "if_match_not_supported", detail)

    def known_parameters(self) -> tuple[str, ...]:
        """Of this address and method."""
        return self.parameters

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """With the limits, and for what was read with its tag."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if self._spent is not None:
            for name, value in self._spent.headers().items():
                final[name] = value
        is_read = request.method in READING and final.status_code == 200
        if is_read and isinstance(final, Response):
            if "fields" in request.query_params:
                final.content_type = SPARSE_TYPE
            return tagged(request._request, final)
        return final


class RowsView[M: Model](GenericAPIView[M], ApiView):
    """Rows of one model: fetched as their serializer declares, whatever the view does."""

    serializer_class: type[RowSerializer[M]]
    # Where one row is, for views that make some: the route's name, and of its address the parts
    # that are this address's as well.
    row_route: ClassVar[tuple[str, ...]] = ()

    def rows(self) -> QuerySet[M]:
        """Those that the actor may read."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[M]:
        """For the OpenAPI document."""
        return self.serializer_class.model()._default_manager.none()

    def wanted_plan(self) -> Plan[M]:
        """For the fields that the request asks for."""
        return self.serializer_class.plan(wanted_fields(self.request, self.serializer_class))

    def row_answer(
        self, row_id: Any, *, status: int = 200, once: dict[str, Any] | None = None
    ) -> Response:
        """One row as it is stored now; Http404 when the actor may not read it.

        A row that was made (201) is told where it is. ``once`` is what this one answer says
        besides, such as a secret: the tag is that of the row without it.
        """
        is_read = self.request.method in READING
        plan = self.wanted_plan() if is_read else self.serializer_class.plan()
        document = self._document(plan, row_id)
        answer = Response(document | (once or {}), status=status)
        if not is_read:
            answer["ETag"] = entity_tag(to_json(document))
        if status == 201:
            answer["Location"] = self._address_of(row_id)
        if once:
            answer["Cache-Control"] = "no-store"
        return answer

    def _address_of(self, row_id: Any) -> str:
        if not self.row_route:
            raise ImproperlyConfigured(f"{type(self).__name__} makes rows: it needs a row_route.")
        name, *outer = self.row_route
        return reverse(f"api:{name}", args=[*(self.kwargs[part] for part in outer), row_id])

    def _document(self, plan: Plan[M], row_id: Any) -> dict[str, Any]:
        rendered = plan.render_all(plan.fetch(self.rows().filter(pk=row_id)))
        if not rendered:
            raise Http404("There is nothing here.")
        return rendered[0]


class ListView[M: Model](RowsView[M]):
    """A list: filtered, ordered, paged, with the fields that were asked for."""

    pagination_class = CursorPagination
    filter_backends = (DjangoFilterBackend,)  # for the OpenAPI document: see `filtered`
    orderings: ClassVar[Orderings] = BY_ID
    # Whether its address is that of a stream as well: see api.live.lists.
    is_streamed: ClassVar[bool] = False

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """What a cache has to know of an address with two kinds of answers."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if self.is_streamed:
            patch_vary_headers(final, ["Accept"])
        return final

    def known_parameters(self) -> tuple[str, ...]:
        """Paging, fields and the list's filters."""
        if self.request.method not in READING:
            return self.parameters
        return (*self.parameters, *PAGING, "fields", *filter_parameters(self))

    def get(self, request: Request, *args: Any, **parts: Any) -> Response:
        """One page."""
        plan = self.wanted_plan()
        page = self.paginate_queryset(plan.fetch(filtered(self, self.rows())))
        return self.get_paginated_response(plan.render_all(page or []))


class RowView[M: Model](RowsView[M]):
    """One row, read with its tag, and changed only as long as ``If-Match`` still holds."""

    honours_if_match = True

    def known_parameters(self) -> tuple[str, ...]:
        """The fields that are wanted."""
        fields = ("fields",) if self.request.method in READING else ()
        return (*self.parameters, *fields)

    @contextmanager
    def unchanged(self, row_id: UUID | int) -> Iterator[None]:
        """A transaction in which the row is still the one that the client has seen."""
        with transaction.atomic():
            if self.request.headers.get("If-Match"):
                model = self.serializer_class.model()
                model._base_manager.select_for_update().filter(pk=row_id).first()
                document = self._document(self.serializer_class.plan(), row_id)
                require_match(self.request._request, to_json(document))
            yield
