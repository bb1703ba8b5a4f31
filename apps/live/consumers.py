"""The sockets of the dashboards."""

from apps.live.boards import BoardListening
from apps.live.listener import Listener


class BoardConsumer(BoardListening, Listener):
    """A board over a WebSocket."""
