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
from apps.downloads.keys import address_key, listener_key
from apps.downloads.rules import Accepted, DropReason, judge
from apps.downloads.window import day_of, is_open, moment

_MINUTE_MS = 60_000
MAX_REFERRER_LENGTH = 255


class Message(NamedTuple):
    """One report of a response; ``hit`` is None when ``raw`` can't be read.

    ``added_at_ms`` is when it entered the stream; a spooled one did so long after the event.
    """

    raw: bytes
    hit: Hit | None
    added_at_ms: int
    is_spooled: bool = False


class CoverageKey(NamedTuple):
    """What makes a row of coverage unique."""

    episode: UUID
    day: date
    listener_key: bytes
    rendition: UUID


@dataclass(slots=True)
class Piece:
    """What a batch adds to one row of coverage."""

    organization: UUID
    show: UUID
    address_key: bytes
    address: str
    agent_text: str
    threshold_bytes: int
    first_at: datetime
    agent: Agent
    country: str
    time_zone: ZoneInfo
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


class Owner(NamedTuple):
    """To whom an episode belongs, and in which time zone its show's charts are drawn."""

    organization: UUID
    show: UUID
    time_zone: ZoneInfo = ZoneInfo("UTC")


@dataclass(slots=True)
class Batch:
    """``listening`` are (message, listener key) of hits that passed the rules.

    ``to_keep`` are the messages of open days, each with its day, for counting the day again.
    """

    pieces: dict[CoverageKey, Piece] = field(default_factory=dict)
    drops: Counter[DropKey] = field(default_factory=Counter)
    tallied: set[UUID] = field(default_factory=set)
    listening: list[tuple[Message, bytes]] = field(default_factory=list)
    to_keep: list[tuple[date, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rules need to know besides the hit itself."""

    now: datetime
    owners: Mapping[UUID, Owner]  # of the episodes that exist
    day_keys: Mapping[date, bytes]
    data_centres: Container[str]
    classify: Callable[[str], Agent]
    country_of: Callable[[str], str]
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


def days_of(messages: Iterable[Message], *, now: datetime) -> set[date]:
    """The open days for which keys are needed."""
    # Most of a batch began in the same few minutes, and a minute lies in one day.
    minutes = {message.hit.at // _MINUTE_MS for message in messages if message.hit is not None}
    days = set()
    for minute in minutes:
        try:
            at = moment(minute * _MINUTE_MS)
        except (ValueError, OverflowError, OSError):
            continue
        if is_open(at, now=now):
            days.add(day_of(at))
    return days


def gather(messages: Iterable[Message], around: Surroundings) -> Batch:
    """Judge every message and unite what was accepted."""
    batch = Batch()
    for message in messages:
        hit = message.hit
        if hit is None:
            batch.drops[DropKey(around.now.date(), None, None, None, DropReason.MALFORMED)] += 1
            continue
        day = _open_day(hit, around.now)
        if day is not None:
            batch.to_keep.append((day, message.raw))
        verdict = judge(
            hit,
            agent=around.classify(hit.agent),
            now=around.now,
            data_centres=around.data_centres,
        )
        owner = around.owners.get(hit.episode)
        if isinstance(verdict, Accepted) and owner is not None:
            _accept(batch, message, hit, verdict, owner, around)
        else:
            reason = verdict if isinstance(verdict, DropReason) else DropReason.UNKNOWN_EPISODE
            _drop(batch, hit, reason, owner, day, around)
    return batch


def _accept(
    batch: Batch,
    message: Message,
    hit: Hit,
    accepted: Accepted,
    owner: Owner,
    around: Surroundings,
) -> None:
    day_key = around.day_keys[accepted.day]
    who = listener_key(
        day_key, organization=owner.organization, address=accepted.address, agent=hit.agent
    )
    key = CoverageKey(hit.episode, accepted.day, who, hit.rendition)
    piece = batch.pieces.get(key)
    if piece is None:
        piece = batch.pieces[key] = Piece(
            organization=owner.organization,
            show=owner.show,
            address_key=address_key(
                day_key, organization=owner.organization, address=accepted.address
            ),
            address=accepted.address,
            agent_text=hit.agent,
            threshold_bytes=accepted.threshold_bytes,
            first_at=accepted.at,
            agent=accepted.agent,
            country=hit.country or around.country_of(hit.ip),
            time_zone=owner.time_zone,
        )
    if accepted.at < piece.first_at:
        piece.first_at = accepted.at
    if hit.referrer and (not piece.referrer or hit.referrer < piece.referrer):
        piece.referrer = hit.referrer[:MAX_REFERRER_LENGTH]
    piece.is_sent_on |= accepted.is_sent_on
    piece.sent.extend(accepted.sent)
    batch.listening.append((message, who))


def _drop(
    batch: Batch,
    hit: Hit,
    reason: DropReason,
    owner: Owner | None,
    day: date | None,
    around: Surroundings,
) -> None:
    """Tally a response once: at its last report, and not again when that is repeated.

    On the day of the request, or today when its time is none in which anything counts.
    """
    if not hit.final or hit.id in around.already_tallied or hit.id in batch.tallied:
        return
    batch.tallied.add(hit.id)
    organization, show, episode = (*owner[:2], hit.episode) if owner else (None, None, None)
    batch.drops[DropKey(day or around.now.date(), organization, show, episode, reason)] += 1


def _open_day(hit: Hit, now: datetime) -> date | None:
    """The day that this request belongs to, if it can still be counted."""
    try:
        at = moment(hit.at)
    except (ValueError, OverflowError, OSError):
        return None
    return day_of(at) if is_open(at, now=now) else None
