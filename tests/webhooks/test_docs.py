"""What docs/webhooks.md says works: each example checks a message that was really sent."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from apps.webhooks.emitting import emit
from apps.webhooks.event_types import EventType
from apps.webhooks.models import WebhookEndpoint
from apps.webhooks.schedule import PAUSES
from apps.webhooks.sending import send_due
from tests.webhooks.receiver import Received, Receiver

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text()


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def got(endpoint: WebhookEndpoint, receiver: Receiver) -> Received:
    emit(
        organization_id=endpoint.organization_id,
        event_type=EventType.EPISODE_UPDATED,
        data={"title": "Größe"},
    )
    send_due()
    return receiver.received[0]


@pytest.mark.parametrize("number", [0, 1])
def test_the_python_examples_believe_what_we_send_and_nothing_else(
    number: int, got: Received, receiver: Receiver
) -> None:
    example = examples("python")[number]
    names = {"secret": receiver.secret, "body": got.body, "headers": got.headers}
    exec(example, names)  # noqa: S102 - our own document
    assert names["message"]["data"] == {"title": "Größe"}  # type: ignore[index]
    with pytest.raises(Exception, match=r"not from Longwave|No matching signature"):
        exec(example, names | {"body": got.body + b" "})  # noqa: S102


def test_the_shell_example_computes_our_signature(
    got: Received, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "body.json").write_bytes(got.body)
    variables = {
        "secret": receiver.secret,
        "webhook_id": got.id,
        "webhook_timestamp": got.headers["webhook-timestamp"],
    }
    done = subprocess.run(
        ["sh", "-euc", examples("sh")[0]],
        cwd=tmp_path,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert got.headers["webhook-signature"] == f"v1,{done.stdout.strip()}"


def test_every_event_and_every_pause_is_documented() -> None:
    for event in EventType.values:
        assert f"`{event}`" in DOCUMENT
    hours = [int(pause.total_seconds() // 3600) for pause in PAUSES[3:]]
    assert f"{', '.join(map(str, hours[:-1]))} and {hours[-1]} hours" in DOCUMENT
