"""What a page with live figures begins with, and where its script hears of more."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from django.urls import reverse

from apps.live.groups import Board, Kind
from apps.live.places import place_of
from apps.live.states import Message, board_message

# What no later message may undercut, and what tells an older one from a newer one.
_SHOWN = (
    *("epoch", "sequence", "day_ends_at"),
    *("today", "week", "month", "total", "listeners_now"),
)


@dataclass(frozen=True, slots=True)
class LivePage:
    """Addresses of the same figures as a socket, as a stream of events and as JSON.

    ``first_open`` is the first day that late reports may still change.
    """

    message: Message
    first_open: date
    socket: str
    stream: str
    poll: str

    @property
    def shown(self) -> str:
        """What the script has to know of the page, as JSON."""
        return json.dumps({name: self.message[name] for name in _SHOWN if name in self.message})

    @property
    def latest(self) -> list[dict[str, object]]:
        """The latest downloads, with times that templates can write."""
        downloads = cast("list[dict[str, str]]", self.message["latest"])
        return [row | {"at": datetime.fromisoformat(row["at"])} for row in downloads]


def live_page(board: Board, *, at: datetime) -> LivePage:
    """For somebody who may see the board."""
    poll = reverse(f"api:{board.kind}-live", args=[board.id] if board.id else [])
    folder = "platform/" if board.kind is Kind.PLATFORM else f"{board.kind}s/{board.id}/"
    own = "downloads/" if board.kind is Kind.EPISODE else ""
    return LivePage(
        message=board_message(board, at=at),
        first_open=place_of(board).first_open(at),
        socket=f"/live/{folder}{own}",
        stream=poll.removesuffix("/state/"),
        poll=poll,
    )
