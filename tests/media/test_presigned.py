"""Signed addresses: kept while they are good, and only so many."""

import asyncio
import threading
from itertools import count

import pytest
import time_machine

from apps.media.storage.presigned import PresignedAddresses, Wanted

SONG = Wanted("renditions/ab/cd.mp3")
HOUR = 3600


class Signer:
    """Signs with a number, and remembers for how long and where."""

    def __init__(self, extra: str = "") -> None:
        self.lifetimes: list[int] = []
        self.threads: list[int] = []
        self._extra, self._number = extra, count(1)

    def __call__(self, wanted: Wanted, lifetime_seconds: int) -> str:
        self.lifetimes.append(lifetime_seconds)
        self.threads.append(threading.get_ident())
        return f"https://bucket/{wanted.key}?n={next(self._number)}{self._extra}"


@pytest.mark.parametrize(
    ("extra", "after_seconds", "is_kept"),
    [
        pytest.param("", HOUR - 1, True, id="in its first half"),
        pytest.param("", HOUR, False, id="in its second half"),
        pytest.param("", -1, False, id="signed in the future"),
        pytest.param("&X-Amz-Security-Token=t", 299, True, id="temporary, fresh"),
        pytest.param("&X-Amz-Security-Token=t", 300, False, id="temporary, five minutes old"),
    ],
)
def test_an_address_is_used_again_while_it_will_last(
    extra: str, after_seconds: int, is_kept: bool
) -> None:
    signer = Signer(extra)
    addresses = PresignedAddresses(signer)
    with time_machine.travel("2026-11-21T12:00:00Z", tick=False) as clock:
        first = addresses.get(SONG, lifetime_seconds=HOUR)
        clock.shift(after_seconds)
        assert (addresses.get(SONG, lifetime_seconds=HOUR) == first) is is_kept
    assert set(signer.lifetimes) == {2 * HOUR}


def test_whatever_is_asked_differently_is_another_address() -> None:
    addresses = PresignedAddresses(Signer())
    asked = [
        (SONG, HOUR),
        (SONG, 60),
        (Wanted("other"), HOUR),
        (Wanted(SONG.key, content_type="audio/mpeg"), HOUR),
        (Wanted(SONG.key, content_disposition="inline"), HOUR),
        (Wanted(SONG.key, cache_control="private"), HOUR),
    ]
    first = [addresses.get(wanted, lifetime_seconds=seconds) for wanted, seconds in asked]
    assert len(set(first)) == len(asked)
    assert [addresses.get(wanted, lifetime_seconds=seconds) for wanted, seconds in asked] == first


def test_the_least_used_address_makes_room() -> None:
    addresses = PresignedAddresses(Signer(), capacity=2)
    first, second, third = (Wanted(name) for name in "abc")
    kept = {one: addresses.get(one, lifetime_seconds=HOUR) for one in (first, second)}
    assert addresses.get(first, lifetime_seconds=HOUR) == kept[first]
    addresses.get(third, lifetime_seconds=HOUR)
    assert addresses.get(first, lifetime_seconds=HOUR) == kept[first]
    assert addresses.get(second, lifetime_seconds=HOUR) != kept[second]


def test_only_the_address_that_failed_is_forgotten() -> None:
    addresses = PresignedAddresses(Signer())
    failed = addresses.get(SONG, lifetime_seconds=HOUR)
    for _ in range(2):  # two readers may come back with the same one
        addresses.forget(SONG, lifetime_seconds=HOUR, address=failed)
        renewed = addresses.get(SONG, lifetime_seconds=HOUR)
        assert renewed.endswith("n=2")


async def test_an_event_loop_signs_in_a_thread_and_only_what_is_not_kept() -> None:
    signer = Signer()
    addresses = PresignedAddresses(signer)
    first = await addresses.aget(SONG, lifetime_seconds=HOUR)
    assert await addresses.aget(SONG, lifetime_seconds=HOUR) == first
    assert len(signer.threads) == 1
    assert threading.get_ident() not in signer.threads


async def test_many_may_ask_at_once() -> None:
    addresses = PresignedAddresses(Signer(), capacity=3)
    asked = [Wanted(str(number % 5)) for number in range(200)]
    got = await asyncio.gather(*(addresses.aget(one, lifetime_seconds=HOUR) for one in asked))
    for one, address in zip(asked, got, strict=True):
        assert address.startswith(f"https://bucket/{one.key}?")


@pytest.mark.parametrize("seconds", [0, -1, 7 * 24 * HOUR // 2 + 1])
def test_an_address_lasts_at_most_what_s3_allows(seconds: int) -> None:
    with pytest.raises(ValueError, match="no address"):
        PresignedAddresses(Signer()).get(SONG, lifetime_seconds=seconds)
