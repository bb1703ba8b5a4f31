"""REST v1: what a program can do."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "api"
