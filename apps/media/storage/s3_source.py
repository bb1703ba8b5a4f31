"""Reading one object of a bucket: ranged GETs on signed addresses, streamed as they arrive."""

import re
from collections.abc import AsyncGenerator

from apps.media.errors import SourceClosedError, SourceTooShortError
from apps.media.sources import Piece
from apps.media.storage.base import ObjectMissingError, StorageError
from apps.media.storage.presigned import PresignedAddresses, Wanted
from apps.media.storage.s3_session import Answer, session

LIFETIME_SECONDS = 3600
_CONTINUATIONS = 4
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)")
_ERROR_CODE = re.compile(rb"<Code>(\w{1,64})</Code>")
_ERROR_BYTES = 4096


class _BrokenOffError(StorageError):
    """The connection ended in the middle of a body."""


class S3Source:
    """One object that must have a certain size; nothing is asked of the bucket until `prepare`."""

    def __init__(self, addresses: PresignedAddresses, key: str, size_bytes: int) -> None:
        self.descriptor: int | None = None
        self._addresses, self._wanted, self._size_bytes = addresses, Wanted(key), size_bytes
        self._answer: Answer | None = None
        self._answers: tuple[int, int] | None = None
        self._is_closed = False

    async def prepare(self, start: int, stop: int) -> None:
        """Ask for [start, stop), and check that the answer is that range of the promised object."""
        if self._is_closed:
            raise SourceClosedError
        self._drop()
        if start >= stop:
            return
        if stop > self._size_bytes:
            raise SourceTooShortError(f"byte {stop} is beyond the {self._size_bytes} there are")
        answer = await self._request(start, stop)
        try:
            await self._check(answer, start, stop)
        except BaseException:
            answer.close()
            raise
        self._answer, self._answers = answer, (start, stop)

    async def read(self, start: int, stop: int) -> AsyncGenerator[Piece]:
        """What the network brings, as it comes; a connection that breaks is continued by another.

        Keys name contents, so the bytes after a break belong to those before it.
        """
        tries = _CONTINUATIONS
        try:
            if self._answers != (start, stop):
                await self.prepare(start, stop)
            while start < stop:
                try:
                    received = await self._receive(stop - start)
                except _BrokenOffError:
                    if not tries:
                        raise
                    tries -= 1
                    await self.prepare(start, stop)
                    continue
                start += len(received)
                yield received
            if self._answer is not None:
                self._answer.finish()
        finally:
            self._drop()

    async def close(self) -> None:
        """Drop an answer that was not read to its end: what is under way stops coming."""
        self._is_closed = True
        self._drop()

    def _drop(self) -> None:
        answer, self._answer, self._answers = self._answer, None, None
        if answer is not None:
            answer.close()

    async def _receive(self, left: int) -> memoryview:
        """What has arrived of the answer, at least a byte; raises OSError."""
        if self._answer is None:
            raise SourceClosedError
        try:
            return await self._answer.read()
        except OSError as error:
            raise _BrokenOffError(self._failure(f"broke off, {left} bytes early", error)) from None

    async def _request(self, start: int, stop: int) -> Answer:
        """The answer to a ranged GET, whatever it is."""
        answer, address = await self._ask(start, stop)
        if answer.head.status != 403:
            return answer
        # Perhaps the credentials that signed it have ended: those of a role do within hours.
        answer.close()
        self._addresses.forget(self._wanted, lifetime_seconds=LIFETIME_SECONDS, address=address)
        answer, _ = await self._ask(start, stop)
        return answer

    async def _ask(self, start: int, stop: int) -> tuple[Answer, str]:
        address = await self._addresses.aget(self._wanted, lifetime_seconds=LIFETIME_SECONDS)
        connections = await session()
        try:
            return await connections.get(address, start, stop), address
        except OSError as error:
            raise StorageError(self._failure("cannot be read from the bucket", error)) from None

    async def _check(self, answer: Answer, start: int, stop: int) -> None:
        """Raise unless this is the range, of an object of the promised size."""
        head, key = answer.head, self._wanted.key
        told = _CONTENT_RANGE.fullmatch(head.content_range)
        if head.status in {206, 416} and told:
            self._require_size(int(told[3]))
        if head.status == 200 and start == 0 and head.length is not None:
            self._require_size(head.length)
        if head.status == 404:
            raise ObjectMissingError(f"nothing is stored as {key}")
        if head.status not in {200, 206}:
            code = _ERROR_CODE.search(await answer.excerpt(_ERROR_BYTES))
            # S3's word for what is wrong; its whole text may name keys and addresses.
            reason = f" ({code[1].decode()})" if code else ""
            raise StorageError(f"the bucket answers {head.status}{reason} for {key}")
        is_whole = (start, stop) == (0, self._size_bytes)
        is_range = told is not None and told[1] == str(start) and told[2] == str(stop - 1)
        if not (is_range if head.status == 206 else is_whole):
            raise StorageError(f"the bucket gave another part of {key} than was asked")
        if head.length is None:
            raise StorageError(f"the bucket does not tell the length of a part of {key}")
        if head.length != stop - start:
            raise StorageError(f"the length of a part of {key} contradicts its range")

    def _require_size(self, actual: int) -> None:
        if actual != self._size_bytes:
            raise SourceTooShortError(f"the object has {actual} bytes, not {self._size_bytes}")

    def _failure(self, what: str, error: OSError) -> str:
        """Without the address: whoever has it has the file."""
        return f"{self._wanted.key} {what}: {error.strerror or str(error) or type(error).__name__}"
