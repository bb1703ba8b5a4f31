"""Shows and episodes of all organisations, the trash included."""

from django.contrib.admin import EmptyFieldListFilter, action, register
from django.db.models import QuerySet
from django.http import HttpRequest

from frontend.admin.base import StaffAdmin
from podcasts.models import Episode, Show
from podcasts.services.publishing import unpublish_episode


@register(Show)
class ShowAdmin(StaffAdmin[Show]):
    """Podcasts."""

    list_display = (
        "title",
        "handle",
        "organization",
        "type",
        "language",
        "created_at",
        "deleted_at",
    )
    list_filter = ("type", ("deleted_at", EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("title", "handle", "organization__name")
    ordering = ("-id",)


@register(Episode)
class EpisodeAdmin(StaffAdmin[Episode]):
    """Episodes, those begun last first."""

    live_list = "episodes"
    list_display = (
        "title",
        "show",
        "status",
        "published_at",
        "incoming_audio",
        "created_at",
        "deleted_at",
    )
    list_filter = ("status", "type", ("deleted_at", EmptyFieldListFilter))
    list_select_related = ("show", "incoming_audio")
    search_fields = ("title", "show__title", "guid")
    ordering = ("-id",)
    actions = ("unpublish",)

    @action(description="Take the chosen episodes out of feeds and pages")
    def unpublish(self, request: HttpRequest, rows: QuerySet[Episode]) -> None:
        """As their editors can; date and GUID stay for when they come back."""
        self.carry_out(
            request, rows, lambda episode: unpublish_episode(episode=episode), "Unpublished"
        )
