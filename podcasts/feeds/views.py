"""How feeds and chapters are answered on the data plane."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import http_date

from apps.media.conditional import Outcome, evaluate
from podcasts import urls
from podcasts.feeds.cache import CachedFeed
from podcasts.feeds.chapters import find_chapters
from podcasts.feeds.lookup import find_feed
from podcasts.public import is_handle

CACHE_CONTROL = "public, max-age=60"
MOVED_CACHE_CONTROL = "public, max-age=86400"


async def feed(request: HttpRequest, handle: str) -> HttpResponse:
    """``/feeds/<handle>.xml``: 304 before anything else, and 301 from a handle of old."""
    if request.method not in {"GET", "HEAD"}:
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    found = await find_feed(handle) if is_handle(handle) else None
    if found is None:
        return _plain(404, "There is no feed at this address.\n")
    if isinstance(found, str):
        headers = {"Location": urls.feed_url(found), "Cache-Control": MOVED_CACHE_CONTROL}
        return HttpResponse(status=301, headers=headers)
    return _answer(request, found)


def _answer(request: HttpRequest, feed: CachedFeed) -> HttpResponse:
    is_gzipped = _accepts_gzip(request.headers.get("Accept-Encoding", ""))
    body = feed.gzipped if is_gzipped else feed.xml
    # Two encodings are two representations: their strong tags differ (RFC 9110, 8.8.3.3).
    etag = f'"{feed.etag}-gz"' if is_gzipped else f'"{feed.etag}"'
    headers = {
        "ETag": etag,
        "Last-Modified": http_date(feed.modified_at.timestamp()),
        "Cache-Control": CACHE_CONTROL,
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
    }
    method = request.method or "GET"
    outcome = evaluate(method, request.headers, etag=etag, last_modified=feed.modified_at)
    if outcome is Outcome.NOT_MODIFIED:
        response = HttpResponse(status=304, headers=headers)
        del response["Content-Type"]
        return response
    if outcome is Outcome.FAILED:
        return _plain(412, "The feed is not in the state that the request asks for.\n")
    headers |= {
        "Content-Type": "application/rss+xml; charset=utf-8",
        "Content-Length": str(len(body)),
        "X-Content-Type-Options": "nosniff",
    }
    if is_gzipped:
        headers["Content-Encoding"] = "gzip"
    return HttpResponse(b"" if method == "HEAD" else body, headers=headers)


def _accepts_gzip(field: str) -> bool:
    """Whether an Accept-Encoding field (RFC 9110, 12.5.3) wants gzip."""
    weights: dict[str, float] = {}
    for choice in field.lower().split(","):
        coding, _, parameter = choice.partition(";")
        name, _, weight = parameter.strip().partition("=")
        try:
            weights[coding.strip()] = float(weight) if name.strip() == "q" else 1.0
        except ValueError:
            weights[coding.strip()] = 0.0
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


async def chapters(request: HttpRequest, episode_id: UUID) -> HttpResponse:
    """``/chapters/<episode id>.json``, as the Podcasting 2.0 namespace defines them."""
    if request.method not in {"GET", "HEAD"}:
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    found = await find_chapters(episode_id)
    if found is None:
        return _plain(404, "There are no chapters at this address.\n")
    return JsonResponse(
        found,
        content_type="application/json+chapters",
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": CACHE_CONTROL},
    )


def _plain(status: int, text: str) -> HttpResponse:
    return HttpResponse(
        text,
        status=status,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )
