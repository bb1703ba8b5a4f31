"""Random traffic on a small world: few listeners, small files, and much going on at midnight."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from apps.core.ids import new_id
from apps.downloads.hit import Hit
from apps.downloads.intervals import Interval
from tests.downloads.oracle import Owner
from tests.factories import EpisodeFactory, ShowFactory

NOW = datetime(2026, 10, 14, 12, 30, tzinfo=UTC)
OPEN_DAYS = [NOW.date() - timedelta(days=number) for number in range(4)]
_MIDNIGHT = datetime(2026, 10, 14, tzinfo=UTC)

_OVERCAST = "Overcast/3.0 (+http://overcast.fm/; iOS podcast app)"
_ANTENNAPOD = "AntennaPod/3.4.0"
_UNKNOWN = "Something of somebody/1.0"
_DROPPED_AGENTS = [
    "Googlebot/2.1",
    "Spotify/1.0",
    "curl/8.0",
    "my own crawler",
    "",
    "atc/1.0 watchOS/11.0",
    "Podcasts/1 (null)/(null) watchOS/4.2",
]
_ADDRESSES = [
    "203.0.113.9",
    "::ffff:203.0.113.9",
    "8.8.8.8",
    "2001:db8:1:2::1",
    "2001:db8:1:2:ffff::2",
    "2001:db8:1:3::1",
]


@dataclass(frozen=True)
class World:
    """Who owns which episode; the last one exists no more."""

    owners: dict[UUID, Owner]

    @property
    def episodes(self) -> list[UUID]:
        return [*self.owners, UUID(int=404)]


def make_world() -> World:
    """Three shows in far time zones, two of them of one organisation, with four episodes."""
    auckland = ShowFactory(time_zone="Pacific/Auckland")
    los_angeles = ShowFactory(organization=auckland.organization, time_zone="America/Los_Angeles")
    shows = [auckland, auckland, los_angeles, ShowFactory(time_zone="UTC")]
    owners = {
        EpisodeFactory(show=show).id: Owner(show.organization_id, show.id, ZoneInfo(show.time_zone))
        for show in shows
    }
    return World(owners)


@dataclass(frozen=True)
class Response:
    """What somebody asked for and got; the rest of a hit follows from it."""

    listener: tuple[str, str]
    episode: int
    version: int
    at: datetime
    sent: tuple[Interval, ...]
    method: str = "GET"
    status: int = 206
    range: str = ""
    is_finished: bool = True
    way_of_reporting: int = 0

    def reports(self, world: World) -> list[Hit]:
        """The hits that the server sends of it: one, or several as it goes on."""
        common = self._hit(world)
        pieces = [(piece,) for piece in self.sent]
        if self.way_of_reporting == 0 or not pieces:
            parts: list[Sequence[Interval]] = [self.sent]
        elif self.way_of_reporting == 1:  # all so far
            parts = [self.sent[: number + 1] for number in range(len(pieces))]
        else:  # what is new; the end tells all
            parts = [*pieces, self.sent]
        last = len(parts) - 1
        return [
            Hit(**common, sent=tuple(part), final=self.is_finished and number == last)
            for number, part in enumerate(parts)
        ]

    def _hit(self, world: World) -> dict[str, Any]:
        episode = world.episodes[self.episode]
        size, header, duration_ms = _VERSIONS[self.version]
        address, agent = self.listener
        return {
            "id": new_id(),
            "at": int(self.at.timestamp() * 1000),
            "episode": episode,
            "show": UUID(int=1),
            "organization": UUID(int=2),
            "rendition": UUID(int=episode.int ^ self.version),
            "size": size,
            "header": header,
            "duration_ms": duration_ms,
            "method": self.method,
            "status": self.status,
            "ip": address,
            "agent": agent,
            "range": self.range,
            # One listener's referrer is always the same: which of several is kept is no count.
            "referrer": "radio.example" if agent == _UNKNOWN else "",
        }


# Size, header and duration in ms; their thresholds are 700, 800 (all) and 89 bytes.
_VERSIONS = [(1000, 100, 90_000), (800, 0, 59_999), (1200, 50, 1_800_000)]

_bounds = st.integers(0, 12).map(lambda step: step * 100)
_intervals = st.tuples(_bounds, _bounds).map(lambda pair: (min(pair), max(pair)))
_long = st.sampled_from([(0, 1200), (0, 700), (0, 699), (300, 1000), (50, 139), (0, 800)])
_moments = st.one_of(
    st.integers(-3, 3).map(lambda minute: _MIDNIGHT + timedelta(minutes=minute)),
    st.integers(-80, 14).map(lambda hour: _MIDNIGHT + timedelta(hours=hour, minutes=10)),
    st.sampled_from([NOW - timedelta(days=9), NOW + timedelta(minutes=11)]),
)
_listeners = st.tuples(
    st.sampled_from(_ADDRESSES), st.sampled_from([_OVERCAST, _ANTENNAPOD, _UNKNOWN])
)


def _responses(**fixed: st.SearchStrategy[object]) -> st.SearchStrategy[Response]:
    parts: dict[str, st.SearchStrategy[object]] = {
        "listener": _listeners,
        "episode": st.integers(0, 4),
        "version": st.integers(0, 2),
        "at": _moments,
        "sent": st.lists(st.one_of(_intervals, _long), max_size=4).map(tuple),
        "is_finished": st.integers(0, 5).map(bool),
        "way_of_reporting": st.integers(0, 2),
    }
    return st.builds(Response, **(parts | fixed))


# One listener and one night on a few episodes: there the rules meet. Much is sent.
_crowd = _responses(
    listener=st.sampled_from([(_ADDRESSES[0], _OVERCAST), (_ADDRESSES[1], _OVERCAST)]),
    episode=st.integers(0, 1),
    at=st.integers(-90, 90).map(lambda minute: _MIDNIGHT + timedelta(minutes=minute)),
    sent=st.lists(_long, min_size=1, max_size=3).map(tuple),
    status=st.sampled_from([200, 206, 206, 302]),
)
_anybody = _responses(sent=st.lists(st.one_of(_intervals, _long), min_size=1).map(tuple))
_dropped = st.one_of(
    _responses(),
    _responses(listener=st.tuples(st.sampled_from(_ADDRESSES), st.sampled_from(_DROPPED_AGENTS))),
    _responses(status=st.sampled_from([304, 404, 416, 301]), sent=st.just(())),
    _responses(method=st.sampled_from(["HEAD", "POST"])),
    _responses(range=st.just("bytes=0-1"), sent=st.just(((0, 2),))),
)
_sent_on = _responses(status=st.just(302), sent=st.just(()))
# Most of what is asked counts: the numbers, not the drops, are where order could tell.
responses = st.integers(0, 9).flatmap(
    lambda kind: [_crowd, _anybody, _crowd, _sent_on, _anybody, _crowd, _dropped][kind % 7]
)


def mixed(
    reports: Iterable[Hit], chance: random.Random, *, is_dropped: Callable[[Hit], bool]
) -> list[Hit]:
    """In any order and some of them twice; but the end of what is dropped comes once.

    A tally of drops can't be a union: the journals see to it that nothing is shipped twice.
    """
    found = list(reports)
    again = [hit for hit in found if not (hit.final and is_dropped(hit))]
    found += chance.choices(again, k=chance.randrange(len(again) + 1)) if again else []
    chance.shuffle(found)
    return found
