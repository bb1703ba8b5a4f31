"""How patient and how busy sending is: what receivers ask for, and what a look costs."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from apps.core.clock import now
from apps.webhooks import sending
from apps.webhooks.claiming import AT_ONCE, Claim, claim_due
from apps.webhooks.models import WebhookEndpoint
from apps.webhooks.schedule import PAUSES
from apps.webhooks.sending import send_due
from tests.webhooks.receiver import Receiver
from tests.webhooks.telling import tell

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("status", "asked", "least", "most"),
    [
        (503, "3600", HOUR, HOUR * 1.1),
        (429, "3600", HOUR, HOUR * 1.1),
        (503, "Thu, 01 Jan 2026 01:00:00 GMT", HOUR, HOUR * 1.1),
        (503, "9" * 30, PAUSES[-1], PAUSES[-1] * 1.1),  # no receiver stops us for ever
        (503, "1", PAUSES[0], PAUSES[0] * 1.1),
        (503, "Wed, 31 Dec 2025 00:00:00 GMT", PAUSES[0], PAUSES[0] * 1.1),
        (503, "Thu, 01 Jan 2026 01:00:00 +9999", PAUSES[0], PAUSES[0] * 1.1),
        (503, "soon", PAUSES[0], PAUSES[0] * 1.1),
        (500, "3600", PAUSES[0], PAUSES[0] * 1.1),
    ],
)
def test_a_receiver_may_ask_for_patience_within_reason(
    status: int,
    asked: str,
    least: timedelta,
    most: timedelta,
    endpoint: WebhookEndpoint,
    receiver: Receiver,
) -> None:
    receiver.status, receiver.headers = status, {"Retry-After": asked}
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        delivery = tell(endpoint)
        send_due()
        began = now()
    delivery.refresh_from_db()
    assert delivery.next_attempt_at is not None
    assert least <= delivery.next_attempt_at - began <= most


def test_many_answers_at_once_are_one_look_at_all_that_waits(
    endpoint: WebhookEndpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliveries = [tell(endpoint) for _ in range(12)]
    looks: list[int] = []

    def counted(**room: Any) -> list[Claim]:
        looks.append(1)
        return claim_due(**room)

    monkeypatch.setattr(sending, "claim_due", counted)
    monkeypatch.setattr(sending, "BETWEEN_LOOKS_SECONDS", 2.0)
    send_due()
    assert len(receiver.received) == len(deliveries)
    assert len(looks) == 12 / AT_ONCE + 1  # four at a time, and one that finds nothing
