"""Which CPUs a program may use: a server that is another machine in life gets one of its own."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil


def is_possible() -> bool:
    """Whether this system lets us choose, and has more CPUs than one."""
    return hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1


def a_cpu() -> int:
    """One of those that this process may use."""
    return max(os.sched_getaffinity(0))


@contextmanager
def only_on(cpu: int) -> Iterator[None]:
    """What this process starts meanwhile has this CPU alone, and keeps it."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


@contextmanager
def alone(some: Sequence[psutil.Process]) -> Iterator[None]:
    """Some have a CPU that this process and all else that it has started leave to them.

    Where that can't be chosen, all stay where they are.
    """
    if not is_possible():
        yield
        return
    everywhere, cpu = os.sched_getaffinity(0), a_cpu()
    this = psutil.Process()
    _allow({this, *this.children(recursive=True)}.difference(some), everywhere - {cpu})
    _allow(some, {cpu})
    try:
        yield
    finally:  # those that were started meanwhile have inherited it
        _allow([this, *this.children(recursive=True)], everywhere)


def _allow(processes: Iterable[psutil.Process], cpus: set[int]) -> None:
    for process in processes:
        with suppress(psutil.Error, OSError):  # it has ended
            for thread in process.threads():
                os.sched_setaffinity(thread.id, cpus)
