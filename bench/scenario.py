"""How long and how often is measured, and with what: what every scenario is given."""

import sys
from dataclasses import dataclass, field

from bench.load.job import Job, Outcome
from bench.servers import Server
from bench.stored import Seeded
from tests.instance import Instance


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of everything; `quick` shows that it works and measures nothing."""

    rounds: int
    seconds: float = 4.0
    warm_up_seconds: float = 1.0
    large_bytes: int = 60_000_000
    hits: int = 40_000
    listeners: int = 10_000
    coverage: tuple[int, ...] = (100_000, 1_000_000, 10_000_000)  # rows there before
    delays: int = 20
    crowds: tuple[int, int] = (1_000, 5_000)
    slow_seconds: float = 20.0
    dashboards: int = 500
    live_shows: int = 50
    live_seconds: float = 30.0
    chart_episodes: int = 1_000
    chart_days: int = 730
    chart_tries: int = 15
    list_tries: int = 41

    @classmethod
    def quick(cls) -> "Extent":
        """A few seconds in all."""
        return cls(
            rounds=1,
            seconds=1.5,
            warm_up_seconds=0.5,
            large_bytes=6_000_000,
            hits=2_000,
            listeners=500,
            coverage=(1_000, 5_000),
            delays=2,
            crowds=(100, 500),
            slow_seconds=4.0,
            dashboards=20,
            live_shows=4,
            live_seconds=3.0,
            chart_episodes=60,
            chart_days=60,
            chart_tries=3,
            list_tries=3,
        )


@dataclass(frozen=True, slots=True)
class Scene:
    """A running instance with content."""

    instance: Instance
    server: Server
    seeded: Seeded
    extent: Extent
    is_own_loopback: bool = False
    sent: list[tuple[Job, Outcome]] = field(
        default_factory=list
    )  # to our episodes, before the last check


def say(text: str) -> None:
    """Tell whoever waits for the figures what is going on."""
    sys.stderr.write(f"{text}\n")
