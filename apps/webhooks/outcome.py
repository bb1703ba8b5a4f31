"""How a request to an endpoint ended."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """``status_code`` is missing without an answer; ``error`` is a sentence for a person."""

    status_code: int | None
    duration_ms: int
    response_excerpt: str = ""
    error: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the receiver took the message: any 2xx."""
        return self.status_code is not None and 200 <= self.status_code < 300
