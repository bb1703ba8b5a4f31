"""What a referrer is: a web player that is known by name, or else just a site."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from apps.downloads.user_agents.cost import MAX_LENGTH
from apps.downloads.user_agents.current import Reloaded, own_matcher
from apps.downloads.user_agents.matching import Matcher

MAX_CACHED_REFERRERS = 10_000
_LIST = "referrers"


@dataclass(frozen=True, slots=True)
class Referrer:
    """``category``: "app" for an app on the web, "host" for a podcast host's player, or empty."""

    name: str = ""
    category: str = ""
    is_known: bool = False


class ReferrerList:
    """The operator's referrers, then ours."""

    def __init__(self, given: Matcher | None, own: Matcher) -> None:
        self._matchers = [given, own] if given else [own]
        self.find = lru_cache(maxsize=MAX_CACHED_REFERRERS)(self._find)

    def _find(self, referrer: str) -> Referrer:
        host = _host(referrer)
        # A hit carries the host alone; patterns are written for whole addresses.
        texts = dict.fromkeys((referrer, f"https://{host}/"))
        for matcher in self._matchers:
            for text in texts:
                entry = matcher.first(_LIST, text[:MAX_LENGTH])
                if entry is not None:
                    return Referrer(entry.name, entry.category, is_known=True)
        return Referrer(host.removeprefix("www."))


_in_force = Reloaded(lambda given: ReferrerList(given, own_matcher()))


def find_referrer(host_or_url: str) -> Referrer:
    """What the referrer of a request is; its name is the bare host when no list knows it."""
    text = host_or_url[:MAX_LENGTH].strip()
    return _in_force.get().find(text) if text else Referrer()


def referrer_name(host_or_url: str) -> str:
    """What to call it in a list of referrers; empty for none."""
    return find_referrer(host_or_url).name


def _host(referrer: str) -> str:
    try:
        return urlsplit(referrer if "//" in referrer else f"//{referrer}").hostname or ""
    except ValueError:
        return ""
