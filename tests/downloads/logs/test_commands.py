"""What an operator types, and what the clock starts."""

import gzip
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.downloads.logs import tasks
from apps.downloads.logs.management.commands import import_logs
from apps.downloads.logs.models import AudioVersion, BadLine, LogFile, LogPath, LogSource
from podcasts.models import Episode
from tests.downloads.logs.conftest import MemoryCounter, Sweep
from tests.downloads.logs.writing import combined, request, v1_file
from tests.downloads.making import NOON, OVERCAST
from tests.factories import EpisodeFactory

type MakeSource = Callable[..., LogSource]


@pytest.fixture(autouse=True)
def _counted(counter: MemoryCounter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counter that remembers stands in for the real one."""
    monkeypatch.setattr(import_logs, "count_hits", counter)
    monkeypatch.setattr(tasks, "count_hits", counter)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)


def run(*words: str, **options: Any) -> str:
    """What a command says."""
    out = StringIO()
    call_command(*words, stdout=out, stderr=out, **options)
    return out.getvalue()


def test_a_folder_is_imported_once(folder: Path, path: str, counter: MemoryCounter) -> None:
    lines = [combined(path, ip=f"198.51.100.{host}") for host in range(9)]
    (folder / "access.log.gz").write_bytes(gzip.compress("\n".join([*lines, "x", ""]).encode()))
    told = run("import_logs", f"--folder={folder}", "--format=nginx")
    assert "1 files, 10 lines" in told
    assert "9 hits, 1 bad lines" in told
    assert run("import_logs", f"--folder={folder}", "--format=nginx") == ""
    assert counter.downloads == 9
    assert not LogSource.objects.get().is_active  # the clock doesn't follow it


def test_a_dry_run_says_what_would_be_counted_and_stores_nothing(
    folder: Path, path: str, counter: MemoryCounter
) -> None:
    old = combined(path, when=NOON - timedelta(days=30))
    lines = [combined(path), combined("/robots.txt"), combined(path, agent="Googlebot"), old]
    (folder / "access.log").write_text("\n".join([*lines, ""]))
    told = run("import_logs", f"--folder={folder}", "--format=nginx", "--dry-run")
    assert "2 hits" in told
    assert "1 requests not about an episode's audio" in told
    assert "1 requests before the source begins" in told
    assert "accept 1 hits" in told
    assert "1 Known bot" in told
    assert counter.ids == []
    assert not LogSource.objects.exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nobody"], "no source nobody"),
        (["--folder=/nowhere"], "--format"),
        (["--folder=/nowhere", "--format=nginx", "x"], "no names"),
        (["--folder=/nowhere", "--format=nginx", "--description=$status"], "lacks"),
        (["--folder=/nowhere", "--format=nginx", "--organization=1"], "no organisation"),
        (["--folder=/nowhere", "--format=nginx"], "Not everything could be read"),
        (["--dry-run", "--follow"], "--dry-run reads once"),
    ],
)
@pytest.mark.django_db
def test_what_goes_wrong_is_said_and_is_the_exit_code(words: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint) as raised:
        run("import_logs", *words)
    assert raised.value.returncode == 1


def test_sources_are_added_shown_changed_and_removed(
    folder: Path, path: str, episode: Episode
) -> None:
    owner = str(episode.organization_id)
    told = run("log_source", "add", "edge", str(folder), "--format=nginx", "--organization", owner)
    assert "requests before 2026-10-11 00:00 UTC are passed over" in told
    lines = ["203.0.113.9 nonsense", combined(path), combined("/robots.txt"), ""]
    (folder / "access.log").write_text("\n".join(lines))
    run("import_logs", "edge")
    assert "complete at 2026-10-14 12:30 UTC" in run("log_source", "list")
    shown = run("log_source", "show", "edge")
    assert "1 hits, 1 bad lines" in shown
    assert "1 requests not about an episode's audio" in shown
    assert "line 1: the line does not follow the log_format" in shown
    assert "203.0" not in shown
    run("log_source", "change", "edge", "--active=no", "--delete-after-days=7")
    assert "not followed" in run("log_source", "list")
    assert run("import_logs") == ""
    run("log_source", "remove", "edge")
    assert not LogFile.objects.exists()


def test_a_table_of_paths_is_taken_from_a_file(
    tmp_path: Path, make_source: MakeSource, episode: Episode
) -> None:
    make_source(organization=episode.organization)
    table = tmp_path / "paths.csv"
    table.write_text(f"﻿/old/1.mp3,{episode.id}\n/old/2.mp3,nothing\n", encoding="utf-8")
    told = run("log_source", "paths", "cdn", str(table))
    assert "1 paths are known now" in told
    assert "1 rows name no episode: 2" in told
    assert LogPath.objects.get().path == "/old/1.mp3"
    with pytest.raises(CommandError, match="can't be read"):
        run("log_source", "paths", "cdn", str(tmp_path / "missing.csv"))


@pytest.mark.django_db
def test_a_source_that_could_not_work_is_refused_in_words(folder: Path) -> None:
    for words, complaint in (
        (["--format=nginx", "--description=$status"], "lacks"),
        (["--format=caddy", "--not-before=soon"], "no time"),
        (["--format=caddy", "--organization=1"], "no organisation"),
        (["--format=caddy", "--show=00000000-0000-7000-8000-000000000001"], "no show"),
    ):
        with pytest.raises(CommandError, match=complaint):
            run("log_source", "add", "edge", str(folder), *words)
    with pytest.raises(CommandError, match="no source"):
        run("log_source", "show", "edge")


def test_the_clock_follows_what_is_active(
    make_source: MakeSource, folder: Path, tmp_path: Path, episode: Episode, counter: MemoryCounter
) -> None:
    AudioVersion.objects.all().delete()
    other = tmp_path / "other"
    other.mkdir()
    for place in (folder, other):
        (place / "log").write_bytes(v1_file([request(f"/media/{episode.id}/one.mp3")]))
    make_source(name="resting", place=str(other), is_active=False)
    make_source(name="broken", place="/nowhere/at/all")
    make_source()
    tasks.import_logs()
    tasks.import_logs()
    assert len(counter.ids) == 1


def test_a_source_that_cannot_be_counted_keeps_no_other_waiting(
    make_source: MakeSource, folder: Path, tmp_path: Path, path: str, counter: MemoryCounter
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for place in (folder, other):
        (place / "log").write_bytes(v1_file([request(path)]))
    make_source(name="a")
    make_source(name="b", place=str(other))
    moments = iter(["before"])

    def fail_once(moment: str) -> None:
        if moment == next(moments, None):
            raise ZeroDivisionError

    counter.fault = fail_once
    tasks.import_logs()
    assert len(counter.ids) == 1
    tasks.import_logs()
    assert len(counter.ids) == 2


@pytest.mark.django_db
def test_the_clock_looks_at_nothing_where_there_are_no_sources() -> None:
    EpisodeFactory()
    tasks.import_logs()
    assert not AudioVersion.objects.exists()


def test_no_address_and_no_agent_is_stored(
    make_source: MakeSource, sweep: Sweep, folder: Path, path: str
) -> None:
    (folder / "access.log").write_text(f"{combined(path)}\nbroken {combined(path)}\n")
    sweep(make_source(format="nginx"))
    assert BadLine.objects.count() == 1
    with connection.cursor() as cursor:
        for model in (LogFile, LogSource, BadLine, AudioVersion):
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")  # noqa: S608
            assert "203.0.113.9" not in str(cursor.fetchall())
    assert OVERCAST not in str(list(LogFile.objects.values()))
