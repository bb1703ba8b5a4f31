"""django-fileresponse as its documentation shows it, in a project without middleware."""

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

from django.http import HttpRequest  # noqa: E402
from django.urls import path  # noqa: E402
from fileresponse.asgi import get_asgi_application  # noqa: E402
from fileresponse.http import AiofileFileResponse  # noqa: E402

FOLDER = Path(os.environ.get("BENCH_FILES", "."))


async def media(request: HttpRequest, name: str) -> AiofileFileResponse:
    """A whole file, 4 KiB at a time; its length, which the package leaves out, spares chunking."""
    file = FOLDER / name
    response = AiofileFileResponse(file)
    response.headers["Content-Length"] = str(file.stat().st_size)
    return response


urlpatterns = [path("<path:name>", media)]
application = get_asgi_application()
