"""How much on disk is not in the stream yet, as the platform's page tells it."""

import pytest
from django.conf import settings as django_settings

from apps.core import valkey
from apps.downloads import hits, journal, shipping, stream
from apps.downloads.spooled import spooled_bytes
from tests.downloads.making import whole
from tests.downloads.recording import files

pytestmark = pytest.mark.usefixtures("clean_valkey")


def test_a_disk_without_hits_holds_nothing() -> None:
    assert spooled_bytes() == 0


def test_what_waits_for_room_in_the_stream_is_told_until_it_is_shipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "MAX_LENGTH", 0)
    for _ in range(3):
        hits.record(whole())
    waiting = sum(file.stat().st_size for file in files())

    assert spooled_bytes() == waiting > 0

    monkeypatch.undo()
    assert hits.settle()
    assert spooled_bytes() == 0


def test_what_a_dead_process_left_is_told_from_where_it_is_shipped() -> None:
    file = journal.create(django_settings.SPOOL_ROOT)
    file.append(b"0000000000000 first\n")
    shipping.ship(valkey.connection(), file)
    file.append(b"0000000000000 the second\n")
    file.close()

    assert spooled_bytes() == len(b"0000000000000 the second\n")
    assert shipping.drain(valkey.connection(), django_settings.SPOOL_ROOT)
    assert (spooled_bytes(), files()) == (0, [])


@pytest.mark.parametrize("name", ["42.jsonl", "42.1.drain"])
def test_files_of_earlier_versions_are_told_as_well(name: str) -> None:
    django_settings.SPOOL_ROOT.mkdir(parents=True, exist_ok=True)
    (django_settings.SPOOL_ROOT / name).write_bytes(b"{}\n" * 5)
    (django_settings.SPOOL_ROOT / "something else").write_bytes(b"{}\n")

    assert spooled_bytes() == 15
