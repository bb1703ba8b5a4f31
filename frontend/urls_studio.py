"""Addresses of the studio pages."""

from django.urls import path, register_converter

from frontend.views import dashboards, statistics
from frontend.views.studio import episodes, publishing, shows, trash


class FileKind:
    """The two kinds of files that charts are handed out as."""

    regex = "csv|json"

    def to_python(self, value: str) -> str:
        """As it is."""
        return value

    def to_url(self, value: str) -> str:
        """As it is."""
        return value


register_converter(FileKind, "file_kind")

app_name = "studio"
urlpatterns = [
    path("", shows.home, name="home"),
    path("trash/", trash.trash, name="trash"),
    path("notes-preview/", episodes.notes_preview, name="notes_preview"),
    path("shows/new/", shows.show_new, name="show_new"),
    path("shows/<uuid:show_id>/", dashboards.show_dashboard, name="show"),
    path(
        "shows/<uuid:show_id>/downloads.csv",
        dashboards.show_downloads_csv,
        name="show_downloads_csv",
    ),
    path("shows/<uuid:show_id>/statistics/", statistics.show_statistics, name="show_statistics"),
    path(
        "shows/<uuid:show_id>/statistics/not-counted/",
        statistics.show_not_counted,
        name="show_not_counted",
    ),
    path(
        "shows/<uuid:show_id>/statistics/<slug:chart>.<file_kind:kind>",
        statistics.show_export,
        name="show_export",
    ),
    path("shows/<uuid:show_id>/settings/", shows.show_settings, name="show_settings"),
    path("shows/<uuid:show_id>/delete/", shows.show_delete, name="show_delete"),
    path("shows/<uuid:show_id>/restore/", shows.show_restore, name="show_restore"),
    path("shows/<uuid:show_id>/episodes/", episodes.episode_list, name="episodes"),
    path("shows/<uuid:show_id>/episodes/new/", episodes.episode_new, name="episode_new"),
    path("episodes/<uuid:episode_id>/", episodes.episode, name="episode"),
    path(
        "episodes/<uuid:episode_id>/statistics/",
        statistics.episode_statistics,
        name="episode_statistics",
    ),
    path(
        "episodes/<uuid:episode_id>/statistics/<slug:chart>.<file_kind:kind>",
        statistics.episode_export,
        name="episode_export",
    ),
    path("episodes/<uuid:episode_id>/publish/", publishing.episode_publish, name="episode_publish"),
    path(
        "episodes/<uuid:episode_id>/schedule/",
        publishing.episode_schedule,
        name="episode_schedule",
    ),
    path(
        "episodes/<uuid:episode_id>/unschedule/",
        publishing.episode_unschedule,
        name="episode_unschedule",
    ),
    path(
        "episodes/<uuid:episode_id>/unpublish/",
        publishing.episode_unpublish,
        name="episode_unpublish",
    ),
    path("episodes/<uuid:episode_id>/delete/", publishing.episode_delete, name="episode_delete"),
    path("episodes/<uuid:episode_id>/restore/", publishing.episode_restore, name="episode_restore"),
]
