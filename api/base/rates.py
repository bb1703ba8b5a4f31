"""How often one actor may ask, told in headers of every answer: see ``apps.core.buckets``."""

from dataclasses import dataclass, replace

from django.conf import settings
from rest_framework.request import Request

from apps.accounts.actors import Actor, name_of, token_of
from apps.core.addresses import client_address, listener_address
from apps.core.buckets import WINDOW_SECONDS, Spent, spend_from

__all__ = [
    "WINDOW_SECONDS",
    "Asker",
    "Spent",
    "asker",
    "asker_of",
    "guesser",
    "guesser_at",
    "spend",
]


# So many tokens of one person or organisation may use all of their quotas at the same time.
MOST_AT_FULL_RATE = 5


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose requests are counted together, and how many they may make a minute."""

    name: str
    quota: int
    # Of whom all tokens are counted together as well: else another token were another quota.
    together: str = ""


def spend(who: Asker) -> Spent | None:
    """Count a request; None when nobody can count, which stops nobody from working."""
    spent = spend_from(who.name, who.quota)
    if spent is None or not spent.is_allowed or not who.together:
        return spent
    of_all = spend_from(who.together, who.quota * MOST_AT_FULL_RATE)
    if of_all is None or of_all.is_allowed:
        return spent
    return replace(
        spent,
        is_allowed=False,
        remaining=0,
        reset_seconds=of_all.reset_seconds,
        wait_seconds=of_all.wait_seconds,
    )


def asker(request: Request) -> Asker:
    """Whose requests are counted together: a token's, a person's, or else an address's."""
    return asker_of(request.user) if request.user.is_authenticated else guesser(request)


def asker_of(actor: Actor) -> Asker:
    """Of a token or a person."""
    token = token_of(actor)
    together = f"tokens:{token.user_id or token.organization_id}" if token is not None else ""
    return Asker(name_of(actor), settings.API_RATE, together)


def guesser(request: Request) -> Asker:
    """Of an address that nobody is known to be at."""
    return guesser_at(request.META.get("REMOTE_ADDR"), request.headers.get("X-Forwarded-For", ""))


def guesser_at(peer: str | None, forwarded_for: str) -> Asker:
    """As :func:`guesser`, for what is no request of Django's.

    Of IPv6 the first 64 bits: whoever has one address there has all the others of its network.
    """
    address = listener_address(client_address(peer, forwarded_for))
    return Asker(f"address:{address}", settings.API_RATE_ANONYMOUS)
