"""Whether what arrives is what must arrive, byte for byte and while it arrives."""

import gzip
import zlib
from typing import Protocol

# The most that compressing may add: header, file name or padding, checksum.
GZIP_FRAME_BYTES = 1024


class FaultError(Exception):
    """The server did not answer with what was asked for: nothing it does is worth measuring."""


class Body(Protocol):
    """What must follow one answer's headers."""

    def check_length(self, length: int) -> None:
        """Look at the Content-Length; raises FaultError."""

    def feed(self, piece: memoryview) -> None:
        """Look at the next bytes; raises FaultError. The piece is only valid during the call."""

    def finish(self) -> None:
        """All that was promised has come; raises FaultError."""


class Stretch:
    """Bytes [start, stop) of a file."""

    def __init__(self, content: bytes, start: int, stop: int) -> None:
        self._content = content
        self._at = start
        self._stop = stop

    def check_length(self, length: int) -> None:
        if length != self._stop - self._at:
            raise FaultError(f"{length} bytes are promised instead of {self._stop - self._at}")

    def feed(self, piece: memoryview) -> None:
        # Not a slice and ==: startswith compares in place, without a copy.
        if not self._content.startswith(piece, self._at):
            raise FaultError(f"wrong bytes between {self._at} and {self._at + len(piece)}")
        self._at += len(piece)

    def finish(self) -> None:
        if self._at != self._stop:
            raise FaultError(f"the body ends at byte {self._at}, not {self._stop}")


class Nothing(Stretch):
    """No body, which is what a 304 has."""

    def __init__(self) -> None:
        super().__init__(b"", 0, 0)


class Gzipped:
    """A compressed body: equal ones are decompressed once only, others every time."""

    def __init__(self, document: bytes, known: set[bytes]) -> None:
        self._document = document
        self._known = known  # compressed bodies that were found right
        self._pieces: list[bytes] = []

    def check_length(self, length: int) -> None:
        if not 0 < length <= len(self._document) + GZIP_FRAME_BYTES:
            raise FaultError(f"{length} bytes can't be a compressed {len(self._document)}")

    def feed(self, piece: memoryview) -> None:
        self._pieces.append(bytes(piece))

    def finish(self) -> None:
        body = b"".join(self._pieces)
        if body in self._known:
            return
        try:
            is_right = gzip.decompress(body) == self._document
        except (OSError, EOFError, zlib.error) as error:
            raise FaultError(f"not gzip: {error}") from error
        if not is_right:
            raise FaultError("the decompressed body is not the document")
        if len(self._known) < 4:  # a server that pads at random never sends the same twice
            self._known.add(body)
