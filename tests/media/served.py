"""One file behind the data plane's handler, for tests in this process and over sockets."""

import json
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hosting.settings")
django.setup()

from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.http.response import HttpResponseBase  # noqa: E402
from django.urls import path  # noqa: E402

from apps.core.streamed import StreamedRequest  # noqa: E402
from apps.media.serving import NO_STEPS, Resource, Steps, serve  # noqa: E402
from apps.media.sources import DiskSource, Segment, Source  # noqa: E402
from hosting.data_plane import DataPlane  # noqa: E402

SIZE = 300_000
ETAG = '"v2"'
CHANGED = datetime(2026, 11, 6, 8, 49, 37, tzinfo=UTC)
CHANGED_TEXT = "Fri, 06 Nov 2026 08:49:37 GMT"


@cache
def content(size: int = SIZE) -> bytes:
    """Bytes of which every four tell their own offset."""
    return b"".join(n.to_bytes(4) for n in range(-(-size // 4)))[:size]


def folder() -> Path:
    return Path(os.environ["LONGWAVE_TEST_FOLDER"])


def resource(*segments: Segment) -> Resource:
    return Resource(segments, "audio/mpeg", ETAG, CHANGED, filename="épisode 1.mp3")


STEPS = Steps(100_000, 150_000)


async def reported(request: HttpRequest, name: str, steps: Steps = NO_STEPS) -> HttpResponseBase:
    """The file of this name, with reports of what was sent in `reports`."""
    file = folder() / name
    size = file.stat().st_size

    def report(sent: list[tuple[int, int]], final: bool) -> None:
        with (folder() / "reports").open("a") as reports:
            reports.write(json.dumps({"sent": sent, "final": final}) + "\n")

    segment = Segment(lambda: DiskSource.open(name, size, lambda: file), size)
    return await serve(request, resource(segment), on_sent=report, steps=steps)


async def shrinking(request: HttpRequest) -> HttpResponseBase:
    """A file that loses its second half once it is open."""
    file = folder() / f"shrinking-{id(request)}"
    file.write_bytes(content())

    async def open_and_cut() -> Source:
        source = await DiskSource.open(file.name, SIZE, lambda: file)
        os.truncate(file, SIZE // 2)
        return source

    return await serve(request, resource(Segment(open_and_cut, SIZE)))


async def missing(request: HttpRequest) -> HttpResponseBase:
    """A file that is not there."""
    return await serve(
        request,
        resource(
            Segment(lambda: DiskSource.open("missing", SIZE, lambda: folder() / "missing"), SIZE)
        ),
    )


async def body_length(request: StreamedRequest) -> HttpResponse:
    """How long the body of a PUT is."""
    return HttpResponse(str(sum([len(chunk) async for chunk in request.stream_body()])))


async def failing(request: HttpRequest) -> HttpResponse:
    """A view with a defect."""
    raise RuntimeError("a defect")


urlpatterns = [
    path("plain.mp3", reported, {"name": "plain"}),
    path("large.mp3", reported, {"name": "large"}),
    path("plain-in-steps.mp3", reported, {"name": "plain", "steps": STEPS}),
    path("large-in-steps.mp3", reported, {"name": "large", "steps": Steps(2_000_000, 3_000_000)}),
    path("shrinking.mp3", shrinking),
    path("missing.mp3", missing),
    path("body", body_length),
    path("failing", failing),
]
application = DataPlane(urlconf="tests.media.served")
