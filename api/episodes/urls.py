"""Addresses of episodes."""

from django.urls import path

from api.episodes import actions
from api.episodes.artwork_views import EpisodeArtworkView
from api.episodes.audio_views import EpisodeAudioView, RetryAudioView
from api.episodes.bulk_views import BulkView
from api.episodes.season_views import ReorderView, SeasonsView
from api.episodes.views import (
    AllEpisodesView,
    ChaptersView,
    EpisodesView,
    EpisodeView,
    NotesPreviewView,
)

_SHOW = "shows/<uuid:show_id>"
_EPISODE = "episodes/<uuid:episode_id>"

episode_urlpatterns = [
    path("episodes/", AllEpisodesView.as_view(), name="all-episodes"),
    path("notes-preview/", NotesPreviewView.as_view(), name="notes-preview"),
    path(f"{_SHOW}/episodes/", EpisodesView.as_view(), name="episodes"),
    path(f"{_SHOW}/episodes/bulk/", BulkView.as_view(), name="change-episodes"),
    path(f"{_SHOW}/episodes/reorder/", ReorderView.as_view(), name="reorder-episodes"),
    path(f"{_SHOW}/seasons/", SeasonsView.as_view(), name="seasons"),
    path(f"{_EPISODE}/", EpisodeView.as_view(), name="episode"),
    path(f"{_EPISODE}/publish/", actions.PublishView.as_view(), name="publish-episode"),
    path(f"{_EPISODE}/schedule/", actions.ScheduleView.as_view(), name="schedule-episode"),
    path(f"{_EPISODE}/unschedule/", actions.UnscheduleView.as_view(), name="unschedule-episode"),
    path(f"{_EPISODE}/unpublish/", actions.UnpublishView.as_view(), name="unpublish-episode"),
    path(f"{_EPISODE}/restore/", actions.RestoreView.as_view(), name="restore-episode"),
    path(f"{_EPISODE}/artwork/", EpisodeArtworkView.as_view(), name="episode-artwork"),
    path(f"{_EPISODE}/chapters/", ChaptersView.as_view(), name="episode-chapters"),
    path(f"{_EPISODE}/audio/", EpisodeAudioView.as_view(), name="episode-audio"),
    path(f"{_EPISODE}/audio/retry/", RetryAudioView.as_view(), name="retry-audio"),
]
