"""Addresses of the REST API, version 1."""

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from api.episodes.audio_views import EpisodeAudioView
from api.episodes.views import EpisodesView, EpisodeView
from api.live.views import (
    EpisodeLiveView,
    OrganizationLiveView,
    PlatformLiveView,
    ShowLiveView,
)
from api.organizations.invitation_views import (
    AcceptInvitationView,
    InvitationsView,
    InvitationView,
)
from api.organizations.me_views import MeView
from api.organizations.member_views import MembersView, MemberView
from api.organizations.views import OrganizationsView, OrganizationView
from api.platform.views import QuarantineView, ReleaseView
from api.shows.artwork_views import ShowArtworkView
from api.shows.feed_views import FeedStateView
from api.shows.handle_views import HandleCheckView, HandlesView
from api.shows.views import OrganizationShowsView, ShowsView, ShowView
from api.tokens.views import (
    OrganizationTokensView,
    OrganizationTokenView,
    TokensView,
    TokenView,
)
from api.trash.views import RestoreShowView, TrashView
from api.uploads.views import CompleteView, PartUrlsView, UploadsView, UploadView
from api.vocabularies.views import VocabulariesView

app_name = "api"
_ORGANIZATION = "organizations/<uuid:organization_id>"
_PEOPLE = [
    path("me/", MeView.as_view(), name="me"),
    path("organizations/", OrganizationsView.as_view(), name="organizations"),
    path(f"{_ORGANIZATION}/", OrganizationView.as_view(), name="organization"),
    path(f"{_ORGANIZATION}/members/", MembersView.as_view(), name="members"),
    path(f"{_ORGANIZATION}/members/<int:member_id>/", MemberView.as_view(), name="member"),
    path(f"{_ORGANIZATION}/invitations/", InvitationsView.as_view(), name="invitations"),
    path(
        f"{_ORGANIZATION}/invitations/<uuid:invitation_id>/",
        InvitationView.as_view(),
        name="invitation",
    ),
    path("invitations/accept/", AcceptInvitationView.as_view(), name="accept-invitation"),
]
_SHOWS = [
    path("shows/", ShowsView.as_view(), name="shows"),
    path(f"{_ORGANIZATION}/shows/", OrganizationShowsView.as_view(), name="organization-shows"),
    path("shows/<uuid:show_id>/", ShowView.as_view(), name="show"),
    path("shows/<uuid:show_id>/artwork/", ShowArtworkView.as_view(), name="show-artwork"),
    path("shows/<uuid:show_id>/feed/", FeedStateView.as_view(), name="show-feed"),
    path("shows/<uuid:show_id>/handles/", HandlesView.as_view(), name="handles"),
    path("shows/<uuid:show_id>/restore/", RestoreShowView.as_view(), name="restore-show"),
    path("handles/check/", HandleCheckView.as_view(), name="check-handle"),
    path(f"{_ORGANIZATION}/trash/", TrashView.as_view(), name="trash"),
    path("vocabularies/", VocabulariesView.as_view(), name="vocabularies"),
]
_PLATFORM = [
    path("platform/quarantine/", QuarantineView.as_view(), name="quarantine"),
    path("platform/quarantine/release/", ReleaseView.as_view(), name="release"),
]
urlpatterns = [
    *_PEOPLE,
    *_SHOWS,
    *_PLATFORM,
    path("schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("tokens/", TokensView.as_view(), name="tokens"),
    path("tokens/<uuid:token_id>/", TokenView.as_view(), name="token"),
    path(
        "organizations/<uuid:organization_id>/tokens/",
        OrganizationTokensView.as_view(),
        name="organization-tokens",
    ),
    path(
        "organizations/<uuid:organization_id>/tokens/<uuid:token_id>/",
        OrganizationTokenView.as_view(),
        name="organization-token",
    ),
    path("uploads/", UploadsView.as_view(), name="uploads"),
    path("uploads/<uuid:upload_id>/", UploadView.as_view(), name="upload"),
    path("uploads/<uuid:upload_id>/part-urls/", PartUrlsView.as_view(), name="part-urls"),
    path("uploads/<uuid:upload_id>/complete/", CompleteView.as_view(), name="complete-upload"),
    path(
        "organizations/<uuid:organization_id>/live/state/",
        OrganizationLiveView.as_view(),
        name="organization-live",
    ),
    path("shows/<uuid:show_id>/live/state/", ShowLiveView.as_view(), name="show-live"),
    path("shows/<uuid:show_id>/episodes/", EpisodesView.as_view(), name="episodes"),
    path("episodes/<uuid:episode_id>/", EpisodeView.as_view(), name="episode"),
    path("episodes/<uuid:episode_id>/audio/", EpisodeAudioView.as_view(), name="episode-audio"),
    path("episodes/<uuid:episode_id>/live/state/", EpisodeLiveView.as_view(), name="episode-live"),
    path("platform/live/state/", PlatformLiveView.as_view(), name="platform-live"),
]
