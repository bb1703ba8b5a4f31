"""One request to somebody else's server, which is trusted in nothing."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import monotonic
from typing import Any

import aiohttp
from django.conf import settings

from apps.core.clock import now
from apps.webhooks.addresses import open_socket
from apps.webhooks.outcome import Outcome
from apps.webhooks.resolving import Resolver

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
MAX_RESPONSE_BYTES = 16 * 1024
_ASKING_FOR_PATIENCE = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_MOST_DIGITS = 9  # a number of seconds that a timedelta can hold
# Of an answer, in the log of deliveries.
EXCERPT_CHARACTERS = 2000


@asynccontextmanager
async def client(*, at_once: int) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that connects to allowed addresses only, and keeps nothing between requests."""
    connector = aiohttp.TCPConnector(
        socket_factory=_socket,
        use_dns_cache=False,
        # As many again for names that hang longer than anybody waits for them.
        resolver=Resolver(2 * at_once),
        # A connection that the receiver closes in the meantime would cost an attempt.
        force_close=True,
        limit=0,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, connect=CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # a small answer may unpack to a large one
        trust_env=False,  # a proxy would connect to whatever it is told
    ) as session:
        yield session


def _socket(info: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _, address = info
    return open_socket(family, kind, protocol, str(address[0]))


async def post(
    session: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]
) -> Outcome:
    """Send, and say how it ended; raises nothing for what the other side or the network does."""
    began = monotonic()
    try:
        async with session.post(
            url,
            data=body,
            headers=_headers() | headers,
            allow_redirects=False,  # it might lead anywhere, without the body or twice
        ) as response:
            excerpt = await _excerpt(response)
            return Outcome(
                response.status,
                _milliseconds(began),
                excerpt,
                _complaint(response.status),
                _retry_after(response),
            )
    except (TimeoutError, aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
        return Outcome(None, _milliseconds(began), error=_storable(_reason(error)))


def _headers() -> dict[str, str]:
    return {
        "User-Agent": f"Longwave-Webhooks/1 (+{settings.BASE_URL})",
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
    }


async def _excerpt(response: aiohttp.ClientResponse) -> str:
    """The beginning of the answer; whatever goes wrong after the status changes nothing."""
    received = bytearray()
    try:
        async for chunk in response.content.iter_chunked(4096):
            received += chunk
            if len(received) >= MAX_RESPONSE_BYTES:
                break
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
        pass
    text = bytes(received[:MAX_RESPONSE_BYTES]).decode("utf-8", "replace")
    return _storable(text)[:EXCERPT_CHARACTERS]


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL, and errors quote what came over the network."""
    return text.replace("\x00", "�")


def _retry_after(response: aiohttp.ClientResponse) -> timedelta | None:
    """RFC 9110, 10.2.3: seconds, or a date; None when it isn't asked for or can't be read."""
    if response.status not in _ASKING_FOR_PATIENCE:
        return None
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=int(value[:_MOST_DIGITS]))
    try:
        at = parsedate_to_datetime(value)
        return at.replace(tzinfo=at.tzinfo or UTC) - now()
    except (ValueError, OverflowError):
        return None


def _complaint(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return "The receiver redirects, which is not followed. Give the address it leads to."
    known = {code.value: code.phrase for code in HTTPStatus}
    return f"The receiver answered {status} {known.get(status, '')}".strip() + "."


def _reason(error: Exception) -> str:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return f"No connection within {CONNECT_SECONDS:.0f} seconds."
        case TimeoutError():
            return f"No answer within {TOTAL_SECONDS:.0f} seconds."
        case aiohttp.ClientConnectorCertificateError():
            return f"The receiver’s certificate is not valid: {error.certificate_error}"
        case aiohttp.ClientConnectorDNSError():
            return "The name of the receiver could not be looked up."
        case aiohttp.ClientConnectorError():
            return f"No connection: {error.os_error}"
        case aiohttp.ServerDisconnectedError():
            return "The receiver closed the connection without an answer."
        case aiohttp.ClientResponseError():
            return "The receiver’s answer is not proper HTTP."
        case aiohttp.InvalidURL():
            return "This address can't be asked."
    return f"The request failed: {str(error) or type(error).__name__}"


def _milliseconds(began: float) -> int:
    return int((monotonic() - began) * 1000)
