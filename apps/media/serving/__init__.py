"""How a stored file is answered over HTTP: whole, in ranges, or not at all."""

import logging

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from apps.media.serving.client_gone import ClientGoneError
from apps.media.serving.plan import Resource, plan_response
from apps.media.serving.response import ARRIVAL, SHARED_FIELDS, ZERO_COPY, MediaResponse
from apps.media.serving.sent import NO_STEPS, OnSent, Steps
from apps.media.sources import SegmentedSource

__all__ = [
    "ARRIVAL",
    "NO_STEPS",
    "SHARED_FIELDS",
    "ZERO_COPY",
    "ClientGoneError",
    "MediaResponse",
    "OnSent",
    "Resource",
    "Steps",
    "serve",
]

logger = logging.getLogger(__name__)


async def serve(
    request: HttpRequest,
    resource: Resource,
    *,
    on_sent: OnSent | None = None,
    steps: Steps = NO_STEPS,
) -> HttpResponseBase:
    """The response to a request for this file; only bodies with its bytes are a MediaResponse.

    `on_sent` is told which bytes have left, at the latest in `steps`: see MediaResponse.
    """
    plan = plan_response(request.method or "", request.headers, resource)
    first = plan.first_range
    if first is None:
        response = HttpResponse(plan.text, status=plan.status, headers=plan.headers)
        if not plan.text and "Content-Type" not in plan.headers:
            del response.headers["Content-Type"]  # there is no content to have a type
        return response
    source = SegmentedSource(resource.segments)
    try:
        await source.prepare(first.first, first.stop)
    except OSError:
        logger.exception("A stored file cannot be opened: %s", resource.filename)
        return HttpResponse(
            "This file cannot be read at the moment. Please try again later.\n",
            status=503,
            content_type="text/plain; charset=utf-8",
            headers={"Retry-After": "30", "Cache-Control": "no-store"},
        )
    return MediaResponse(plan, source, on_sent=on_sent, steps=steps)
