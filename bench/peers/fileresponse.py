"""Django's FileResponse as the documentation shows it, in a project without middleware."""

import os
import secrets
from pathlib import Path

from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_hex(),
    USE_TZ=True,
)

from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import FileResponse, HttpRequest  # noqa: E402
from django.urls import path  # noqa: E402

FOLDER = Path(os.environ.get("BENCH_FILES", "."))


async def media(request: HttpRequest, name: str) -> FileResponse:
    """A whole file; async, so that it doesn't pay for a thread as well."""
    return FileResponse((FOLDER / name).open("rb"), content_type="audio/mpeg")


urlpatterns = [path("<path:name>", media)]
application = get_asgi_application()
