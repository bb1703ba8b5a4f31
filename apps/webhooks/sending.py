"""Sending what is due: many requests at once, in one job at a time."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import aiohttp
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection

from apps.core.clock import now
from apps.webhooks.claiming import Claim, claim_due, is_due
from apps.webhooks.outcome import Outcome
from apps.webhooks.posting import client, post
from apps.webhooks.recording import record_outcome
from apps.webhooks.signing import body_of, headers_of

# Requests under way at the same time, and how many of them may be to endpoints that fail.
AT_ONCE = 64
AT_ONCE_TO_FAILING = 24
# After this, other jobs have their turn; what is due then is the next job's.
TIME_BOX_SECONDS = 20.0
_LOOK_AGAIN_SECONDS = 1.0
# A look goes over all that waits: not after each of many answers that come at the same time.
BETWEEN_LOOKS_SECONDS = 0.1
# Of this installation's database; the number means nothing but must never change.
_LOCK = 0x57_48_6F_6F

type _Flights = dict[asyncio.Task[Outcome], Claim]


def send_due() -> bool:
    """Send what is due; whether more was left, for another job.

    Does nothing while another job sends: that one looks again every second. Receivers that don't
    answer cost one worker, whatever their number. May run twice; beside itself, too, when the
    database restarts in the middle: each message is taken by one of them.
    """
    with _turn() as is_ours:
        if not is_ours:
            return False
        async_to_sync(_send_until)(monotonic() + TIME_BOX_SECONDS)
    return is_due()  # after the turn has ended: whoever was turned away had been committed before


@contextmanager
def _turn() -> Iterator[bool]:
    """An advisory lock, which ends with the connection, even by a kill."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


async def _send_until(deadline: float) -> None:
    flights: _Flights = {}
    async with client(at_once=AT_ONCE) as session:
        try:
            while True:
                looked_at = monotonic()
                if looked_at < deadline:
                    await _take_off(session, flights)
                if not flights:
                    return
                await _land(flights, not_before=looked_at + BETWEEN_LOOKS_SECONDS)
        finally:
            for flight in flights:
                flight.cancel()


async def _take_off(session: aiohttp.ClientSession, flights: _Flights) -> None:
    """Begin as many requests as there is room for."""
    under_way = list(flights.values())
    claims = await sync_to_async(claim_due)(
        busy=Counter(claim.endpoint_id for claim in under_way),
        room=AT_ONCE - len(under_way),
        room_for_failing=AT_ONCE_TO_FAILING - sum(claim.is_failing for claim in under_way),
    )
    for claim in claims:
        flights[asyncio.create_task(_send(session, claim))] = claim


async def _land(flights: _Flights, *, not_before: float) -> None:
    """Wait for a while, and write down the outcomes that there are."""
    await asyncio.wait(flights, timeout=_LOOK_AGAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(max(0.0, not_before - monotonic()))
    for flight in [flight for flight in flights if flight.done()]:
        claim = flights.pop(flight)
        await sync_to_async(record_outcome)(claim, flight.result())


async def _send(session: aiohttp.ClientSession, claim: Claim) -> Outcome:
    if not claim.secrets:
        return Outcome(
            None,
            0,
            error="The secret can’t be read, so nothing can be signed. Rotate the secret.",
        )
    body = body_of(claim.payload)
    headers = headers_of(claim.event_id, body, secrets=claim.secrets, at=now())
    return await post(session, claim.url, body, headers)
