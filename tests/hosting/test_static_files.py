"""Static files, whose library sends them by the same ASGI extension as our media."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import LazySettings

from apps.media.serving import ZERO_COPY
from hosting.servers.file_sending import FileMessage
from hosting.static_files import with_static_files


async def not_static(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("extensions", [{ZERO_COPY: {}}, {}, None])
@pytest.mark.parametrize("headers", [[], [(b"range", b"bytes=0-99999")]])
def test_a_style_sheet_is_sent_whole_whatever_the_server_offers(
    settings: LazySettings,
    tmp_path: Path,
    extensions: dict[str, object] | None,
    headers: list[tuple[bytes, bytes]],
) -> None:
    settings.DEBUG = False
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "base.css").write_bytes(b"a" * 200_000)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/static/base.css",
        "query_string": b"",
        "headers": headers,
        "extensions": extensions,
    }
    status = 0
    body = b""

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal status, body
        status = message.get("status", status)
        if message["type"] == ZERO_COPY:
            file = FileMessage.read(message)
            body += os.pread(file.descriptor, file.count, file.offset)
        else:
            body += message.get("body", b"")

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async_to_sync(with_static_files(not_static))(scope, receive, send)
    assert status == (206 if headers else 200)
    assert body == b"a" * (100_000 if headers else 200_000)
