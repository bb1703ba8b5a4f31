"""One request on uvicorn and its response: an ASGI `send` that sends files, and never lies."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

from apps.media.serving import SHARED_FIELDS, ZERO_COPY
from hosting.servers.file_sending import FileMessage, Line, send_file

type Field = tuple[bytes, bytes]


class CorkedLine(Line, Protocol):
    """A line that can let its kernel wait for more."""

    def cork(self, is_on: bool) -> None:
        """Whether only full segments go out: headers, body and last byte then go together."""

    def push(self) -> None:
        """Let what is corked go out; the cork stays for the next response."""


class MediaCycle(RequestResponseCycle):
    """One request; what `send` returned from is in the kernel's hands."""

    line: CorkedLine

    async def send(self, message: Any) -> None:
        if self.disconnected or self.transport.is_closing():
            raise self.line.gone()
        if message["type"] == ZERO_COPY:
            file = FileMessage.read(message)
            self._begin_file(file.count)
            if self.scope["method"] != "HEAD":
                await send_file(self.line, file)
            if not message.get("more_body", False):
                self._complete()
        elif SHARED_FIELDS in message:
            self._start(message["status"], message["headers"], message[SHARED_FIELDS])
        else:
            await self._send_plainly(message)
        if self.response_complete:
            return
        if self.flow.write_paused:
            await self.line.drain()
        elif self.transport.is_closing():  # which takes everything, and sends nothing
            raise self.line.gone()

    async def receive(self) -> Any:
        if self.waiting_for_100_continue:  # the client waits for a word before it sends a body
            self.line.cork(False)
        return await super().receive()

    async def _send_plainly(self, message: Any) -> None:
        if not self.response_started:
            self.line.cork(False)
        await super().send(message)
        if self.response_complete:  # something may still wait in the transport
            self.line.cork(False)

    def _start(self, status: int, fields: Sequence[Field], shared: tuple[Field, ...]) -> None:
        """As the base class does it, for a response with a Content-Length.

        It reads each name and value twice; here, fields that were found good are known.
        """
        if self.response_started:
            raise RuntimeError("The response has started already")
        self.response_started = True
        self.waiting_for_100_continue = False
        self.chunked_encoding = False
        lines = [STATUS_LINE[status], _lines(tuple(self.default_headers)), _lines(shared)]
        for name, value in fields[len(shared) :]:
            if name == b"content-length":
                self.expected_content_length = int(value)
            lines.append(_line(name, value))
        lines.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        self.line.cork(True)
        self.transport.write(b"".join(lines))

    def _begin_file(self, count: int) -> None:
        if not self.response_started or self.response_complete or self.chunked_encoding:
            raise RuntimeError("A file can't be sent here: the response has no Content-Length")
        if count > self.expected_content_length:
            raise RuntimeError("The file is longer than Content-Length")
        self.expected_content_length -= count

    def _complete(self) -> None:
        if self.expected_content_length:
            raise RuntimeError("The response is shorter than Content-Length")
        self.line.push()
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


@lru_cache(maxsize=4096)
def _lines(fields: tuple[Field, ...]) -> bytes:
    return b"".join([_line(name, value) for name, value in fields])


def _line(name: bytes, value: bytes) -> bytes:
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        raise RuntimeError(f"Not a header field: {name!r}")
    return b"%b: %b\r\n" % (name, value)
