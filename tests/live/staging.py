"""A publisher whose clock is moved by hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

from apps.live.groups import Board
from apps.live.publish import Publisher

NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)


@dataclass
class Stage:
    """A publisher whose messages are kept, and the clock that it and the product read."""

    time: time_machine.Traveller
    sent: list[tuple[float, Board, dict[str, Any]]] = field(default_factory=list)
    seconds: float = 0.0
    is_broken: bool = False

    def __post_init__(self) -> None:
        self.publisher = Publisher(send=self._keep, clock=lambda: self.seconds)

    def _keep(self, messages: Mapping[Board, str]) -> None:
        if self.is_broken:
            raise ConnectionError("Valkey is away")
        self.sent.extend((self.seconds, board, json.loads(t)) for board, t in messages.items())

    def turn_at(self, seconds: float) -> list[dict[str, Any]]:
        """Let the publisher look around at this second; what it sent."""
        self.time.move_to(NOON + timedelta(seconds=seconds))
        self.seconds, before = seconds, len(self.sent)
        self.publisher.turn()
        return [message for _, _, message in self.sent[before:]]
