"""Episodes: listed, begun, read, changed, thrown away."""

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import CHANGED, FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.pagination import Orderings
from api.base.refusals import telling_refusals
from api.base.views import ApiView, ListView, RowView
from api.episodes.filters import EpisodeFilters, EpisodesOfAllShowsFilters
from api.episodes.serializers import (
    ChaptersSerializer,
    EpisodeInput,
    EpisodeSerializer,
    NotesInput,
    NotesSerializer,
)
from apps.accounts.actors import person_of
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from podcasts.access import episodes_of_member, get_episode, get_show, require_show
from podcasts.models import Episode
from podcasts.notes import render_notes
from podcasts.services.episodes import create_episode, update_episode
from podcasts.services.trash import delete_episode

ORDERINGS = Orderings(
    "-published_at",
    {
        # What has no date yet stands where it was begun.
        "published_at": Coalesce("published_at", "created_at"),
        "created_at": "created_at",
        "updated_at": "updated_at",
        "title": "title",
    },
)


class AllEpisodesView(ListView[Episode]):
    """``/episodes/``: those of all shows that the actor may see, drafts included."""

    serializer_class = EpisodeSerializer
    filterset_class = EpisodesOfAllShowsFilters
    is_streamed = True
    orderings: ClassVar = ORDERINGS

    def rows(self) -> QuerySet[Episode]:
        return episodes_of_member(self.request.user)

    @extend_schema(
        operation_id="list_episodes",
        responses={200: EpisodeSerializer(many=True), **problems({400: INVALID})},
    )
    def get(self, request: Request) -> Response:
        """One page of the episodes of all shows, newest first."""
        return super().get(request)


class EpisodesView(ListView[Episode]):
    """``/shows/<id>/episodes/``: drafts included, newest first."""

    serializer_class = EpisodeSerializer
    row_route = ("episode",)
    filterset_class = EpisodeFilters
    is_streamed = True
    orderings: ClassVar = ORDERINGS

    def rows(self) -> QuerySet[Episode]:
        return episodes_of_member(self.request.user).filter(show=self.kwargs["show_id"])

    @extend_schema(
        operation_id="list_show_episodes",
        responses={
            200: EpisodeSerializer(many=True),
            **problems({400: INVALID, 404: NOT_FOUND}),
        },
    )
    def get(self, request: Request, show_id: UUID) -> Response:
        """One page of a show's episodes."""
        require_show(request.user, show_id)
        return super().get(request)

    @extend_schema(
        operation_id="create_episode",
        request=EpisodeInput,
        responses={
            201: EpisodeSerializer,
            **problems({400: INVALID, 403: FORBIDDEN, 404: NOT_FOUND}),
        },
    )
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

    @extend_schema(
        operation_id="get_episode",
        responses={200: EpisodeSerializer, **problems({404: NOT_FOUND})},
    )
    def get(self, request: Request, episode_id: UUID) -> Response:
        """An episode."""
        return self.row_answer(episode_id)

    @extend_schema(
        operation_id="update_episode",
        request=EpisodeInput,
        responses={
            200: EpisodeSerializer,
            **problems(
                {
                    400: INVALID,
                    403: FORBIDDEN,
                    404: NOT_FOUND,
                    409: "`number_missing`: it is public, or about to be, in a serial show.",
                    412: CHANGED,
                }
            ),
        },
    )
    def patch(self, request: Request, episode_id: UUID) -> Response:
        """Change what is named and nothing else."""
        episode = get_episode(request.user, episode_id, Role.EDITOR)
        data = EpisodeInput(episode, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        with telling_refusals(), self.unchanged(episode_id):
            update_episode(episode=episode, **data.validated_data)
        return self.row_answer(episode_id)

    @extend_schema(
        operation_id="delete_episode",
        responses={204: None, **problems({403: FORBIDDEN, 404: NOT_FOUND, 412: CHANGED})},
    )
    def delete(self, request: Request, episode_id: UUID) -> Response:
        """Put an episode into the trash, from where it can be restored for 30 days."""
        episode = get_episode(request.user, episode_id, Role.EDITOR)
        with self.unchanged(episode_id):
            delete_episode(episode=episode)
        return Response(status=204)


class ChaptersView(RowView[Episode]):
    """``/episodes/<id>/chapters/``."""

    serializer_class = ChaptersSerializer

    def rows(self) -> QuerySet[Episode]:
        return episodes_of_member(self.request.user)

    @extend_schema(
        operation_id="get_episode_chapters",
        responses={200: ChaptersSerializer, **problems({404: NOT_FOUND})},
    )
    def get(self, request: Request, episode_id: UUID) -> Response:
        """The chapters that the audio file brought along, of a draft as well."""
        return self.row_answer(episode_id)


class NotesPreviewView(ApiView):
    """``/notes-preview/``."""

    write_scope = Scope.READ  # nothing is stored

    @extend_schema(
        operation_id="preview_notes",
        request=NotesInput,
        responses={200: NotesSerializer, **problems({400: INVALID})},
    )
    def post(self, request: Request) -> Response:
        """Show notes as listeners will see them; nothing is stored."""
        data = NotesInput(data=request.data)
        data.is_valid(raise_exception=True)
        return Response({"html": render_notes(data.validated_data["notes"])})
