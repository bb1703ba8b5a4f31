"""Addresses of the platform pages."""

from django.urls import path

from frontend.views.platform import platform

app_name = "platform"
urlpatterns = [path("platform/", platform, name="home")]
