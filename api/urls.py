"""Addresses of the REST API, version 1."""

from django.urls import path

from api.document.views import SchemaView
from api.episodes.urls import episode_urlpatterns
from api.live.views import (
    EpisodeLiveView,
    OrganizationLiveView,
    PlatformLiveView,
    ShowLiveView,
)
from api.organizations.urls import organization_urlpatterns
from api.platform.urls import platform_urlpatterns
from api.shows.urls import show_urlpatterns
from api.statistics.urls import statistics_urlpatterns
from api.tokens.views import (
    OrganizationTokensView,
    OrganizationTokenView,
    TokensView,
    TokenView,
)
from api.uploads.urls import upload_urlpatterns
from api.webhooks.urls import webhook_urlpatterns

app_name = "api"
urlpatterns = [
    *organization_urlpatterns,
    *show_urlpatterns,
    *platform_urlpatterns,
    *statistics_urlpatterns,
    path("schema/", SchemaView.as_view(), name="schema"),
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
    *upload_urlpatterns,
    *episode_urlpatterns,
    path(
        "organizations/<uuid:organization_id>/live/state/",
        OrganizationLiveView.as_view(),
        name="organization-live",
    ),
    path("shows/<uuid:show_id>/live/state/", ShowLiveView.as_view(), name="show-live"),
    path("episodes/<uuid:episode_id>/live/state/", EpisodeLiveView.as_view(), name="episode-live"),
    *webhook_urlpatterns,
    path("platform/live/state/", PlatformLiveView.as_view(), name="platform-live"),
]
