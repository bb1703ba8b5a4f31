"""Connections to Valkey: one pool per process for sync code, one per event loop for async code."""

import asyncio
from functools import cache
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
import redis.asyncio.retry
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

_async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = (
    WeakKeyDictionary()
)


def key(*parts: object) -> str:
    """A key of this installation: parts joined by colons behind the configured prefix."""
    return ":".join([settings.REDIS_PREFIX, *map(str, parts)])


def _retry_once() -> Retry:
    # A connection that a restart closed is replaced at once; for a server that is away nobody
    # waits here, as redis-py's own back-off of seconds would have it.
    return Retry(NoBackoff(), 1)


@cache
def connection() -> redis.Redis:
    """The process's client; it is thread-safe and reconnects by itself."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=2,
        socket_timeout=30,
        health_check_interval=30,
        retry=_retry_once(),
    )


def own_connection() -> redis.Redis:
    """A client that repeats nothing by itself, for a loop that backs off and starts over."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=2,
        socket_timeout=5,
        retry=Retry(NoBackoff(), 0),
    )


def async_connection() -> redis.asyncio.Redis:
    """The running event loop's client; callers bound their own waiting time."""
    loop = asyncio.get_running_loop()
    client = _async_clients.get(loop)
    if client is None:
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=30
        )
        _async_clients[loop] = client
    return client


def listening_connection() -> redis.asyncio.Redis:
    """A client to subscribe with, for the caller to close.

    It never tries again by itself: a gap that nobody is told of is the one thing that a listener
    can't make good.
    """
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        client_name=key("changes"),  # for CLIENT LIST
        socket_connect_timeout=2,
        socket_timeout=2,
        retry=redis.asyncio.retry.Retry(NoBackoff(), 0),
    )
