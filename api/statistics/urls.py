"""Addresses of the downloads, and of the charts: ``<whose>-statistics-<chart>``."""

from collections.abc import Mapping

from django.urls import path

from api.downloads.views import EpisodeDownloadsView, ShowDownloadsView
from api.statistics import views
from api.statistics.episode_views import CompareView, EpisodesView
from api.statistics.organization_views import (
    OrganizationHeadlineView,
    OrganizationShowsView,
    OrganizationStatisticsView,
    OrganizationTimeView,
)
from api.statistics.views import StatisticsView

OF_EPISODES: Mapping[str, type[StatisticsView]] = {
    "headline": views.HeadlineView,
    "downloads": views.TimeView,
    "hours": views.HoursView,
    "week": views.WeekView,
    "compare": CompareView,
    "apps": views.AppsView,
    "devices": views.DevicesView,
    "countries": views.CountriesView,
    "websites": views.WebsitesView,
}
OF_SHOWS: Mapping[str, type[StatisticsView]] = {
    **OF_EPISODES,
    "listeners": views.ListenersView,
    "episodes": EpisodesView,
    "not-counted": views.NotCountedView,
}
OF_ORGANIZATIONS: Mapping[str, type[OrganizationStatisticsView]] = {
    "headline": OrganizationHeadlineView,
    "downloads": OrganizationTimeView,
    "shows": OrganizationShowsView,
}

_CHARTS = [
    path(
        f"{whose}s/<uuid:{whose}_id>/statistics/{chart}/",
        view.as_view(),
        name=f"{whose}-statistics-{chart}",
    )
    for whose, charts in (
        ("show", OF_SHOWS),
        ("episode", OF_EPISODES),
        ("organization", OF_ORGANIZATIONS),
    )
    for chart, view in charts.items()
]
statistics_urlpatterns = [
    path("shows/<uuid:show_id>/downloads/", ShowDownloadsView.as_view(), name="show-downloads"),
    path(
        "episodes/<uuid:episode_id>/downloads/",
        EpisodeDownloadsView.as_view(),
        name="episode-downloads",
    ),
    *_CHARTS,
]
