"""The same feed document, rendered for every request by a plain view behind default middleware."""

import os

from django.conf import settings

from bench.peers.default_middleware import MIDDLEWARE

os.environ["DJANGO_SETTINGS_MODULE"] = "hosting.settings"
settings.ALLOWED_HOSTS = ["*"]
settings.ROOT_URLCONF = __name__
# In the order that Django's documentation gives for the two that feeds want.
settings.MIDDLEWARE = [
    MIDDLEWARE[0],
    "django.middleware.gzip.GZipMiddleware",
    MIDDLEWARE[1],
    "django.middleware.http.ConditionalGetMiddleware",
    *MIDDLEWARE[2:],
]

from django.core.asgi import get_asgi_application  # noqa: E402

application = get_asgi_application()  # first: it loads the apps that the imports below need

from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

from apps.core.clock import now  # noqa: E402
from podcasts.feeds.document import build_feed, serialize  # noqa: E402
from podcasts.models import Episode, Show  # noqa: E402


def feed(request: HttpRequest, handle: str) -> HttpResponse:
    """Queries, renders and serializes, as a view without a stored document does."""
    show = Show.objects.select_related("artwork", "feed_document").get(handle=handle)
    rss = build_feed(show, Episode.objects.for_show(show).published(now()).with_media())
    xml = serialize(rss, built_at=show.feed_document.modified_at)
    return HttpResponse(xml, content_type="application/rss+xml; charset=utf-8")


urlpatterns = [path("feeds/<str:handle>.xml", feed)]
