"""Listeners of months: a batch appends, counters fold, and readers see all of it at any moment."""

import secrets
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import transaction

from apps.core.clock import now
from apps.downloads import charts, counter, locks, months, shadow, sketch
from apps.downloads.closing import close_expired
from apps.downloads.counter import Counter
from apps.downloads.models import Download, MonthArrival, MonthKey, MonthListeners
from apps.downloads.months import Month, Place
from apps.downloads.totals import Period, Scope
from tests.beside import Beside
from tests.downloads.conftest import Aired, Count, Send
from tests.downloads.making import AGENTS, NOON, whole
from tests.factories import EpisodeFactory
from tests.waiting import wait_until

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
ORGANIZATION = UUID(int=4)
# In the order in which they are folded.
SHOWS = [UUID(int=number) for number in range(10, 15)]
MONTH_OVER = NOON.replace(month=11, day=4, hour=0)


class Killed(BaseException):
    """As if the process had ended here."""


def keys(count: int) -> list[bytes]:
    return [secrets.token_bytes(16) for _ in range(count)]


def month_of(show: UUID, month: date = OCTOBER) -> Month:
    return ORGANIZATION, show, month


def listeners(show: UUID, month: date = OCTOBER) -> int:
    return months.listeners_by_month(show, month, month).get(month, 0)


def counted_at_once(some: Sequence[bytes]) -> int:
    return sketch.count(sketch.add(sketch.empty(), sketch.marks(some)))


def stored() -> dict[UUID, int]:
    """What sketches say, each of which must say what its number does."""
    rows = MonthListeners.objects.values_list("show_id", "sketch", "listeners")
    assert all(sketch.count(bytes(held)) == number for _, held, number in rows)
    return {show: number for show, _, number in rows}


def waiting() -> Tally[UUID]:
    """Of which shows how many batches wait to be folded."""
    return Tally(MonthArrival.objects.values_list("show_id", flat=True))


@pytest.mark.usefixtures("noon")
def test_a_batch_leaves_sketches_alone_and_its_listeners_are_seen_at_once(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(*(whole(ip=f"10.0.0.{number}") for number in range(7))))
    count()
    scope = Scope(show=aired.episode.show_id)

    def chart() -> list[int]:
        found = charts.listeners_of_months(scope, Period(NOON.date(), NOON.date()))
        return [month.listeners for month in found]

    assert not MonthListeners.objects.exists()
    assert waiting() == {aired.episode.show_id: 1}
    assert chart() == [7]

    months.fold_all()
    assert not waiting()
    assert stored() == {aired.episode.show_id: 7}
    assert chart() == [7]

    send(*aired.hits(*(whole(ip=f"10.0.0.{number}") for number in range(5, 10))))
    count()  # of whom two were there before, but on the same day
    assert chart() == [10]


@pytest.mark.django_db
@pytest.mark.parametrize("folds", [set(), {0}, {1, 2}, {0, 1, 2, 3, 4, 5}, {5}])
def test_readers_see_the_same_whenever_it_is_folded(folds: set[int]) -> None:
    known: list[bytes] = []
    for number in range(6):
        known += (new := [*keys(40), *known[:10]])
        months.add({month_of(SHOWS[0]): new, month_of(SHOWS[1], NOVEMBER): new[:2]})
        if number in folds:
            months.fold_all()
        assert listeners(SHOWS[0]) == counted_at_once(known)
    assert listeners(SHOWS[0], NOVEMBER) == listeners(SHOWS[1]) == 0
    assert listeners(SHOWS[1], NOVEMBER) > 0


@pytest.mark.django_db
def test_a_fold_is_bounded_goes_on_where_it_ended_and_forgets_no_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(months, "FOLDED_AT_ONCE", 2)
    for _ in range(3):
        months.add({month_of(show): keys(4) for show in SHOWS})
    before = {show: listeners(show) for show in SHOWS}

    place = months.fold()
    assert waiting() == {SHOWS[0]: 1} | dict.fromkeys(SHOWS[1:], 3)
    assert place is not None
    assert place[:2] == (SHOWS[0], OCTOBER)

    months.add({month_of(SHOWS[0]): keys(4)})  # the busiest shows must not keep it from others
    while place is not None:
        last, place = place, months.fold(place)
    assert last[0] == SHOWS[-1]
    # Batches of one millisecond have no order, so the new one may be behind the place.
    assert waiting().keys() <= {SHOWS[0]}

    months.fold_all()
    assert not waiting()
    assert {show: stored()[show] for show in SHOWS[1:]} == {
        show: before[show] for show in SHOWS[1:]
    }
    assert stored()[SHOWS[0]] > before[SHOWS[0]]


@pytest.mark.django_db
def test_what_is_killed_in_a_fold_is_folded_later(monkeypatch: pytest.MonkeyPatch) -> None:
    months.add({month_of(show): keys(5) for show in SHOWS[:2]})
    before = [listeners(show) for show in SHOWS[:2]]
    change: Callable[..., None] = months._change

    def die(*args: Any) -> None:
        change(*args)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(months, "_change", die)
        with pytest.raises(Killed):
            months.fold()
    assert waiting() == dict.fromkeys(SHOWS[:2], 1)
    assert not MonthListeners.objects.exists()

    months.fold_all()
    assert not waiting()
    assert [stored()[show] for show in SHOWS[:2]] == before


@pytest.mark.django_db
def test_a_show_that_two_organisations_had_in_a_month_has_one_sketch() -> None:
    some = keys(30)
    months.add({month_of(SHOWS[0]): some[:20]})
    months.add({(UUID(int=5), SHOWS[0], OCTOBER): some[20:]})

    months.fold_all()

    assert stored() == {SHOWS[0]: counted_at_once(some)}


