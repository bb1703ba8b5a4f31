"""Which hits may become downloads: IAB v2.3's rules in order, each drop with its reason."""

import re
from collections.abc import Container
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from apps.core.addresses import listener_address
from apps.downloads.agents import MAX_CACHED_AGENTS, Agent, AgentKind
from apps.downloads.hit import Hit
from apps.downloads.intervals import Interval, clip
from apps.downloads.threshold import threshold_bytes

_WATCH = re.compile(r"^atc/.*watchOS|\(null\)/\(null\) watchOS", re.DOTALL)
_CRAWLER = re.compile(r"bot|crawler|spider", re.IGNORECASE)
# To the bucket or the CDN; see docs/delivery.md.
_REDIRECTED = 302
_PROBE = re.compile(r"\s*bytes\s*=\s*0\s*-\s*1\s*", re.IGNORECASE)


class DropReason(StrEnum):
    """Why a hit was not counted; stored, so a value never changes."""

    MALFORMED = "malformed"
    CDN_FETCH = "cdn_fetch"
    METHOD = "method"
    REDIRECT = "redirect"  # of days before such requests were counted provisionally
    STATUS = "status"
    APPLE_WATCH = "apple_watch"
    BLANK_AGENT = "blank_agent"
    BOT = "bot"
    SERVER_LIBRARY = "server_library"
    CRAWLER = "crawler"
    NO_ADDRESS = "no_address"
    DATA_CENTRE = "data_centre"
    PROBE = "probe"
    NOTHING_SENT = "nothing_sent"
    OUTSIDE_WINDOW = "outside_window"
    UNKNOWN_EPISODE = "unknown_episode"

    @property
    def label(self) -> str:
        """The reason in words, for people."""
        return _LABELS[self]


_LABELS = {
    DropReason.MALFORMED: "The record of the request could not be read",
    DropReason.CDN_FETCH: "Fetched by the CDN, in whose logs the listeners are",
    DropReason.METHOD: "Only asked about the file (HEAD or another method)",
    DropReason.REDIRECT: "Sent on to the bucket or the CDN, which delivers the audio",
    DropReason.STATUS: "Answered without audio (not modified, not found, refused)",
    DropReason.APPLE_WATCH: "Apple Watch repeating the paired phone's download",
    DropReason.BLANK_AGENT: "Did not say which app it is",
    DropReason.BOT: "Known bot",
    DropReason.SERVER_LIBRARY: "Software library used by servers",
    DropReason.CRAWLER: "Unknown agent that calls itself a bot, crawler or spider",
    DropReason.NO_ADDRESS: "No usable address",
    DropReason.DATA_CENTRE: "Browser in a data centre or VPN",
    DropReason.PROBE: "Asked for the first two bytes only",
    DropReason.NOTHING_SENT: "Left before the first byte",
    DropReason.OUTSIDE_WINDOW: "Reported too late to be counted",
    DropReason.UNKNOWN_EPISODE: "The episode no longer exists",
}


class Accepted(NamedTuple):
    """A hit that adds bytes to the coverage of one listener on one day."""

    day: date
    address: str
    sent: tuple[Interval, ...]
    threshold_bytes: int
    # Whoever the listener was sent on to serves the bytes: their logs will say how many.
    is_sent_on: bool = False


def judge(
    hit: Hit, *, agent: Agent, day: date | None, data_centres: Container[str]
) -> Accepted | DropReason:
    """Whether the hit may count, and if not, by which rule; ``agent`` is what its agent is.

    ``day`` is the one that its bytes would be added to, None when that is closed.
    """
    if hit.size <= 0 or hit.header < 0 or hit.duration_ms < 0:
        return DropReason.MALFORMED
    address = listener_address(hit.ip)
    dropped = (
        _by_response(hit)
        or _by_agent(hit.agent, agent)
        or _by_address(address, hit.ip, agent, data_centres)
    )
    if dropped:
        return dropped
    # IAB v2.3: players ask this to learn whether ranges work.
    if hit.range and _PROBE.fullmatch(hit.range):
        return DropReason.PROBE
    is_sent_on = hit.status == _REDIRECTED
    sent = () if is_sent_on else clip(hit.sent, hit.size)
    if not sent and not is_sent_on:
        return DropReason.NOTHING_SENT
    if day is None:
        return DropReason.OUTSIDE_WINDOW
    threshold = threshold_bytes(
        size_bytes=hit.size, header_bytes=hit.header, duration_ms=hit.duration_ms
    )
    return Accepted(day, address, sent, threshold, is_sent_on)


def _by_response(hit: Hit) -> DropReason | None:
    """IAB v2.3, 5.5.2: only a GET that was answered with (a part of) the file, or sent to it.

    What a CDN fetched it hands to any number of listeners, who are in its own logs.
    """
    if hit.via:
        return DropReason.CDN_FETCH
    if hit.method != "GET":
        return DropReason.METHOD
    if hit.status not in (200, 206, _REDIRECTED):
        return DropReason.STATUS
    return None


@lru_cache(maxsize=MAX_CACHED_AGENTS)
def _by_agent(text: str, agent: Agent) -> DropReason | None:
    if _WATCH.search(text):
        return DropReason.APPLE_WATCH
    if not text.strip():
        return DropReason.BLANK_AGENT
    if agent.kind is AgentKind.BOT:
        return DropReason.BOT
    if agent.is_server_library:
        return DropReason.SERVER_LIBRARY
    if agent.kind is AgentKind.UNKNOWN and _CRAWLER.search(text):
        return DropReason.CRAWLER
    return None


def _by_address(
    address: str, whole: str, agent: Agent, data_centres: Container[str]
) -> DropReason | None:
    """Apps run in data centres behind VPNs and private relays; people's browsers rarely do."""
    if not address:
        return DropReason.NO_ADDRESS
    if agent.kind is AgentKind.BROWSER and whole in data_centres:
        return DropReason.DATA_CENTRE
    return None
