"""The reasons for which requests are not counted, explained to whoever asks for their downloads."""

from dataclasses import dataclass
from typing import NamedTuple

from apps.downloads.rules import DropReason

# Beside the reasons of rules.DropReason: what was kept, but is no download (yet).
BELOW_THRESHOLD = "below_threshold"
QUARANTINED = "quarantined"
_KEPT_LABELS = {
    BELOW_THRESHOLD: "Less than a minute of audio was sent",
    QUARANTINED: "Very many downloads from one address: waiting for review",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the reason is, whose rule it is, and what the podcaster can do about it, if anything."""

    reason: str
    label: str
    what: str
    source: str
    advice: str


class _Text(NamedTuple):
    what: str
    source: str
    advice: str


_NOTHING = "Nothing: it was no listener."
_OURS = "A choice of ours"
_IAB = "IAB v2.3"

_TEXTS: dict[str, _Text] = {
    BELOW_THRESHOLD: _Text(
        "A listener began and got less than one minute of audio that day. Many hosts count the "
        "request itself; we count what was sent. This is most of the difference for most shows.",
        f"{_IAB}, 5.5.3 (one minute of audio)",
        "Give listeners a reason to stay: a short beginning, and chapters. Apps that fetch only "
        "the start of every new episode never become downloads.",
    ),
    QUARANTINED: _Text(
        "One address made more downloads in a day than the limit. The rest waits until a person "
        "has looked at it, and is in no total until then.",
        f"{_IAB} asks for a filter of addresses; the limit is ours",
        "A school, a company or a mobile network behind one address is real: ask whoever runs "
        "this installation to release it.",
    ),
    DropReason.PROBE: _Text(
        "A request for the first two bytes, with which a player learns whether it can skip. The "
        "real request follows and is judged by itself.",
        f"{_IAB}, filtering of probes",
        _NOTHING,
    ),
    DropReason.BOT: _Text(
        "A program known to fetch files without anybody listening: search engines, directories "
        "that check your feed, monitoring, caches of apps.",
        f"{_IAB}, filtering of bots; which they are says the list of user agents",
        _NOTHING,
    ),
    DropReason.CRAWLER: _Text(
        "An agent in no list that calls itself a bot, a crawler or a spider.",
        _OURS,
        "If it is your app, let it send a name of its own.",
    ),
    DropReason.SERVER_LIBRARY: _Text(
        "A software library that programs on servers use (curl, Python, Go and others) and no "
        "player does.",
        f"{_IAB}, filtering of bots; which they are says the list of user agents",
        "If you download your own episodes with a script, this is it.",
    ),
    DropReason.BLANK_AGENT: _Text(
        "The request did not say which program it comes from. Every podcast app does.",
        f"{_IAB}, filtering of unknown agents",
        _NOTHING,
    ),
    DropReason.METHOD: _Text(
        "The program asked about the file (how large, how old) and did not want the audio.",
        f"{_IAB}, 5.5.2 (only GET)",
        _NOTHING,
    ),
    DropReason.STATUS: _Text(
        "The answer held no audio: the app already had the file, the address was wrong, or the "
        "range that it asked for does not exist.",
        f"{_IAB}, 5.5.2 (only answers with audio)",
        "If this is large and new, open an episode in an app: a wrong address in an old feed "
        "looks like this.",
    ),
    DropReason.APPLE_WATCH: _Text(
        "An Apple Watch fetched again what the phone beside it had downloaded.",
        f"{_IAB}, Apple Watch",
        "Nothing: the phone's download is counted.",
    ),
    DropReason.DATA_CENTRE: _Text(
        "A web browser at an address of a data centre or a VPN. Podcast apps at such addresses "
        "do count.",
        f"{_IAB}, filtering of addresses; browsers only is our choice",
        "Nothing. Listeners with a VPN in their browser are few.",
    ),
    DropReason.NOTHING_SENT: _Text(
        "The connection ended before the first byte of the file went out.",
        f"{_IAB}, 5.5.3 (only what was sent)",
        "Nothing; if it is much, the line or the server was overloaded.",
    ),
    DropReason.CDN_FETCH: _Text(
        "The content delivery network fetched the file to hand it on. Its listeners are counted "
        "from its own logs.",
        f"{_IAB}, only requests of listeners",
        "Nothing: the listeners are counted where they were served.",
    ),
    DropReason.REDIRECT: _Text(
        "The listener was sent on to the bucket or network that delivers the audio. Today such "
        "requests are counted, provisionally, until the logs say more.",
        f"{_IAB}, 5.5.2 (redirects are no downloads)",
        "Nothing: only days before this was counted have it.",
    ),
    DropReason.NO_ADDRESS: _Text(
        "Nobody can say which listener it was: the request carried no usable address.",
        f"{_IAB}, a listener is an address and an agent",
        "If it is much, a proxy in front of Longwave hides the addresses: tell whoever runs it.",
    ),
    DropReason.OUTSIDE_WINDOW: _Text(
        "The report came more than 72 hours after its day, when the day's key was gone.",
        f"{_OURS}: listeners' keys are destroyed then",
        "If it is much, logs reach Longwave too late: tell whoever runs it.",
    ),
    DropReason.UNKNOWN_EPISODE: _Text(
        "The episode was deleted for good before the request was counted.",
        _OURS,
        "Nothing.",
    ),
    DropReason.MALFORMED: _Text(
        "The record of the request could not be read.",
        _OURS,
        "If there are any, tell whoever runs this installation.",
    ),
}


def drop_label(reason: str) -> str:
    """A reason in words."""
    return _KEPT_LABELS.get(reason) or DropReason(reason).label


def explain(reason: str) -> Explanation:
    """What is to be said of a reason."""
    return Explanation(reason, drop_label(reason), *_TEXTS[reason])


def explanations() -> list[Explanation]:
    """All reasons there are."""
    return [explain(reason) for reason in _TEXTS]
