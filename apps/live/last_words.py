"""What each board was told last, for whoever opens it next: a second dashboard asks no database."""

from collections.abc import Mapping
from typing import cast

from apps.core import valkey
from apps.live.groups import Board


def read(board: Board) -> str | None:
    """What the board was told last, unless that is too long ago to be shown."""
    found = cast("bytes | None", valkey.connection().get(_key(board)))
    return None if found is None else found.decode()


def remember(texts: Mapping[Board, str], *, seconds: int, is_newest: bool = True) -> None:
    """Keep what boards show for whoever opens them next."""
    pipe = valkey.connection().pipeline(transaction=False)
    for board, text in texts.items():
        pipe.set(_key(board), text, ex=seconds, nx=not is_newest)
    pipe.execute()


def _key(board: Board) -> str:
    return valkey.key("live", "last", board.group)
