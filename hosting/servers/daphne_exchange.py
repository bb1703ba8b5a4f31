"""One HTTP request on Daphne and its response: an ASGI `send` that waits, and never lies."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.web.http import NO_BODY_CODES

from apps.media.serving import ARRIVAL, ClientGoneError
from hosting.servers.arrival import wait_for_arrival
from hosting.servers.daphne_line import RequestLine
from hosting.servers.file_sending import FileMessage, send_file

logger = logging.getLogger(__name__)

ZERO_COPY = "http.response.zerocopysend"

# So much must go out within the send time-out: a slower reader than some 550 bytes a second
# hears no audio any more.
_PIECE_BYTES = 64 * 1024

type Message = Mapping[str, Any]
type Application = Callable[[Any, Any, Any], Awaitable[None]]


class Exchange:
    """What Daphne's own `handle_reply` lacks, added around Twisted's request."""

    def __init__(self, request: WebRequest) -> None:
        self._request = request
        self._line = RequestLine(request)
        self._left: int | None = None  # of the promised Content-Length
        self._is_started = False
        self._is_complete = False
        self._has_no_body = False

    async def run(
        self, application: Application, scope: dict[str, Any], receive: Callable[[], Any]
    ) -> None:
        """Answer; whatever the application does, the client knows a whole response from a part."""
        if ZERO_COPY in scope["extensions"]:
            scope["extensions"][ARRIVAL] = partial(wait_for_arrival, self._line)
        try:
            await application(scope, receive, self.send)
        except ClientGoneError:
            pass  # the application was told, and has nothing to add
        except Exception:
            logger.exception("The application failed: %s %s", scope["method"], scope["path"])
        finally:
            self._conclude()

    async def send(self, message: Message) -> None:
        """ASGI's; returns when the kernel has the bytes, raises OSError when the client is gone."""
        self._line.check()
        match message["type"]:
            case "http.response.start":
                self._start(message)
            case "http.response.body":
                await self._send_body(message)
            case "http.response.zerocopysend":
                await self._send_file(message)
            case other:
                raise ValueError(f"Nothing here knows the message {other!r}")

    def _start(self, message: Message) -> None:
        Server.check_headers_type(message)
        self._request.handle_reply(message)
        self._is_started = True
        self._has_no_body = (
            self._request.method == b"HEAD" or message["status"] in NO_BODY_CODES  # RFC 9110, 6.4.1
        )
        lengths = self._request.responseHeaders.getRawHeaders(b"content-length")
        if lengths and not self._has_no_body:
            self._left = int(lengths[-1])

    async def _send_body(self, message: Message) -> None:
        body = memoryview(message.get("body", b""))
        self._take_from_promise(len(body))
        for start in range(0, len(body), _PIECE_BYTES):
            self._write(bytes(body[start : start + _PIECE_BYTES]))
            await self._line.drain()
        if not message.get("more_body", False):
            self._finish()

    async def _send_file(self, message: Message) -> None:
        file = FileMessage.read(message)
        if self._left is None and not self._has_no_body:
            raise RuntimeError("A file can't be sent here: the response has no Content-Length")
        self._take_from_promise(file.count)
        if not self._has_no_body:
            self._line.cork(True)
            self._write(b"")  # the headers, if they are not out
            await send_file(self._line, file)
        if not message.get("more_body", False):
            self._finish()

    def _write(self, data: bytes) -> None:
        if not self._is_started:
            raise RuntimeError("A body before the status and the headers")
        self._request.write(data)
        self._line.note_written()

    def _take_from_promise(self, count: int) -> None:
        if self._is_complete:
            raise RuntimeError("A body after the end of the response")
        if self._left is None:
            return
        if count > self._left:
            raise RuntimeError("The body is longer than Content-Length")
        self._left -= count

    def _finish(self) -> None:
        if self._left:
            raise RuntimeError("The body is shorter than Content-Length")
        self._is_complete = True
        self._line.cork(False)
        self._line.release()
        if not self._request.channel.persistent:
            self._line.give_up_in_time()
        # The last of chunked bodies, the log, and the next request of a pipeline.
        self._request.handle_reply({"type": "http.response.body", "body": b""})

    def _conclude(self) -> None:
        if self._is_complete or self._line.is_lost:
            return
        self._line.release()
        if not self._is_started:
            self._request.basic_error(500, b"Internal Server Error", "Something went wrong.")
        else:
            self._line.end()
