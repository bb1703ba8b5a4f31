"""What all of the admin's pages have in common: they only show, and no table is too large."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ModelAdmin, ShowFacets
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import connection, models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

COUNTED_ROWS = 10_000
"""Further than this nobody counts, nor turns pages: the planner's estimate is shown."""


class EstimatingPaginator(Paginator[Any]):
    """Knows about how many rows there are at a cost that doesn't grow with them."""

    @cached_property
    def count(self) -> int:
        """Exact up to COUNTED_ROWS."""
        rows: Any = self.object_list
        counted: int = rows.order_by()[: COUNTED_ROWS + 1].count()
        if counted <= COUNTED_ROWS:
            return counted
        return max(counted, _estimate(rows.order_by()))

    @cached_property
    def num_pages(self) -> int:
        """A page far behind would read all that is in front of it: filters lead there."""
        return -(-min(max(self.count, 1), COUNTED_ROWS) // self.per_page)


def _estimate(rows: QuerySet[Any]) -> int:
    sql, params = rows.values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        [[plan]] = cursor.fetchall()
    return int(plan[0]["Plan"]["Plan Rows"])


class StaffAdmin[M: models.Model](ModelAdmin[M]):
    """A model to look at. Services make changes, with their rules: here some are actions."""

    only_shows: ClassVar[bool] = True
    paginator = EstimatingPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each would count the whole table
    list_per_page = 50
    list_max_show_all = 200
    # The name of the list in which the platform's staff hear of changes; "" for none.
    live_list: ClassVar[str] = ""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever got past the site's door."""
        return self.admin_site.has_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever got past the site's door."""
        return self.admin_site.has_permission(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """With where to hear of changes."""
        stream = f"/api/v1/platform/live/{self.live_list}" if self.live_list else ""
        return super().changelist_view(  # type: ignore[return-value]  # redirects need no context
            request, {"live_stream": stream, **(extra_context or {})}
        )

    def carry_out(
        self, request: HttpRequest, rows: Iterable[M], act: Callable[[M], object], done: str
    ) -> None:
        """Do something to each chosen row by its service, and say how that went."""
        count = 0
        for row in rows:
            try:
                act(row)
            except ValidationError as refusal:
                said = f"{row}: {' '.join(refusal.messages)}"
                self.message_user(request, said, messages.ERROR)
                continue
            count += 1
            self.log_change(request, row, done)
        if count:
            self.message_user(request, f"{done}: {count}.", messages.SUCCESS)
