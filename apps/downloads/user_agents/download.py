"""OPAWG's files, fetched from an address."""

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp

from apps.downloads.user_agents.entries import LIST_NAMES

MAX_FILE_BYTES = 8 * 1024**2
MAX_SECONDS = 60.0
_CHUNK_BYTES = 64 * 1024


class DownloadError(Exception):
    """Nothing usable at the address; says why."""


def without_credentials(source: str) -> str:
    """An address as anybody may read it: without what stands before an @ in front of the host."""
    address = urlsplit(source)
    return address._replace(netloc=address.netloc.rpartition("@")[2]).geturl()


def download_lists(base: str, *, allow_http: bool = False) -> Mapping[str, str]:
    """The texts of the files below an address, by the name of the list; raises DownloadError."""
    address = urlsplit(base)
    if address.scheme != "https" and not (allow_http and address.scheme == "http"):
        raise DownloadError("The address must begin with https://, or allow --insecure-http.")
    if not address.hostname or address.query or address.fragment:
        raise DownloadError("The address must be that of the folder which holds the files.")
    try:
        return asyncio.run(_fetch_all(base.rstrip("/")))
    except TimeoutError as error:
        raise DownloadError(f"The files did not arrive within {MAX_SECONDS:.0f} s.") from error
    except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
        raise DownloadError(f"Could not be fetched: {error}") from error


async def _fetch_all(base: str) -> Mapping[str, str]:
    timeout = aiohttp.ClientTimeout(total=MAX_SECONDS)
    async with aiohttp.ClientSession(
        timeout=timeout, headers={"User-Agent": "Longwave"}, trust_env=True
    ) as session:
        # One after the other: whoever offers the files owes us nothing.
        return {name: await _fetch(session, f"{base}/{name}.json") for name in LIST_NAMES}


async def _fetch(session: aiohttp.ClientSession, address: str) -> str:
    # A redirect might lead away from https, or to another host than the operator named.
    async with session.get(address, allow_redirects=False) as response:
        if response.status != 200:
            leads_to = response.headers.get("Location", "")
            raise DownloadError(
                f"{address} answered {response.status}" + (f" ({leads_to})" if leads_to else "")
            )
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_FILE_BYTES:
                raise DownloadError(f"{address} is larger than {MAX_FILE_BYTES // 1024**2} MiB")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DownloadError(f"{address} is not UTF-8") from error
