"""Programs that run until they are told to stop, each in a thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def running(*programs: Callable[[threading.Event], object]) -> Iterator[None]:
    """They run until the end of the block; one that doesn't end within a minute is an error."""
    stop = threading.Event()
    threads = [threading.Thread(target=program, args=(stop,)) for program in programs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