@pytest.mark.django_db(transaction=True)
def test_whoever_folds_leaves_alone_what_another_one_is_folding(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(months, "FOLDED_AT_ONCE", 2)
    months.add({month_of(show): keys(5) for show in SHOWS})
    before = {show: listeners(show) for show in SHOWS}

    with transaction.atomic():
        months.fold()
        other = Beside(months.fold_all)
        other.end()  # waits for nobody
        assert stored().keys() == set(SHOWS)  # for us; the other one's are committed
    assert not waiting()
    assert stored() == before


@pytest.mark.django_db(transaction=True)
def test_two_who_fold_the_same_show_lose_nobody(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(months, "FOLDED_AT_ONCE", 2)
    some = keys(90)
    for number in range(0, 90, 30):
        months.add({month_of(SHOWS[0]): some[number : number + 30]})

    with transaction.atomic():
        months.fold()
        other = Beside(months.fold_all)
        other.wait_until_it_waits()
        assert listeners(SHOWS[0]) == counted_at_once(some)
    other.end()

    assert not waiting()
    assert stored() == {SHOWS[0]: counted_at_once(some)}


@pytest.mark.django_db(transaction=True)
def test_many_may_add_and_fold_at_once_and_a_reader_never_sees_less_than_before(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(months, "FOLDED_AT_ONCE", 3)
    parts = [keys(40) for _ in range(3)]

    def work(part: list[bytes]) -> None:
        for number in range(0, len(part), 5):
            some = part[number : number + 5]
            with transaction.atomic():
                months.add({month_of(show): some for show in SHOWS})
            months.fold_all()

    workers = [Beside(lambda part=part: work(part)) for part in parts]  # type: ignore[misc]
    seen = []
    while any(worker.is_alive for worker in workers):
        seen.append(listeners(SHOWS[0]))
    for worker in workers:
        worker.end()
    months.fold_all()

    assert seen == sorted(seen)
    assert not waiting()
    assert stored() == dict.fromkeys(
        SHOWS, counted_at_once([key for part in parts for key in part])
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("every", [0.0, 3600.0])
def test_a_counter_folds_now_and_then_and_before_it_leaves(
    every: float, transactional_db: None, client: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter, "FOLD_EVERY_SECONDS", every)
    monkeypatch.setattr(months, "FOLDED_AT_ONCE", 2)
    folded: list[Place | None] = []
    fold = months.fold

    def watched(after: Place) -> Place | None:
        folded.append(after)
        return fold(after)

    monkeypatch.setattr(months, "fold", watched)
    months.add({month_of(show): keys(5) for show in SHOWS})
    at_work = Counter()
    at_work._folded_at = time.monotonic()
    stop = threading.Event()
    thread = threading.Thread(target=at_work.run, args=(stop,))
    thread.start()
    try:
        if every:
            wait_until(lambda: at_work._cursor is not None)
            assert not folded
        else:
            wait_until(lambda: not waiting())
            months.add({month_of(SHOWS[0]): keys(5)})
            wait_until(lambda: not waiting())
    finally:
        stop.set()
        thread.join(timeout=20)

    assert not thread.is_alive()
    assert not waiting()
    assert stored().keys() == set(SHOWS)


@pytest.mark.django_db(transaction=True)
def test_a_sketch_that_can_not_be_read_stops_no_counter(
    transactional_db: None, send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    aired = Aired(EpisodeFactory())
    MonthListeners.objects.create(
        organization_id=ORGANIZATION, show_id=SHOWS[0], month=OCTOBER, sketch=b"", listeners=5
    )
    months.add({month_of(SHOWS[0]): keys(5)})
    stop = threading.Event()
    thread = threading.Thread(target=Counter().run, args=(stop,))
    thread.start()
    try:
        send(*aired.hits(whole(when=now())))
        wait_until(Download.objects.exists)
    finally:
        stop.set()
        thread.join(timeout=20)

    assert not thread.is_alive()
    assert waiting()[SHOWS[0]] == 1  # for whoever mends it
    assert "can't be brought into" in caplog.text


@pytest.mark.usefixtures("noon")
def test_nothing_that_arrived_under_a_months_key_outlives_it(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(whole(), whole(agent=AGENTS[1])))
    count()
    assert waiting()

    close_expired(now=MONTH_OVER)

    assert not MonthKey.objects.exists()
    assert not waiting()
    assert stored() == {aired.episode.show_id: 2}


@pytest.mark.usefixtures("noon")
def test_the_key_of_a_month_stays_as_long_as_a_day_of_it_is_open(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(whole()))
    count()

    close_expired(now=MONTH_OVER - timedelta(seconds=1))
    assert MonthKey.objects.get().month == OCTOBER
    assert waiting()  # for a counter


@pytest.mark.django_db(transaction=True)
def test_the_key_of_a_month_is_destroyed_later_where_somebody_counts_for_long(
    noon: time_machine.Traveller, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PATIENCE", "50ms")
    months.keys_of([OCTOBER])

    with transaction.atomic():
        shadow.wait_for_recounts()
        months.add({month_of(SHOWS[0]): keys(5)})
        Beside(lambda: close_expired(now=MONTH_OVER)).end()
    assert MonthKey.objects.get().month == OCTOBER
    assert waiting()

    close_expired(now=MONTH_OVER)
    assert not MonthKey.objects.exists()
    assert not waiting()
    assert stored().keys() == {SHOWS[0]}
