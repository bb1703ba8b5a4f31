"""Logs of closed days, for people who move in."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.downloads.first_days import store_closed
from apps.downloads.models import (
    Coverage,
    DayKey,
    DayTotal,
    Download,
    FirstDays,
    HitBatch,
    ListenerTotal,
)
from apps.downloads.rebuilding import rebuild
from apps.downloads.totals import Scope, latest
from podcasts.models import Episode
from tests.downloads.logs.writing import combined
from tests.downloads.making import NOON, POCKET_CASTS
from tests.downloads.storing import store_download

LONG_AGO = NOON - timedelta(days=400)


@pytest.fixture(autouse=True)
def _signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal.signal", lambda number, handler: None)


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / name).write_text("\n".join([*lines, ""]))


def move_in(folder: Path) -> str:
    out = StringIO()
    call_command(
        "import_logs", f"--folder={folder}", "--format=nginx", "--history", stdout=out, stderr=out
    )
    return out.getvalue()


def test_closed_days_count_and_nothing_of_listeners_stays(
    folder: Path, path: str, episode: Episode
) -> None:
    later = LONG_AGO + timedelta(days=1)
    write(
        folder,
        "old.log",
        combined(path, when=LONG_AGO),
        combined(path, when=LONG_AGO + timedelta(hours=2)),  # the same listener and day
        combined(path, when=later),
        combined(path, when=LONG_AGO, agent=POCKET_CASTS),
        combined(path, when=LONG_AGO, agent="Googlebot/2.1"),
        combined(path, when=LONG_AGO, sent=1000, ip="198.51.100.9"),
    )

    move_in(folder)

    of_show = DayTotal.objects.filter(show=episode.show_id, episode=None, dimension="")
    assert list(of_show.order_by("day").values_list("day", "downloads")) == [
        (LONG_AGO.date(), 2),
        (later.date(), 1),
    ]
    assert {row.day: row.listeners for row in ListenerTotal.objects.all()} == {
        LONG_AGO.date(): 2,
        later.date(): 1,
    }
    assert not any(model.objects.exists() for model in (Coverage, HitBatch, DayKey))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class"
            " WHERE relname LIKE 'recounted%' AND relnamespace = pg_my_temp_schema()"
        )
        assert cursor.fetchall() == []
    assert not any(table.wrong or table.missing for table in rebuild(replace=False))


def test_what_is_imported_is_not_what_happens_now(
    folder: Path, path: str, episode: Episode
) -> None:
    store_download(episode, at=NOON, app="Castro")
    write(folder, "old.log", combined(path, when=LONG_AGO))

    move_in(folder)

    assert [line.app for line in latest(Scope(show=episode.show_id))] == ["Castro", "Overcast"]
    assert Download.objects.get(app="Overcast").counted_at == LONG_AGO


def test_an_import_repeated_changes_nothing(folder: Path, path: str, episode: Episode) -> None:
    write(folder, "old.log", combined(path, when=LONG_AGO))
    move_in(folder)
    write(folder, "again.log", combined(path, when=LONG_AGO, agent=POCKET_CASTS))

    said = move_in(folder)

    assert "1 days of shows had downloads already" in said
    assert Download.objects.count() == 1


@pytest.mark.parametrize("was_night", [False, True])
def test_first_days_are_those_of_the_imported_history(
    folder: Path, path: str, episode: Episode, was_night: bool
) -> None:
    episode.published_at = LONG_AGO - timedelta(hours=30)
    episode.save()
    if was_night:
        store_closed(now=NOON)
    write(folder, "old.log", combined(path, when=LONG_AGO))

    move_in(folder)

    rows = FirstDays.objects.filter(episode=episode)
    assert dict(rows.values_list("days", "downloads")) == {1: 0, 3: 1, 7: 1, 30: 1, 90: 1}


def test_open_days_are_counted_as_always(folder: Path, path: str, episode: Episode) -> None:
    write(folder, "new.log", combined(path), combined(path, when=LONG_AGO))

    move_in(folder)

    assert Download.objects.count() == 2
    assert Coverage.objects.get().day == NOON.date()


def test_an_import_that_fails_in_the_middle_leaves_nothing(
    folder: Path, path: str, episode: Episode
) -> None:
    write(folder, "a.log", combined(path, when=LONG_AGO))
    (folder / "b.log.gz").write_bytes(b"\x1f\x8b\x08broken")

    with pytest.raises(CommandError):
        move_in(folder)

    assert not Download.objects.exists()


def test_history_takes_a_folder(db: None) -> None:
    with pytest.raises(CommandError, match="--folder"):
        call_command("import_logs", "--history")
