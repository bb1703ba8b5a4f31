"""How a request to an endpoint ended."""

from dataclasses import dataclass
from datetime import timedelta


def is_taken(status_code: int | None) -> bool:
    """Whether this answer says that the receiver took the message: any 2xx."""
    return status_code is not None and 200 <= status_code < 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """``status_code`` is missing without an answer; ``error`` is a sentence for a person.

    ``retry_after`` is what a receiver asked for that has too much to do just now.
    """

    status_code: int | None
    duration_ms: int
    response_excerpt: str = ""
    error: str = ""
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        """Whether the receiver took the message."""
        return is_taken(self.status_code)
