"""Addresses of the platform pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
