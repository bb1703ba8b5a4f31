"""Addresses for the platform's staff."""

from django.urls import path

from api.platform.views import QuarantineView, ReleaseView

platform_urlpatterns = [
    path("platform/quarantine/", QuarantineView.as_view(), name="quarantine"),
    path("platform/quarantine/release/", ReleaseView.as_view(), name="release-quarantine"),
]
