"""What the platform's board says of processes, queues and busy tenants."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings

from apps.core import valkey, vitals
from apps.core.vitals import Vitals
from apps.downloads import minutes, stream
from apps.live.groups import PLATFORM, Board
from apps.live.health import health_message
from apps.live.states import board_message
from podcasts.models import Episode
from tests.factories import EpisodeFactory
from tests.live.making import listen, new_download
from tests.live.staging import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey", "noon")]


def health(at: datetime = NOON) -> dict[str, Any]:
    return dict(health_message(valkey.connection(), at=at))


def process(role: str, **fields: Any) -> Vitals:
    defaults = {"host": "one", "pid": 7, "started_at": NOON.timestamp() - 60}
    return Vitals(**{**defaults, "role": role, "reported_at": NOON.timestamp(), **fields})


def test_an_installation_where_nothing_happens_has_nothing_to_show() -> None:
    found = health()
    assert found["processes"] == found["tenants"] == []
    assert [found[name] for name in ("jobs_waiting", "hits_waiting", "errors", "media")] == [0] * 4


def test_processes_that_are_gone_are_named_and_not_counted() -> None:
    vitals.report(process("web", media=3, responses_last_minute=50, errors_last_minute=1))
    vitals.report(
        process("web", pid=8, media=5, errors_last_minute=9, reported_at=NOON.timestamp() - 30)
    )

    found = health()

    assert [one["is_gone"] for one in found["processes"]] == [False, True]
    assert (found["media"], found["errors"], found["error_percent"]) == (3, 1, 2.0)


def test_the_lag_is_the_age_of_the_oldest_hit_that_is_not_counted() -> None:
    entered_ms = int((NOON - timedelta(seconds=7)).timestamp() * 1000)
    for number in range(2):
        valkey.connection().xadd(stream.name(), {"h": "{}"}, id=f"{entered_ms + number}-0")

    found = health()

    assert (found["hits_waiting"], found["hits_lag_seconds"]) == (2, 7.0)


def test_hits_on_disk_are_those_of_every_host_once() -> None:
    for pid, host, spooled_bytes in [(1, "a", 700), (2, "a", 900), (3, "b", 50)]:
        vitals.report(process("web", pid=pid, host=host, spooled_bytes=spooled_bytes))
    vitals.report(
        process("web", pid=4, host="c", spooled_bytes=1, reported_at=NOON.timestamp() - 30)
    )

    assert health()["hits_spooled_bytes"] == 950


def test_jobs_that_wait_and_run_are_counted() -> None:
    prefix = django_settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    client = valkey.connection()
    try:
        client.rpush(f"{prefix}celery", "a", "b")
        client.hset(f"{prefix}unacked", "c", "d")
        found = health()
    finally:
        client.delete(f"{prefix}celery", f"{prefix}unacked")

    assert (found["jobs_waiting"], found["jobs_running"]) == (2, 1)


def test_tenants_that_send_and_are_downloaded_most_come_first() -> None:
    viral, calm = EpisodeFactory(), EpisodeFactory()
    before = NOON - timedelta(seconds=10)
    listen(viral, at=before, sent=9_000_000)
    listen(calm, at=before, sent=1_000_000)
    count_a_minute_ago(viral, viral, calm)

    assert [
        (one["name"], one["bytes_per_second"], one["downloads_per_minute"])
        for one in health()["tenants"]
    ] == [
        (viral.organization.name, 900_000, 2),
        (calm.organization.name, 100_000, 1),
    ]


def count_a_minute_ago(*episodes: Episode) -> None:
    with time_machine.travel(NOON - timedelta(minutes=1), tick=False):
        counts = minutes.count_minutes([new_download(one) for one in episodes])
    tenants = {one.organization_id for one in episodes}
    minutes.store(valkey.connection(), counts, tenants=tenants)


def test_only_the_platforms_board_has_it() -> None:
    show = Board.of_show(EpisodeFactory().show_id)
    assert "health" in board_message(PLATFORM, at=NOON)
    assert "health" not in board_message(show, at=NOON)
