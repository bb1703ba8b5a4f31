"""Style sheets, scripts and pictures of the pages, answered in front of Django."""

import logging
from wsgiref.headers import Headers

from django.conf import settings
from servestatic import ServeStaticASGI

from hosting.data_plane import Application

logger = logging.getLogger(__name__)


def with_static_files(application: Application) -> Application:
    """The application behind the collected static files; while developing, runserver has them."""
    if settings.DEBUG:
        return application
    if not settings.STATIC_ROOT.is_dir():
        logger.warning("No static files in %s: run manage.py collectstatic", settings.STATIC_ROOT)
        return application
    answers: Application = ServeStaticASGI(
        application,
        root=settings.STATIC_ROOT,
        prefix=settings.STATIC_URL,
        add_headers_function=_add_headers,
    )
    return answers


def _add_headers(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
