"""How far each consumer of the stream is."""

from django.db import models

from apps.core.clock import now


class StreamPosition(models.Model):
    """Up to which message everything that this consumer was given is in this database.

    ``epoch`` names the stream's life: after a loss of Valkey's data it is another one.
    """

    pk = models.CompositePrimaryKey("stream", "epoch", "consumer")
    stream = models.CharField(max_length=100)
    epoch = models.CharField(max_length=32)
    consumer = models.CharField(max_length=20)
    position = models.CharField(max_length=41)  # "<milliseconds>-<sequence>", two 64-bit numbers
    updated_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"{self.consumer} of {self.stream} at {self.position}"
