"""Sets of shows and episodes that read aloud."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import FETCH_RAISE, Q

from apps.accounts.models import Organization

if TYPE_CHECKING:
    from podcasts.models import Episode, Show  # noqa: F401


def public_condition(at: datetime, *, path: str = "") -> Q:
    """Of the living episodes under ``path``, those that are public at this moment.

    A scheduled one whose time has come is public at once, however late the clock's job is.
    """
    statuses = ["published", "scheduled"]
    return Q(**{f"{path}status__in": statuses, f"{path}published_at__lte": at})


class ShowQuerySet(models.QuerySet["Show"]):
    """Shows."""

    def for_organization(self, organization: Organization) -> Self:
        """Those of one tenant."""
        return self.filter(organization=organization)

    def alive(self) -> Self:
        """Those that are not in the trash."""
        return self.filter(deleted_at=None)

    def in_trash(self) -> Self:
        """Those that were deleted and can be restored."""
        return self.filter(deleted_at__isnull=False)


class EpisodeQuerySet(models.QuerySet["Episode"]):
    """Episodes."""

    def for_show(self, show: "Show") -> Self:
        """Those of one show."""
        return self.filter(show=show)

    def alive(self) -> Self:
        """Those that are not in the trash, nor their show."""
        return self.filter(deleted_at=None, show__deleted_at=None)

    def in_trash(self) -> Self:
        """Those that were deleted by themselves, while their show lives."""
        return self.filter(deleted_at__isnull=False, show__deleted_at=None)

    def published(self, at: datetime) -> Self:
        """Those that anybody may see at this moment, newest first."""
        return self.alive().filter(public_condition(at)).order_by("-published_at", "-id")

    def shown_as(self, status: str, at: datetime) -> Self:
        """Those of a status as people see it: a scheduled one that is due is published."""
        is_due = Q(status="scheduled", published_at__lte=at)
        match status:
            case "published":
                return self.filter(Q(status=status) | is_due)
            case "scheduled":
                return self.filter(Q(status=status) & ~is_due)
        return self.filter(status=status)

    def due(self, at: datetime) -> Self:
        """Scheduled ones whose time has come."""
        return self.alive().filter(status="scheduled", published_at__lte=at)

    def with_media(self) -> Self:
        """All that a page, a feed or the API shows of an episode; anything more is an error."""
        return (
            self.select_related("show", "show__artwork", "artwork", "audio", "incoming_audio")
            .prefetch_related("audio__renditions")
            .fetch_mode(FETCH_RAISE)
        )
