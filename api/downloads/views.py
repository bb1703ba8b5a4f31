"""The downloads of a show and of an episode, newest first."""

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.pagination import Orderings
from api.base.views import ListView
from api.downloads.filters import EpisodeDownloadFilters, ShowDownloadFilters
from api.downloads.serializers import DownloadSerializer
from apps.accounts.scopes import Scope
from apps.downloads.counted import counted_downloads
from apps.downloads.models import Download
from apps.downloads.totals import Scope as Rows
from podcasts.access import episodes_of_member, require_show


class DownloadsView(ListView[Download]):
    """What both lists have in common."""

    read_scope = Scope.STATS
    serializer_class = DownloadSerializer
    is_streamed = True
    # New ones come last in it (but for imports of old logs), and indexes have it.
    orderings: ClassVar = Orderings("-counted_at", {"counted_at": "counted_at"})


class ShowDownloadsView(DownloadsView):
    """``/shows/<id>/downloads/``."""

    filterset_class = ShowDownloadFilters

    def rows(self) -> QuerySet[Download]:
        return counted_downloads(Rows(show=self.kwargs["show_id"]))

    def get(self, request: Request, show_id: UUID) -> Response:
        """One page of a show's downloads, those counted last first."""
        require_show(request.user, show_id)
        return super().get(request)


class EpisodeDownloadsView(DownloadsView):
    """``/episodes/<id>/downloads/``."""

    filterset_class = EpisodeDownloadFilters

    def rows(self) -> QuerySet[Download]:
        return counted_downloads(Rows(show=self._show, episode=self.kwargs["episode_id"]))

    def get(self, request: Request, episode_id: UUID) -> Response:
        """One page of an episode's downloads, those counted last first."""
        episodes = episodes_of_member(request.user).filter(pk=episode_id)
        show = episodes.values_list("show_id", flat=True).first()
        if show is None:
            raise Http404("There is no such episode.")
        self._show = show
        return super().get(request)
