"""How far each consumer of the stream is, stored with what it counted."""

from dataclasses import dataclass

from apps.core.clock import now
from apps.downloads import stream
from apps.downloads.models import StreamPosition


class PositionMovedError(Exception):
    """Somebody else has counted as this consumer in the meantime."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """One consumer in one life of the stream."""

    stream: str
    epoch: str
    consumer: str

    def position(self) -> str:
        """Up to which message all that this consumer was given is committed."""
        row, _ = StreamPosition.objects.get_or_create(
            stream=self.stream,
            epoch=self.epoch,
            consumer=self.consumer,
            defaults={"position": stream.BEGINNING},
        )
        return row.position

    def advance(self, *, expected: str, to: str) -> None:
        """Move the position; PositionMovedError when it isn't where the batch began."""
        moved = StreamPosition.objects.filter(
            stream=self.stream, epoch=self.epoch, consumer=self.consumer, position=expected
        ).update(position=to, updated_at=now())
        if not moved:
            raise PositionMovedError(f"{self.consumer} of {self.stream} is no longer at {expected}")

    def forget(self) -> None:
        """Nobody will go by this name again."""
        StreamPosition.objects.filter(
            stream=self.stream, epoch=self.epoch, consumer=self.consumer
        ).delete()

    def forget_earlier_lives(self) -> None:
        """Positions in a stream that is gone say nothing any more."""
        StreamPosition.objects.filter(stream=self.stream).exclude(epoch=self.epoch).delete()
