"""A file is known by its beginning for as long as it lies there, and forgotten after that."""

import gzip
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from apps.core.clock import now
from apps.downloads.logs import sweeping
from apps.downloads.logs.files import KEPT_UNSEEN
from apps.downloads.logs.models import BadLine, LogFile, LogSource
from apps.downloads.logs.places import FolderPlace, PlaceError
from apps.downloads.rules import DropReason
from apps.downloads.window import KEY_LIFETIME
from tests.downloads.logs.conftest import MemoryCounter, Sweep
from tests.downloads.logs.writing import combined, request, v1_file

type MakeSource = Callable[..., LogSource]


def later(**told: float) -> time_machine.travel:
    return time_machine.travel(now() + timedelta(**told), tick=False)


def test_a_short_log_that_grew_before_its_rotation_is_read_on(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    source = make_source(format="nginx")
    log = folder / "access.log"
    lines = [combined(path, ip=f"198.51.100.{number}") + "\n" for number in range(9)]
    log.write_text("".join(lines[:2]))
    sweep(source)
    log.write_text("".join(lines[:7]))
    log.rename(folder / "access.log.1")
    log.write_text("".join(lines[7:]))
    sweep(source)
    assert len(counter.ids) == len(set(counter.ids)) == 9


def test_another_log_with_the_same_first_lines_is_no_rotated_one(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    """Of what was read beyond the lines that both have, nothing may be passed over."""
    source = make_source(format="nginx")
    log = folder / "access.log"
    same, one, other, new = (combined(path, ip=f"198.51.100.{n}") + "\n" for n in range(4))
    log.write_text(same)
    sweep(source)
    log.write_text(same + one)
    LogFile.objects.update(position=len(same + one))  # it grew just after its beginning was read
    log.rename(folder / "elsewhere")
    log.write_text(new)
    (folder / "elsewhere").write_text(same + other)
    sweep(source)
    assert {hit.ip for hit in counter.seen} == {f"198.51.100.{n}" for n in (0, 2, 3)}


def test_a_file_is_remembered_for_as_long_as_it_lies_there(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    source = make_source()
    (folder / "a.gz").write_bytes(gzip.compress(v1_file([request(path)])))
    sweep(source)
    for day in (29, 58, 200):
        with later(days=day):
            assert sweep(source).read.lines == 0
    # Whether or not it is to be read now.
    with later(days=400):
        source.name_pattern = "b*"
        source.save()
        sweep(source)
        assert LogFile.objects.count() == 1
    assert len(counter.ids) == 1


def test_a_file_that_is_gone_is_forgotten_with_its_bad_lines_and_counts_no_more(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    source = make_source(format="nginx")
    log = folder / "access.log"
    log.write_text(f"{combined(path)}\nnonsense\n")
    sweep(source)
    log.rename(folder.parent / "taken away")
    with later(days=29):
        sweep(source)
        assert (LogFile.objects.count(), BadLine.objects.count()) == (1, 1)
    with later(days=31):
        sweep(source)
        assert (LogFile.objects.count(), BadLine.objects.count()) == (0, 0)
        (folder.parent / "taken away").rename(log)
        assert sweep(source).read.hits == 1
    assert counter.drops == {DropReason.OUTSIDE_WINDOW: 1}
    assert counter.downloads == 1


def test_no_file_is_forgotten_whose_days_could_still_be_counted() -> None:
    assert KEY_LIFETIME + timedelta(days=2) < KEPT_UNSEEN


def test_nothing_is_forgotten_by_a_pass_that_did_not_see_everything(
    make_source: MakeSource,
    sweep: Sweep,
    counter: MemoryCounter,
    folder: Path,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeping, "_FILES_AT_ONCE", 1)
    source = make_source()
    for number in range(3):
        rows = v1_file([request(path, number)])
        (folder / f"{number}.gz").write_bytes(gzip.compress(rows))
    sweep(source)
    with later(days=31):
        sweep(source, has_to_stop=lambda: True)
        aside = folder.rename(folder.with_name("unmounted"))
        assert sweep(source).problems
        assert LogFile.objects.count() == 3
        aside.rename(folder)
        assert sweep(source).read.lines == 0
    assert len(counter.ids) == 3


def test_a_pass_over_what_is_known_writes_to_files_once_a_day(
    make_source: MakeSource, sweep: Sweep, folder: Path, path: str
) -> None:
    source = make_source()
    (folder / "a.gz").write_bytes(gzip.compress(v1_file([request(path)])))
    sweep(source)
    read_at = LogFile.objects.get().seen_at
    for hours, expected in ((23, 0), (25, 25), (48, 25), (50, 50)):
        with time_machine.travel(read_at + timedelta(hours=hours), tick=False):
            sweep(source)
            assert LogFile.objects.get().seen_at == read_at + timedelta(hours=expected)


def test_what_has_the_name_of_an_old_file_now_is_not_deleted_for_it(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    source = make_source(format="nginx", delete_after_days=7)
    older, newer = folder / "access.log.3.gz", folder / "access.log.2.gz"
    newer.write_bytes(gzip.compress(f"{combined(path)}\n".encode()))
    sweep(source)
    with later(days=8):
        newer.rename(older)
        newer.write_bytes(gzip.compress(f"{combined(path, ip='198.51.100.9')}\n".encode()))
        # Its turn is over before it has looked at them.
        assert sweep(source, has_to_stop=lambda: True).deleted == 0
        assert newer.exists()
        swept = sweep(source)
        assert (swept.read.hits, swept.deleted) == (1, 1)
        assert (newer.exists(), older.exists()) == (True, False)
    assert len(counter.ids) == 2


def test_what_cannot_be_deleted_was_read_all_the_same(
    make_source: MakeSource,
    sweep: Sweep,
    folder: Path,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(place: FolderPlace, name: str, version: str) -> bool:
        raise PlaceError(f"{name} can't be deleted: Read-only file system.")

    source = make_source(delete_after_days=7)
    (folder / "a.gz").write_bytes(gzip.compress(v1_file([request(path)])))
    sweep(source)
    monkeypatch.setattr(FolderPlace, "delete", refuse)
    with later(days=8):
        swept = sweep(source)
        assert "can't be deleted" in swept.problems[0]
        assert swept.is_complete
        source.refresh_from_db()
        assert source.complete_at == now()
