"""Episodes: listed, begun, read, changed, thrown away."""

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.pagination import Orderings
from api.base.views import ListView, RowView
from api.episodes.filters import EpisodeFilters
from api.episodes.serializers import EpisodeInput, EpisodeSerializer
from apps.accounts.actors import person_of
from apps.accounts.roles import Role
from podcasts.access import episodes_of_member, get_episode, get_show, require_show
from podcasts.models import Episode
from podcasts.services.episodes import create_episode, update_episode
from podcasts.services.trash import delete_episode


class EpisodesView(ListView[Episode]):
    """``/shows/<id>/episodes/``: drafts included, newest first."""

    serializer_class = EpisodeSerializer
    filterset_class = EpisodeFilters
    orderings: ClassVar = Orderings(
        "-published_at",
        {
            # What has no date yet stands where it was begun.
            "published_at": Coalesce("published_at", "created_at"),
            "created_at": "created_at",
            "updated_at": "updated_at",
            "title": "title",
        },
    )

    def rows(self) -> QuerySet[Episode]:
        return episodes_of_member(self.request.user).filter(show=self.kwargs["show_id"])

    def get(self, request: Request, show_id: UUID) -> Response:
        """One page of a show's episodes."""
        require_show(request.user, show_id)
        return super().get(request)

    @extend_schema(request=EpisodeInput, responses={201: EpisodeSerializer})
    def post(self, request: Request, show_id: UUID) -> Response:
        """Begin an episode: a title makes a draft."""
        show = get_show(request.user, show_id, Role.EDITOR)
        data = EpisodeInput(data=request.data)
        data.is_valid(raise_exception=True)
        episode = create_episode(
            show=show, created_by=person_of(request.user), **data.validated_data
        )
        return self.row_answer(episode.pk, status=201)


class EpisodeView(RowView[Episode]):
    """``/episodes/<id>/``."""

    serializer_class = EpisodeSerializer

    def rows(self) -> QuerySet[Episode]:
        return episodes_of_member(self.request.user)

    def get(self, request: Request, episode_id: UUID) -> Response:
        """An episode."""
        return self.row_answer(episode_id)

    @extend_schema(request=EpisodeInput)
    def patch(self, request: Request, episode_id: UUID) -> Response:
        """Change what is named and nothing else."""
        episode = get_episode(request.user, episode_id, Role.EDITOR)
        data = EpisodeInput(episode, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        with self.unchanged(episode_id):
            update_episode(episode=episode, **data.validated_data)
        return self.row_answer(episode_id)

    def delete(self, request: Request, episode_id: UUID) -> Response:
        """Put an episode into the trash, from where it can be restored for 30 days."""
        episode = get_episode(request.user, episode_id, Role.EDITOR)
        with self.unchanged(episode_id):
            delete_episode(episode=episode)
        return Response(status=204)
