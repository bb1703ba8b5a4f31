"""Addresses of the platform pages."""

from django.urls import path

from frontend.views.platform import platform, release

app_name = "platform"
urlpatterns = [
    path("platform/", platform, name="home"),
    path("platform/release/", release, name="release"),
]
