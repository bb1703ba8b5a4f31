"""The same feed document, rendered for every request by a plain view behind default middleware."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "hosting.settings"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

from apps.core.clock import now  # noqa: E402
from bench.peers.default_middleware import MIDDLEWARE  # noqa: E402
from podcasts.feeds.document import build_feed, serialize  # noqa: E402
from podcasts.models import Episode, Show  # noqa: E402


def feed(request: HttpRequest, handle: str) -> HttpResponse:
    """Queries, renders and serializes, as a view without a stored document does."""
    show = Show.objects.select_related("artwork", "feed_document").get(handle=handle)
    rss = build_feed(show, Episode.objects.for_show(show).published(now()).with_media())
    xml = serialize(rss, built_at=show.feed_document.modified_at)
    return HttpResponse(xml, content_type="application/rss+xml; charset=utf-8")


urlpatterns = [path("feeds/<str:handle>.xml", feed)]

settings.ALLOWED_HOSTS = ["*"]
settings.ROOT_URLCONF = __name__
# The two that feeds want are where Django's documentation orders them.
settings.MIDDLEWARE = [
    MIDDLEWARE[0],
    "django.middleware.gzip.GZipMiddleware",
    MIDDLEWARE[1],
    "django.middleware.http.ConditionalGetMiddleware",
    *MIDDLEWARE[2:],
]
application = ASGIHandler()
