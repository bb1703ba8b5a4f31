"""Request bodies on Daphne: it gathers them before anybody is asked, so that they need a bound."""

from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol

from apps.media.uploads import part_size_for

_REFUSAL = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class BoundedRequest(WebRequest):  # type: ignore[misc]  # Daphne has no types
    """Refuses what is larger than any view takes, as soon as that is known."""

    _is_refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        super().gotLength(length)
        if length is not None and length > _largest_body():
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        if self._is_refused:
            return
        if self.content.tell() + len(data) > _largest_body():
            self._refuse()
        else:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        if not self._is_refused:
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        self._is_refused = True
        self.channel.transport.write(_REFUSAL)
        self.channel.loseConnection()


class BoundedFactory(HTTPFactory):  # type: ignore[misc]  # Daphne has no types
    def buildProtocol(self, addr: IAddress) -> Protocol:  # noqa: N802
        protocol: Protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest  # type: ignore[attr-defined]
        return protocol


def _largest_body() -> int:
    """A part of the largest upload, or a form with a picture."""
    return max(part_size_for(settings.MAX_UPLOAD_BYTES), settings.MAX_FORM_BYTES)
