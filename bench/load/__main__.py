"""Reads a job on the standard input; prints ``begin`` when measuring begins, then the outcome."""

import asyncio
import socket
import sys

import uvloop

from bench.load.asking import Asker
from bench.load.connection import Connection
from bench.load.job import Job, Outcome
from bench.load.listening import Listener, choose_rate
from bench.load.sockets import allow_many, new_socket, received_segment_bytes
from bench.load.tally import Tally

CONNECT_SECONDS = 30
AT_ONCE = 50  # a server's backlog must not be what is measured


async def run(job: Job) -> Outcome:
    """Put the load on, and take it off when time, requests or luck run out."""
    tally = Tally(job.max_requests)
    connected: list[tuple[socket.socket, Connection]] = []
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connected = await _connect_all(job, tally)
        connections = [connection for _, connection in connected]
        await _until(tally.over, job.warm_up_seconds)
        for connection in connections:
            if isinstance(connection, Listener):
                connection.begin()
        tally.begin()
        await _until(tally.over, job.seconds)
        segments = (received_segment_bytes(own) for own, _ in connected)
        return tally.outcome(connections, max(segments, default=0))
    finally:
        for _, connection in connected:
            connection.close()


async def _connect_all(job: Job, tally: Tally) -> list[tuple[socket.socket, Connection]]:
    asker, turn = Asker(job), asyncio.Semaphore(AT_ONCE)

    async def connect(number: int) -> tuple[socket.socket, Connection]:
        def make() -> Connection:
            exchanges = asker.exchanges(number)
            if any(job.rate_bytes):
                return Listener(exchanges, tally, choose_rate(number, job.rate_bytes))
            return Connection(exchanges, tally, job.pause_seconds)

        loop, own = asyncio.get_running_loop(), new_socket(job)
        async with turn:
            await loop.sock_connect(own, ("127.0.0.1", job.port))
            _, connection = await loop.create_connection(make, sock=own)
        return own, connection

    return await asyncio.gather(*map(connect, range(job.connections)))


async def _until(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def main() -> None:
    allow_many()
    job = Job.from_json(sys.stdin.read())
    outcome = uvloop.run(run(job))
    sys.stdout.write(f"{outcome.to_json()}\n")


if __name__ == "__main__":
    main()
