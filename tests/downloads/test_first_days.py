"""First days of episodes: what is kept of them is what the hours say, whatever happens."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.downloads import first_days
from apps.downloads.first_days import MILESTONE_DAYS, Published, downloads_within, store_closed
from apps.downloads.models import DayKey, Download, FirstDays, HourTotal
from apps.downloads.quarantine import release_address
from apps.downloads.tasks import store_first_days
from apps.downloads.window import last_expired_day
from podcasts.models import Episode
from tests.beside import Beside
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory

NOW = datetime(2026, 10, 14, 15, 45, tzinfo=UTC)
HOUR = timedelta(hours=1)


def published(*days_ago: int) -> list[Episode]:
    first: Episode = EpisodeFactory(published_at=NOW - timedelta(days=days_ago[0]))
    moments = (NOW - timedelta(days=days) for days in days_ago[1:])
    return [first, *(EpisodeFactory(show=first.show, published_at=at) for at in moments)]


def with_publication(episodes: Sequence[Episode]) -> Published:
    return [(episode.pk, episode.published_at) for episode in episodes if episode.published_at]


def told(
    *episodes: Episode, now: datetime = NOW, days: Sequence[int] = MILESTONE_DAYS
) -> list[dict[int, int]]:
    """What is said of these episodes of one show."""
    found = downloads_within(
        with_publication(episodes), show=episodes[0].show_id, days=days, now=now
    )
    return [found[episode.pk] for episode in episodes]


def kept() -> set[tuple[object, int, int]]:
    return set(FirstDays.objects.values_list("episode_id", "days", "downloads"))


def leave_no_hours() -> None:
    """From now on only what is kept can tell anything."""
    HourTotal.objects.all().delete()


@pytest.mark.django_db
def test_days_begin_with_the_hour_of_publication_and_include_what_came_before() -> None:
    [episode] = published(20)
    begin = (NOW - timedelta(days=20)).replace(minute=0)
    for moment in (
        begin - timedelta(days=2),
        begin,
        begin + timedelta(days=1) - timedelta(seconds=1),
        begin + timedelta(days=1),
        begin + timedelta(days=7),
    ):
        store_download(episode, at=moment)

    assert told(episode) == [{1: 3, 3: 4, 7: 4}]
    store_closed(now=NOW)
    assert kept() == {(episode.pk, 1, 3), (episode.pk, 3, 4), (episode.pk, 7, 4)}
    assert told(episode) == [{1: 3, 3: 4, 7: 4}]


@pytest.mark.django_db
def test_nothing_is_said_of_days_that_have_not_passed() -> None:
    assert told(*published(0, 2, 200)) == [{}, {1: 0}, dict.fromkeys(MILESTONE_DAYS, 0)]


@pytest.mark.django_db
def test_days_are_kept_once_nothing_can_be_counted_for_them() -> None:
    # The 10th is closed at midnight of the 14th: seven days that end in it are over for good.
    over, open_ = published(11, 10)
    for episode in (over, open_):
        store_download(episode, at=NOW - timedelta(days=9))

    store_closed(now=NOW)
    assert {(number, days) for number, days, _ in kept()} == {
        *((over.pk, days) for days in (1, 3, 7)),
        *((open_.pk, days) for days in (1, 3)),
    }
    store_closed(now=NOW + timedelta(days=1))

    assert (open_.pk, 7, 1) in kept()


@pytest.mark.django_db
def test_a_day_whose_key_is_still_there_keeps_its_days_open() -> None:
    [episode] = published(40)
    late = (NOW - timedelta(days=35)).date()
    DayKey.objects.create(day=late, key=b"k" * 32)

    store_closed(now=NOW)
    assert {days for _, days, _ in kept()} == {1, 3}
    DayKey.objects.all().delete()
    store_closed(now=NOW)

    assert {days for _, days, _ in kept()} == {1, 3, 7, 30}
    assert episode.pk == FirstDays.objects.first().episode_id  # type: ignore[union-attr]


@pytest.mark.django_db
def test_a_counter_that_is_late_by_a_clock_has_an_hour() -> None:
    published(8)  # three days end on the 9th
    midnight = datetime(2026, 10, 13, tzinfo=UTC)

    store_closed(now=midnight + timedelta(minutes=59))
    assert {days for _, days, _ in kept()} == {1}
    store_closed(now=midnight + HOUR)

    assert {days for _, days, _ in kept()} == {1, 3}


@pytest.mark.django_db
def test_what_is_kept_is_what_is_told() -> None:
    episodes = published(200, 120)
    for episode in episodes:
        store_download(episode, at=NOW - timedelta(days=100))
    before = told(*episodes)
    assert store_closed(now=NOW) == 1
    assert store_closed(now=NOW) == 0

    leave_no_hours()

    assert (
        told(*episodes)
        == before
        == [
            dict.fromkeys((1, 3, 7, 30), 0) | {90: 0},
            {**dict.fromkeys((1, 3, 7), 0), 30: 1, 90: 1},
        ]
    )


@pytest.mark.django_db
def test_an_episode_that_moves_is_added_up_again() -> None:
    [episode] = published(200)
    store_download(episode, at=NOW - timedelta(days=150))
    store_first_days()
    assert told(episode)[0][30] == 0

    episode.published_at = NOW - timedelta(days=160)
    episode.save()
    assert told(episode)[0][30] == 1
    store_first_days()
    leave_no_hours()

    assert told(episode)[0][30] == 1


@pytest.mark.django_db
def test_what_is_released_from_review_counts_at_once() -> None:
    [episode, other] = published(100, 100)
    at = NOW - timedelta(days=98)
    address = b"a" * 16
    store_download(episode, at=at, held_address=address)
    store_download(other, at=at)
    store_closed(now=NOW)
    assert (episode.pk, 90, 0) in kept()

    release_address(organization=episode.organization_id, day=at.date(), address_key=address)

    assert {(episode.pk, 90, 1), (episode.pk, 1, 0), (other.pk, 90, 1)} <= kept()
    assert told(episode)[0] == {1: 0, 3: 1, 7: 1, 30: 1, 90: 1}


@pytest.mark.django_db
def test_a_wrong_number_is_found_and_put_right() -> None:
    [episode] = published(100)
    store_download(episode, at=NOW - timedelta(days=99, hours=12))
    store_closed(now=NOW)
    right = kept()
    call_command("rebuild_totals", "--check", stdout=StringIO())
    FirstDays.objects.filter(days=7).update(downloads=9)

    out = StringIO()
    with pytest.raises(CommandError, match="without --check"):
        call_command("rebuild_totals", "--check", stdout=out)
    assert "downloads_firstdays: 1 rows that the downloads don't say, 1 missing" in out.getvalue()
    call_command("rebuild_totals", stdout=StringIO())

    assert kept() == right


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_late", [False, True])
def test_an_import_beside_the_night_leaves_nothing_stale(
    transactional_db: None, is_late: bool
) -> None:
    """Whoever is second sees what the first one did, on whichever side of it that is."""
    [episode] = published(100)
    at = NOW - timedelta(days=99, hours=12)
    with transaction.atomic():
        store_download(episode, at=at)
        if is_late:  # the night is over before the import is
            night = Beside(lambda: store_closed(now=NOW))
            night.end()
        first_days.add_up_again([episode.show_id], changed=at.date())
        if not is_late:
            night = Beside(lambda: store_closed(now=NOW))
            night.wait_until_it_waits()
    night.end()

    assert kept() == {(episode.pk, days, 1) for days in MILESTONE_DAYS}


OFFSETS = st.integers(-3 * 24, 100 * 24)  # hours after publication
STEPS = st.one_of(
    st.tuples(st.just("download"), st.integers(0, 1), OFFSETS),
    st.tuples(st.just("move"), st.integers(0, 1), st.integers(-40 * 24, 40 * 24)),
    st.tuples(st.just("night"), st.integers(0, 40), st.booleans()),
)


@pytest.mark.django_db
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(STEPS, min_size=3, max_size=20))
def test_no_number_is_ever_stale(steps: list[tuple[str, int, int]]) -> None:
    with transaction.atomic():
        history = History(published(130, 60))
        for step in steps:
            history.go_on(*step)
            assert told(*history.episodes, now=history.now) == history.by_hand()
        transaction.set_rollback(True)


class History:
    """What may happen to two episodes: downloads of open and closed days, moves, nights."""

    def __init__(self, episodes: list[Episode]) -> None:
        self.episodes = episodes
        self.now = NOW

    def go_on(self, what: str, first: int, second: int) -> None:
        if what == "download":
            self._download(self.episodes[first], second * HOUR)
        elif what == "move":
            self._move(self.episodes[first], second * HOUR)
        else:
            self.now += timedelta(days=first)
            if second:  # or whoever closes days was away
                DayKey.objects.filter(day__lte=last_expired_day(self.now)).delete()
            store_closed(now=self.now)

    def _download(self, episode: Episode, after: timedelta) -> None:
        assert episode.published_at
        at = min(episode.published_at + after, self.now)
        if at.date() > last_expired_day(self.now):  # the counter's
            DayKey.objects.get_or_create(day=at.date(), defaults={"key": b"k" * 32})
            store_download(episode, at=at)
        else:  # an import's
            store_download(episode, at=at)
            first_days.add_up_again([episode.show_id], changed=at.date())

    def _move(self, episode: Episode, by: timedelta) -> None:
        assert episode.published_at
        episode.published_at = min(episode.published_at + by, self.now)
        episode.save()

    def by_hand(self) -> list[dict[int, int]]:
        return [
            {
                days: sum(
                    made < at.replace(minute=0) + timedelta(days=days)
                    for made in Download.objects.filter(episode_id=number).values_list(
                        "first_at", flat=True
                    )
                )
                for days in MILESTONE_DAYS
                if at + timedelta(days=days) <= self.now
            }
            for number, at in with_publication(self.episodes)
        ]
