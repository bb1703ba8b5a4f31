"""What was counted: downloads one by one, the hits of open days, and what was dropped."""

from typing import Any

from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.downloads.models import ClosedDay, Download, DropTally
from apps.downloads.titles import with_titles
from frontend.admin.base import StaffAdmin
from frontend.models import KeptHits


@register(Download)
class DownloadAdmin(StaffAdmin[Download]):
    """Hits that count, those counted last first; nothing of them leads to a person."""

    live_list = "downloads"
    list_display = ("counted_at", "episode_title", "app", "device", "country", "is_held", "day")
    # An index has this order, and ranges of it.
    list_filter = ("counted_at",)
    ordering = ("-counted_at",)
    exclude = ("held_address",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Download]:
        """Episodes may be gone for good: what was counted of them is not."""
        return with_titles(super().get_queryset(request))

    @display(description="episode")
    def episode_title(self, download: Any) -> str:
        """Its title, or its id when it is gone."""
        return download.episode_title or str(download.episode_id)

    @display(description="waits for review", boolean=True)
    def is_held(self, download: Download) -> bool:
        """Beyond the ceiling of one address."""
        return download.held_address is not None


@register(KeptHits)
class KeptHitsAdmin(StaffAdmin[KeptHits]):
    """The hits of days that are open, sealed, as they were counted."""

    live_list = "hits"
    list_display = ("id", "day", "hits", "is_from_log")
    list_filter = ("is_from_log",)
    ordering = ("-day", "-id")


@register(DropTally)
class DropTallyAdmin(StaffAdmin[DropTally]):
    """Why responses were not counted."""

    list_display = ("day", "reason", "count", "show_id", "episode_id")
    ordering = ("-day", "-id")


@register(ClosedDay)
class ClosedDayAdmin(StaffAdmin[ClosedDay]):
    """Days that take no more hits."""

    list_display = ("day",)
    ordering = ("-day",)
