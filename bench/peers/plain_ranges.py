"""Ranges from a plain async view: default middleware, aiofiles, 64 KiB at a time."""

import os
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import aiofiles
from django.conf import settings

from bench.peers.default_middleware import MIDDLEWARE

settings.configure(
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=MIDDLEWARE,
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_hex(),
    USE_TZ=True,
)

from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

FOLDER = Path(os.environ.get("BENCH_FILES", "."))
PIECE_BYTES = 64 * 1024
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


async def media(request: HttpRequest, name: str) -> HttpResponseBase:
    """The one range asked for, or the whole file."""
    file = FOLDER / name
    size = file.stat().st_size
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    start, stop = (int(asked[1]), int(asked[2]) + 1) if asked else (0, size)
    headers = {"Content-Length": str(stop - start), "Accept-Ranges": "bytes"}
    if asked:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return StreamingHttpResponse(
        _pieces(file, start, stop),
        status=206 if asked else 200,
        content_type="audio/mpeg",
        headers=headers,
    )


async def _pieces(file: Path, start: int, stop: int) -> AsyncIterator[bytes]:
    async with aiofiles.open(file, "rb") as opened:
        await opened.seek(start)
        while start < stop and (piece := await opened.read(min(PIECE_BYTES, stop - start))):
            yield piece
            start += len(piece)


urlpatterns = [path("<path:name>", media)]
application = get_asgi_application()
