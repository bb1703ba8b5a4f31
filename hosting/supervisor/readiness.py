"""When an instance answers, and what its operator is then told."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from hosting.engines.errors import InstanceError
from hosting.supervisor.keeper import Keeper

_HOPELESS_AFTER = 3
_POLL_SECONDS = 0.1


async def answers(host: str, port: int) -> bool:
    """Whether /healthz says 200."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(
                    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status.split(b" ")[1:2] == [b"200"]


async def until_ready(webs: Sequence[Keeper], is_ready: Callable[[str], bool]) -> None:
    """When all web processes accept; raises InstanceError when one dies again and again instead.

    Each has to say it: a question to their common address reaches any of them.
    """
    waited_for = {web.kept.name for web in webs}
    while waited_for := {name for name in waited_for if not is_ready(name)}:
        _refuse_hopeless(webs)
        await asyncio.sleep(_POLL_SECONDS)


async def until_healthy(webs: Sequence[Keeper], host: str, port: int) -> None:
    """When /healthz says 200; raises InstanceError like `until_ready`."""
    while not await answers(host, port):
        _refuse_hopeless(webs)
        await asyncio.sleep(_POLL_SECONDS)


def _refuse_hopeless(webs: Sequence[Keeper]) -> None:
    for web in webs:
        if web.failures >= _HOPELESS_AFTER:
            raise InstanceError(f"The web process does not start: see {web.output.log}.")


def welcome(origin: str, data: Path, demo: Path) -> str:
    """``demo`` lists people (who, email, password) and pages (name, path)."""
    pages, people = _demo(demo)
    return "\n".join(
        [
            "",
            f"Longwave is ready: {origin}/",
            *(f"  {page['name']:<24} {origin}{page['path']}" for page in pages),
            *(f"  {who['who']:<24} {who['email']}  password {who['password']}" for who in people),
            f"Data and logs are in {data}. Ctrl-C stops everything.",
            "",
        ]
    )


def _demo(path: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    try:
        seeded = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return [], []
    return seeded.get("pages", []), seeded.get("people", [])
