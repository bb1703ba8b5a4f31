"""Reading one object of a bucket: ranged GETs on signed addresses, streamed as they arrive."""

import re
from collections.abc import AsyncGenerator

import aiohttp
from yarl import URL

from apps.media.errors import SourceClosedError, SourceTooShortError
from apps.media.sources import CHUNK_BYTES
from apps.media.storage.base import ObjectMissingError, StorageError
from apps.media.storage.presigned import PresignedAddresses, Wanted
from apps.media.storage.s3_session import session

LIFETIME_SECONDS = 3600
_CONTINUATIONS = 4
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)")
_ERROR_CODE = re.compile(rb"<Code>(\w{1,64})</Code>")
_ERROR_BYTES = 4096

# What aiohttp says may hold the address, and whoever has an address has the file: neither its
# messages nor the errors themselves may reach a log.
_TRANSPORT_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)


class _BrokenOffError(StorageError):
    """The connection ended in the middle of a body."""


class S3Source:
    """One object that must have a certain size; nothing is asked of the bucket until `prepare`."""

    def __init__(self, addresses: PresignedAddresses, key: str, size_bytes: int) -> None:
        self.descriptor: int | None = None
        self._addresses, self._wanted, self._size_bytes = addresses, Wanted(key), size_bytes
        self._answer: aiohttp.ClientResponse | None = None
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

    async def read(self, start: int, stop: int) -> AsyncGenerator[bytes]:
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
                for at in range(0, len(received), CHUNK_BYTES):
                    yield received[at : at + CHUNK_BYTES]
                start += len(received)
        finally:
            self._drop()

    async def close(self) -> None:
        """Drop an answer that was not read to its end: what is under way stops coming."""
        self._is_closed = True
        self._drop()

    def _drop(self) -> None:
        answer, self._answer, self._answers = self._answer, None, None
        if answer is not None:
            answer.close()  # a body that has ended gave its connection back already

    async def _receive(self, left: int) -> bytes:
        """What has arrived of the answer, at least a byte; raises OSError."""
        if self._answer is None:
            raise SourceClosedError
        try:
            received = await self._answer.content.readany()
        except _TRANSPORT_ERRORS as error:
            raise _BrokenOffError(self._failure(f"broke off, {left} bytes early", error)) from None
        if not received:
            raise SourceTooShortError(f"{self._wanted.key} ends {left} bytes early")
        if len(received) > left:
            raise StorageError(f"{self._wanted.key} came with more bytes than were asked for")
        return received

    async def _request(self, start: int, stop: int) -> aiohttp.ClientResponse:
        """The answer to a ranged GET, whatever it is.

        aiohttp itself asks again, once, when a kept connection turns out to be closed.
        """
        answer, address = await self._ask(start, stop)
        if answer.status != 403:
            return answer
        # Perhaps the credentials that signed it have ended: those of a role do within hours.
        answer.close()
        self._addresses.forget(self._wanted, lifetime_seconds=LIFETIME_SECONDS, address=address)
        answer, _ = await self._ask(start, stop)
        return answer

    async def _ask(self, start: int, stop: int) -> tuple[aiohttp.ClientResponse, str]:
        address = await self._addresses.aget(self._wanted, lifetime_seconds=LIFETIME_SECONDS)
        connections = await session()
        try:
            answer = await connections.get(
                URL(address, encoded=True),  # changed by nobody: it is what was signed
                headers={"Range": f"bytes={start}-{stop - 1}"},
                allow_redirects=False,
            )
        except _TRANSPORT_ERRORS as error:
            raise StorageError(self._failure("cannot be read from the bucket", error)) from None
        return answer, address

    async def _check(self, answer: aiohttp.ClientResponse, start: int, stop: int) -> None:
        """Raise unless this is the range, of an object of the promised size."""
        told = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if answer.status in {206, 416} and told:
            self._require_size(int(told[3]))
        if answer.status == 200 and start == 0 and answer.content_length is not None:
            self._require_size(answer.content_length)
        if answer.status == 404:
            raise ObjectMissingError(f"nothing is stored as {self._wanted.key}")
        if answer.status not in {200, 206}:
            code = await _error_code(answer)
            raise StorageError(f"the bucket answers {answer.status}{code} for {self._wanted.key}")
        is_whole = (start, stop) == (0, self._size_bytes)
        is_range = told is not None and told[1] == str(start) and told[2] == str(stop - 1)
        if not (is_range if answer.status == 206 else is_whole):
            raise StorageError(f"the bucket gave another part of {self._wanted.key} than was asked")
        if answer.content_length not in {None, stop - start}:
            raise StorageError(f"the length of a part of {self._wanted.key} contradicts its range")

    def _require_size(self, actual: int) -> None:
        if actual != self._size_bytes:
            raise SourceTooShortError(f"the object has {actual} bytes, not {self._size_bytes}")

    def _failure(self, what: str, error: BaseException) -> str:
        reason = getattr(error, "strerror", None)  # of the system: it knows no address
        return f"{self._wanted.key} {what}: {type(error).__name__} {reason or ''}".rstrip()


async def _error_code(answer: aiohttp.ClientResponse) -> str:
    """S3's word for what is wrong; its whole text may name keys and addresses."""
    try:
        beginning = await answer.content.read(_ERROR_BYTES)
    except _TRANSPORT_ERRORS:
        return ""
    found = _ERROR_CODE.search(beginning)
    return f" ({found[1].decode()})" if found else ""
