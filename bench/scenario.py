"""How long and how often is measured, and with what: what every scenario is given."""

from dataclasses import dataclass

from bench.place import Server
from bench.stored import Seeded
from tests.instance import Instance


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of everything; `quick` shows that it works and measures nothing."""

    rounds: int
    seconds: float = 4.0
    warm_up_seconds: float = 1.0
    large_bytes: int = 60_000_000
    hits: int = 20_000
    listeners: int = 5_000
    delays: int = 20

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
            delays=2,
        )


@dataclass(frozen=True, slots=True)
class Scene:
    """A running instance with content."""

    instance: Instance
    server: Server
    seeded: Seeded
    extent: Extent
