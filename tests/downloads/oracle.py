"""What a perfect counter says: "how a download is counted" word by word, with sets of offsets.

It shares nothing with the product but what a hit is, what an agent is and where an address lies.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from apps.downloads.agents import classify
from apps.downloads.countries import country_of
from apps.downloads.hit import Hit


class Owner(NamedTuple):
    """To whom an episode belongs."""

    organization: UUID
    show: UUID
    time_zone: ZoneInfo


class Listening(NamedTuple):
    """What counts once: a listener, an episode and a UTC day."""

    day: date
    episode: UUID
    address: str
    agent: str


@dataclass
class File:
    """One file version, as one listener got it."""

    threshold: int
    served: set[int] = field(default_factory=set)
    begun: list[datetime] = field(default_factory=list)
    is_sent_on: bool = False

    def has_reached(self) -> bool:
        return len(self.served) >= self.threshold


class Download(NamedTuple):
    """A row of downloads, but for what depends on the moment of counting."""

    organization: UUID
    show: UUID
    episode: UUID
    day: date
    local_day: date
    first_at: datetime
    app: str
    category: str
    device: str
    platform: str
    country: str
    referrer: str
    is_provisional: bool


type Total = tuple[int, int]
"""Downloads, and how many of them are provisional."""


@dataclass
class Count:
    """Everything that there is to know."""

    files: dict[tuple[Listening, UUID], File] = field(default_factory=dict)
    downloads: dict[Listening, Download] = field(default_factory=dict)
    drops: Counter[tuple[Any, ...]] = field(default_factory=Counter)

    def listeners(self) -> dict[tuple[UUID, UUID, date], int]:
        """Distinct ones by organisation, show and UTC day."""
        found: defaultdict[tuple[UUID, UUID, date], set[tuple[str, str]]] = defaultdict(set)
        for who, made in self.downloads.items():
            found[made.organization, made.show, who.day].add((who.address, who.agent))
        return {key: len(listeners) for key, listeners in found.items()}

    def unfinished(self) -> Counter[tuple[date, UUID]]:
        """Listeners whose bytes did not suffice, by UTC day and episode."""
        tried = {who for who, _ in self.files}
        return Counter((who.day, who.episode) for who in tried - self.downloads.keys())


def count(hits: Iterable[Hit], *, owners: Mapping[UUID, Owner], now: datetime) -> Count:
    """Count these hits, as reported until now."""
    result = Count()
    referrers: dict[Listening, str] = {}
    addresses: dict[Listening, str] = {}
    dropped: set[UUID] = set()
    for hit in hits:
        at = datetime.fromtimestamp(hit.at / 1000, UTC)
        reason = why_dropped(hit, at, now) or ("" if hit.episode in owners else "unknown_episode")
        if reason:
            if hit.final and hit.id not in dropped:
                dropped.add(hit.id)
                owner = owners.get(hit.episode)
                whose = (owner.organization, owner.show, hit.episode) if owner else (None,) * 3
                day = at.date() if is_open(at, now) else now.date()
                result.drops[(day, *whose, reason)] += 1
            continue
        who = Listening(at.date(), hit.episode, listener_address(hit.ip), hit.agent)
        file = result.files.setdefault((who, hit.rendition), File(threshold(hit)))
        file.begun.append(at)
        if hit.status == 302:
            file.is_sent_on = True
        else:
            file.served |= bytes_of(hit)
        referrers[who], addresses[who] = hit.referrer, hit.ip
    for who in {who for who, _ in result.files}:
        files = [file for (whose, _), file in result.files.items() if whose == who]
        files = [file for file in files if file.has_reached() or file.is_sent_on]
        if files:
            result.downloads[who] = _download(
                who, files, owners[who.episode], referrers[who], addresses[who]
            )
    return result


def _download(
    who: Listening, files: list[File], owner: Owner, referrer: str, address: str
) -> Download:
    agent = classify(who.agent)
    first_at = min(at for file in files for at in file.begun)
    return Download(
        owner.organization,
        owner.show,
        who.episode,
        who.day,
        first_at.astimezone(owner.time_zone).date(),
        first_at,
        agent.name,
        agent.kind.value,
        agent.device,
        agent.platform,
        country_of(address),
        referrer,
        is_provisional=not any(file.has_reached() for file in files),
    )


def why_dropped(hit: Hit, at: datetime, now: datetime) -> str:
    """By which rule a request does not count; "" when it does."""
    agent, text = classify(hit.agent), hit.agent
    is_watch = re.match(r"atc/.*watchOS", text) or "(null)/(null) watchOS" in text
    is_crawler = agent.kind == "unknown" and re.search("bot|crawler|spider", text.lower())
    rules = {
        "cdn_fetch": bool(hit.via),
        "method": hit.method != "GET",
        # 302: known from the request only, until the logs of whoever has the bytes come.
        "status": hit.status not in {200, 206, 302},
        "apple_watch": bool(is_watch),
        "blank_agent": not text.strip(),
        "bot": agent.kind == "bot",
        "server_library": agent.is_server_library,
        "crawler": bool(is_crawler),
        "no_address": not hit.ip,
        "probe": hit.range == "bytes=0-1",
        "nothing_sent": hit.status != 302 and not bytes_of(hit),
        "outside_window": not is_open(at, now),
    }
    return next((reason for reason, is_broken in rules.items() if is_broken), "")


def is_open(at: datetime, now: datetime) -> bool:
    """Until 72 h after the end of the UTC day; not what lies ahead."""
    end_of_day = datetime(at.year, at.month, at.day, tzinfo=UTC) + timedelta(days=1)
    return now < end_of_day + timedelta(hours=72) and at <= now + timedelta(minutes=10)


def listener_address(ip: str) -> str:
    """IPv4 whole, also in the form of IPv6; of IPv6 the first 64 bits."""
    address = ip_address(ip)
    if address.version == 6 and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address) if address.version == 4 else str(ip_network(f"{ip}/64", strict=False))


def threshold(hit: Hit) -> int:
    """The header and one minute, rounded up; all of a shorter or unknown file."""
    if hit.duration_ms < 60_000:
        return hit.size
    audio, rest = divmod((hit.size - hit.header) * 60_000, hit.duration_ms)
    return hit.header + audio + (1 if rest else 0)


def bytes_of(hit: Hit) -> set[int]:
    """The offsets that were sent."""
    return {byte for start, end in hit.sent for byte in range(start, end) if byte < hit.size}


type Totals = dict[tuple[Any, ...], Total]


def hours(downloads: Iterable[Download]) -> Totals:
    """By scope and hour."""
    return _add_up(
        ((*scope, made.first_at.replace(minute=0, second=0, microsecond=0)), made)
        for made in downloads
        for scope in _scopes(made)
    )


def days(downloads: Iterable[Download]) -> Totals:
    """By scope, dimension, value and day: of the show's time zone, of UTC for the platform."""
    return _add_up(
        ((*scope, *part, _day(made, scope)), made)
        for made in downloads
        for scope in _scopes(made)
        for part in _parts(made)
    )


def months(downloads: Iterable[Download]) -> Totals:
    """By scope, dimension, value and month."""
    return _add_up(
        ((*scope, *part, _day(made, scope).replace(day=1)), made)
        for made in downloads
        for scope in _scopes(made)
        for part in _parts(made)
    )


def _scopes(made: Download) -> list[tuple[UUID | None, UUID | None, UUID | None]]:
    return [
        (None, None, None),
        (made.organization, made.show, None),
        (made.organization, made.show, made.episode),
    ]


def _parts(made: Download) -> list[tuple[str, str]]:
    parts = [("", ""), ("app", made.app), ("device", made.device), ("country", made.country)]
    return [*parts, ("referrer", made.referrer)] if made.referrer else parts


def _day(made: Download, scope: tuple[UUID | None, ...]) -> date:
    return made.local_day if scope[1] else made.first_at.date()


def _add_up(rows: Iterable[tuple[tuple[Any, ...], Download]]) -> Totals:
    totals: Totals = {}
    for key, made in rows:
        downloads, provisional = totals.get(key, (0, 0))
        totals[key] = downloads + 1, provisional + made.is_provisional
    return totals
