"""Records in Valkey in front of the database: kept when found, never older than a change."""

import pytest
from asgiref.sync import async_to_sync
from django.conf import LazySettings

from apps.core import valkey
from apps.core.read_through import Record, announce_change, read_record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]


class Row:
    """A row that counts how often it is read."""

    def __init__(self, value: int | None) -> None:
        self.value = value
        self.reads = 0

    def load(self) -> Record | None:
        self.reads += 1
        return None if self.value is None else {"value": self.value}


def read(row: Row) -> Record | None:
    return async_to_sync(read_record)(valkey.key("row"), row.load, lifetime_seconds=60)


def test_a_record_is_read_once() -> None:
    row = Row(1)
    assert [read(row), read(row)] == [{"value": 1}, {"value": 1}]
    assert row.reads == 1
    assert 0 < valkey.connection().ttl(valkey.key("row")) <= 60


def test_absence_is_not_kept() -> None:
    row = Row(None)
    assert read(row) is None
    row.value = 1
    assert read(row) == {"value": 1}


def test_a_change_is_seen_at_once() -> None:
    row = Row(1)
    read(row)
    row.value = 2
    announce_change(valkey.key("row"))
    assert read(row) == {"value": 2}


def test_a_reader_overtaken_by_a_change_does_not_bring_the_old_record_back() -> None:
    class Overtaken(Row):
        def load(self) -> Record | None:
            found = super().load()
            if self.reads == 1:
                self.value = 2
                announce_change(valkey.key("row"))
            return found

    row = Overtaken(1)
    assert read(row) == {"value": 1}
    assert read(row) == {"value": 2}


def test_without_valkey_the_database_answers(settings: LazySettings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    row = Row(1)
    assert [read(row), read(row)] == [{"value": 1}, {"value": 1}]
    assert row.reads == 2


def test_a_change_without_valkey_is_no_error(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        patch.setattr(valkey, "connection", valkey.connection.__wrapped__)
        announce_change(valkey.key("row"))
    assert "a change may be seen late" in caplog.text
