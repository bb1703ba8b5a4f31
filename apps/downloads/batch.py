"""What a batch of messages adds up to, before it is written: pure, and independent of order."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from apps.downloads import stream
from apps.downloads.agents import Agent
from apps.downloads.hit import Hit, MalformedHitError, read_hit
from apps.downloads.intervals import Interval
from apps.downloads.keys import Keyed
from apps.downloads.rules import Accepted, DropReason, judge

_HOUR_MS = 3_600_000
MAX_REFERRER_LENGTH = 255


class Message(NamedTuple):
    """One report of a response; ``hit`` is None when ``raw`` can't be read.

    ``added_at_ms`` is when it entered the stream; a spooled one did so long after the event.
    """

    raw: bytes
    hit: Hit | None
    added_at_ms: int
    is_spooled: bool = False


class Owner(NamedTuple):
    """To whom an episode belongs, and in which time zone its show's charts are drawn."""

    organization: UUID
    show: UUID
    time_zone: ZoneInfo = ZoneInfo("UTC")


type Lookup = tuple[int, int, bytes, int]
"""A key of coverage as what hashes fast."""


class CoverageKey(NamedTuple):
    """What makes a row of coverage unique."""

    episode: UUID
    day: date
    listener_key: bytes
    rendition: UUID

    @property
    def lookup(self) -> Lookup:
        """The same as what hashes fast: a UUID does so in Python."""
        return (self.episode.int, self.day.toordinal(), self.listener_key, self.rendition.int)


@dataclass(slots=True)
class Piece:
    """What a batch adds to one row of coverage, and what is known of a download it may make.

    ``first_at_ms`` is in milliseconds of Unix time. The address and the agent's text are stored
    nowhere.
    """

    key: CoverageKey
    lookup: Lookup  # the key's
    owner: Owner
    keyed: Keyed
    ip: str
    address: str
    agent_text: str
    agent: Agent
    told_country: str
    threshold_bytes: int
    first_at_ms: int
    referrer: str = ""
    is_sent_on: bool = False
    sent: list[Interval] = field(default_factory=list)


class DropKey(NamedTuple):
    """What a tally of dropped responses is kept for."""

    day: date
    organization: UUID | None
    show: UUID | None
    episode: UUID | None
    reason: DropReason


type Pieces = dict[Lookup, Piece]
"""By the ``lookup`` of their keys."""


@dataclass(slots=True)
class Batch:
    """``listening`` are (message, listener key) of hits that passed the rules. ``to_keep`` are the
    messages of open days, each with its day, for counting the day again.
    """

    pieces: Pieces = field(default_factory=dict)
    drops: Counter[DropKey] = field(default_factory=Counter)
    tallied: set[UUID] = field(default_factory=set)
    listening: list[tuple[Message, bytes]] = field(default_factory=list)
    to_keep: list[tuple[date, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rules need to know besides the hit itself; ``owners`` are by episodes' numbers."""

    now: datetime
    # The day to which a time, in milliseconds of Unix time, belongs; open if it has a key.
    day_of: Callable[[int], date | None]
    owners: Mapping[int, Owner]  # of the episodes that exist
    day_keys: Mapping[date, bytes]
    data_centres: Container[str]
    classify: Callable[[str], Agent]
    already_tallied: Container[UUID] = ()


def read_message(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Message:
    """A stream entry as a message; the first part of its id is the stream's time."""
    raw = fields.get(stream.FIELD, b"")
    try:
        hit = read_hit(raw)
    except MalformedHitError:
        hit = None
    added_at_ms = int(entry_id[: entry_id.index(b"-")])
    return Message(raw, hit, added_at_ms, stream.SPOOLED_FIELD in fields)


def days_of(messages: Iterable[Message], day_of: Callable[[int], date | None]) -> set[date]:
    """The open days for which keys are needed."""
    # Most of a batch began within the same hour, and an hour lies in one day.
    hours = {message.hit.at // _HOUR_MS for message in messages if message.hit is not None}
    days = (day_of(hour * _HOUR_MS) for hour in hours)
    return {day for day in days if day is not None}


def gather(messages: Iterable[Message], around: Surroundings) -> Batch:
    """Judge every message and unite what was accepted."""
    batch, today = Batch(), around.now.date()
    keyed = {day: Keyed(key) for day, key in around.day_keys.items()}
    for message in messages:
        hit = message.hit
        if hit is None:
            batch.drops[DropKey(today, None, None, None, DropReason.MALFORMED)] += 1
            continue
        day = around.day_of(hit.at)
        if day not in keyed:  # closed by a clock that is ahead of ours
            day = None
        if day is not None:
            batch.to_keep.append((day, message.raw))
        agent = around.classify(hit.agent)
        verdict = judge(hit, agent=agent, day=day, data_centres=around.data_centres)
        owner = around.owners.get(hit.episode.int)
        if isinstance(verdict, Accepted) and owner is not None:
            who = _accept(batch, hit, verdict, agent, owner, keyed[verdict.day])
            batch.listening.append((message, who))
        else:
            reason = verdict if isinstance(verdict, DropReason) else DropReason.UNKNOWN_EPISODE
            _drop(batch, hit, reason, owner, day or today, around.already_tallied)
    return batch


def _accept(
    batch: Batch, hit: Hit, accepted: Accepted, agent: Agent, owner: Owner, keyed: Keyed
) -> bytes:
    """Add the hit's bytes to its piece; the listener's key."""
    who = keyed.listener(owner.organization, accepted.address, hit.agent)
    key = CoverageKey(hit.episode, accepted.day, who, hit.rendition)
    lookup = key.lookup
    piece = batch.pieces.get(lookup)
    if piece is None:
        piece = batch.pieces[lookup] = Piece(
            key=key,
            lookup=lookup,
            owner=owner,
            keyed=keyed,
            ip=hit.ip,
            address=accepted.address,
            agent_text=hit.agent,
            agent=agent,
            told_country=hit.country,
            threshold_bytes=accepted.threshold_bytes,
            first_at_ms=hit.at,
        )
    elif hit.at < piece.first_at_ms:
        piece.first_at_ms = hit.at
    if hit.referrer and (not piece.referrer or hit.referrer < piece.referrer):
        piece.referrer = hit.referrer[:MAX_REFERRER_LENGTH]
    if hit.country and (not piece.told_country or hit.country < piece.told_country):
        piece.told_country = hit.country
    piece.is_sent_on |= accepted.is_sent_on
    piece.sent += accepted.sent
    return who


def _drop(
    batch: Batch,
    hit: Hit,
    reason: DropReason,
    owner: Owner | None,
    day: date,
    already_tallied: Container[UUID],
) -> None:
    """Tally a response once: at its last report, and not again when that is repeated."""
    if not hit.final or hit.id in already_tallied or hit.id in batch.tallied:
        return
    batch.tallied.add(hit.id)
    organization, show, episode = (*owner[:2], hit.episode) if owner else (None, None, None)
    batch.drops[DropKey(day, organization, show, episode, reason)] += 1
