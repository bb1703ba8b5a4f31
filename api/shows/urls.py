"""Addresses of shows, and of what they are filled with."""

from django.urls import path

from api.shows.artwork_views import ShowArtworkView
from api.shows.feed_views import FeedStateView
from api.shows.handle_views import HandleCheckView, HandlesView
from api.shows.views import OrganizationShowsView, ShowsView, ShowView
from api.trash.views import RestoreShowView
from api.vocabularies.views import VocabulariesView

_SHOW = "shows/<uuid:show_id>"

show_urlpatterns = [
    path("shows/", ShowsView.as_view(), name="shows"),
    path(
        "organizations/<uuid:organization_id>/shows/",
        OrganizationShowsView.as_view(),
        name="organization-shows",
    ),
    path(f"{_SHOW}/", ShowView.as_view(), name="show"),
    path(f"{_SHOW}/artwork/", ShowArtworkView.as_view(), name="show-artwork"),
    path(f"{_SHOW}/feed/", FeedStateView.as_view(), name="show-feed"),
    path(f"{_SHOW}/handles/", HandlesView.as_view(), name="handles"),
    path(f"{_SHOW}/restore/", RestoreShowView.as_view(), name="restore-show"),
    path("handles/check/", HandleCheckView.as_view(), name="check-handle"),
    path("vocabularies/", VocabulariesView.as_view(), name="vocabularies"),
]
