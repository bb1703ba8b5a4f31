"""What is settled before Django reads a request: how it came, and how much of it is taken in."""

from typing import Any

from django.conf import settings

from apps.core.addresses import is_believed
from apps.core.streamed import Receive, Scope
from hosting.data_plane import Application, Send

TOO_LARGE = "longwave.too_large"  # in the scope, for the middleware that answers


class FrontDoor:
    """In front of the control plane, whose handler copies every body to memory or disk unasked.

    Of a body that is too large no more than the limit is taken in, and `scope[TOO_LARGE]` is set.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value for name, value in scope["headers"] if name in _READ}
        scope = {**scope, "scheme": _scheme(scope, headers)}
        await self._application(scope, _Bounded(scope, headers, receive), send)


_PICTURES = (b"multipart/form-data", b"image/")  # what a picture comes as, in a form or bare
_READ = {b"content-length", b"content-type", b"x-forwarded-proto"}


def _scheme(scope: Scope, headers: dict[bytes, bytes]) -> str:
    """How the client spoke to the proxy, if we believe the proxy: HSTS depends on it."""
    told = headers.get(b"x-forwarded-proto", b"").rpartition(b",")[2].strip().lower()
    peer = scope.get("client")
    if told in {b"http", b"https"} and is_believed(peer[0] if peer else None):
        return told.decode()
    return str(scope.get("scheme", "http"))


class _Bounded:
    """A body's messages, cut off where they become too many."""

    def __init__(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> None:
        self._scope, self._receive = scope, receive
        may_be_picture = headers.get(b"content-type", b"").lower().startswith(_PICTURES)
        self._room = (
            settings.MAX_FORM_BYTES if may_be_picture else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        )
        announced = headers.get(b"content-length", b"")
        self._is_refused = announced.isdigit() and self._room < _number(announced)
        self._is_over = False

    async def __call__(self) -> Any:
        if self._is_refused and not self._is_over:
            return self._cut_off()
        message = await self._receive()
        while self._is_over and message["type"] == "http.request":
            message = await self._receive()  # what still comes of a refused body goes nowhere
        if message["type"] != "http.request":
            return message
        self._room -= len(message.get("body", b""))
        if self._room < 0:
            return self._cut_off()
        self._is_over = not message.get("more_body", False)
        return message

    def _cut_off(self) -> dict[str, Any]:
        self._is_over = True
        self._scope[TOO_LARGE] = True
        return {"type": "http.request", "body": b"", "more_body": False}


def _number(digits: bytes) -> int:
    return int(digits[:20])
