"""Django's admin for the platform's staff: they look at everything, and services change it."""

from frontend.admin import accounts, downloads, episodes, logs, uploads

__all__ = ["accounts", "downloads", "episodes", "logs", "uploads"]
