"""Shows and episodes, to read."""

from rest_framework.generics import ListAPIView, RetrieveAPIView

from api.show_serializers import EpisodeSerializer, ShowSerializer
from podcasts.access import episodes_of, get_episode, get_show, shows_of_member
from podcasts.models import Episode, Show
from podcasts.querysets import EpisodeQuerySet, ShowQuerySet


class ShowsView(ListAPIView[Show]):
    """``/shows/``: the shows of all organisations that the person is a member of, newest first."""

    serializer_class = ShowSerializer

    def get_queryset(self) -> ShowQuerySet:
        return shows_of_member(self.request.user)


class ShowView(RetrieveAPIView[Show]):
    """``/shows/<id>/``."""

    serializer_class = ShowSerializer

    def get_object(self) -> Show:
        return get_show(self.request.user, self.kwargs["show_id"])


class EpisodesView(ListAPIView[Episode]):
    """``/shows/<id>/episodes/``: drafts included, newest first."""

    serializer_class = EpisodeSerializer

    def get_queryset(self) -> EpisodeQuerySet:
        return episodes_of(get_show(self.request.user, self.kwargs["show_id"]))


class EpisodeView(RetrieveAPIView[Episode]):
    """``/episodes/<id>/``."""

    serializer_class = EpisodeSerializer

    def get_object(self) -> Episode:
        return get_episode(self.request.user, self.kwargs["episode_id"])
