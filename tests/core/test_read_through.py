"""Answers in front of the database: kept when found, never older than a change."""

import json
import logging
from uuid import UUID, uuid4

import pytest
from asgiref.sync import async_to_sync
from django.conf import LazySettings
from django.db import transaction

from apps.core import valkey
from apps.core.local_cache import Bounds
from apps.core.read_through import ReadThrough

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]

ROW = uuid4()
KEPT = ReadThrough[UUID, dict[str, int]](
    "row",
    parse_key=UUID,
    pack=lambda value: json.dumps(value).encode(),
    unpack=json.loads,
    lifetime_seconds=60,
    bounds=Bounds(entries=10),
)


class Row:
    """A row that counts how often it is read."""

    def __init__(self, value: int | None) -> None:
        self.value = value
        self.reads = 0

    def load(self, key: UUID) -> dict[str, int] | None:
        assert key == ROW
        self.reads += 1
        return None if self.value is None else {"value": self.value}


def read(row: Row) -> dict[str, int] | None:
    """In a loop of its own, whose memory is empty."""
    return async_to_sync(KEPT.find)(ROW, row.load)


def name() -> str:
    return valkey.key("row", ROW)


def test_a_record_is_read_once() -> None:
    row = Row(1)
    assert [read(row), read(row)] == [{"value": 1}, {"value": 1}]
    assert row.reads == 1
    assert 0 < valkey.connection().ttl(name()) <= 60


def test_absence_is_not_kept() -> None:
    row = Row(None)
    assert read(row) is None
    row.value = 1
    assert read(row) == {"value": 1}


def test_a_change_is_seen_at_once() -> None:
    row = Row(1)
    read(row)
    row.value = 2
    KEPT.announce_change([ROW])
    assert read(row) == {"value": 2}


def test_what_replaces_an_answer_is_found_without_a_query() -> None:
    row = Row(1)
    read(row)
    KEPT.replace({ROW: {"value": 2}})
    assert read(row) == {"value": 2}
    assert row.reads == 1


def test_a_reader_overtaken_by_a_change_does_not_bring_the_old_record_back() -> None:
    class Overtaken(Row):
        def load(self, key: UUID) -> dict[str, int] | None:
            found = super().load(key)
            if self.reads == 1:
                self.value = 2
                KEPT.announce_change([ROW])
            return found

    row = Overtaken(1)
    assert read(row) == {"value": 1}
    assert read(row) == {"value": 2}


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_is_not_announced() -> None:
    row = Row(1)
    read(row)
    with transaction.atomic():
        transaction.on_commit(lambda: KEPT.announce_change([ROW]))
        transaction.set_rollback(True)
    assert valkey.connection().get(name()) == b'{"value": 1}'
    with transaction.atomic():
        transaction.on_commit(lambda: KEPT.announce_change([ROW]))
    assert valkey.connection().get(name()) == b""


def test_what_another_release_kept_is_read_anew() -> None:
    valkey.connection().set(name(), b"<other>", ex=60)
    row = Row(1)
    assert read(row) == {"value": 1}


def test_without_valkey_the_database_answers(settings: LazySettings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    row = Row(1)
    assert [read(row), read(row)] == [{"value": 1}, {"value": 1}]
    assert row.reads == 2


def test_a_change_without_valkey_is_no_error(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        patch.setattr(valkey, "connection", valkey.connection.__wrapped__)
        KEPT.announce_change([ROW])
    assert "a change may be seen late" in caplog.text
