"""Listeners who come and go all the time, and keep account of what they finished."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

from tests.faults.podcaster import Listener

_AGENTS = ["AntennaPod/3.5.0", "Overcast/3.0 (+http://overcast.fm/; iOS podcast app)"]


class Crowd:
    """Some at a time, each with an address of its own; only whole downloads are to be counted."""

    def __init__(self, url: str, *, enough_bytes: int, too_few_bytes: int, seed: int) -> None:
        self.finished = 0
        self.resumed = 0
        self._url = url
        self._enough_bytes = enough_bytes
        self._too_few_bytes = too_few_bytes
        self._chance = random.Random(seed)
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._stop = threading.Event()

    @contextmanager
    def at_work(self, size: int) -> Iterator[None]:
        """They listen; at the end each finishes what it began."""
        with ThreadPoolExecutor(size) as pool:
            futures: list[Future[None]] = [pool.submit(self._come_and_go) for _ in range(size)]
            try:
                yield
            finally:
                self._stop.set()
        for future in futures:
            future.result()

    def _come_and_go(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                number, kind = next(self._numbers), self._chance.random()
            address = f"203.0.{113 + number // 250}.{number % 250}"
            one = Listener(self._url, address, agent=_AGENTS[number % 2], seconds_a_chunk=0.01)
            if kind < 0.2:
                one.sample(self._too_few_bytes)
                continue
            one.listen()
            if kind > 0.8:  # somebody who downloads it again is one download
                one.sample(self._enough_bytes)
            with self._lock:
                self.finished += 1
                self.resumed += one.requests > 1
