"""Logs are read to their end, exactly once, whatever happens in between."""

import gzip
import os
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.clock import now
from apps.downloads.hit import Hit
from apps.downloads.intervals import size, union
from apps.downloads.logs.formats import Layout, LogFormat
from apps.downloads.logs.importing import KEPT_BAD_LINES
from apps.downloads.logs.mapping import SkipReason
from apps.downloads.logs.models import BadLine, FileState, LogFile, LogSource
from apps.downloads.logs.places import FolderPlace
from apps.downloads.logs.reading import MAX_LINE_BYTES, Place, read_chunks
from apps.downloads.logs.records import sent_intervals
from apps.downloads.logs.sweeping import Sweeper
from apps.downloads.rules import DropReason
from tests.downloads.logs import writing
from tests.downloads.logs.conftest import Killed, MemoryCounter, Sweep
from tests.downloads.logs.writing import combined, request, v1_file
from tests.downloads.making import AGENTS, NOON, THRESHOLD

type MakeSource = Callable[..., LogSource]


def listeners(path: str, count: int, start: int = 0) -> list[writing.Said]:
    """Whole GETs of as many listeners."""
    return [
        request(path, number, ip=f"198.51.{number // 250}.{number % 250}")
        for number in range(start, start + count)
    ]


def test_a_log_is_counted(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    (folder / "E1.2026-10-14-12.abcd.gz").write_bytes(gzip.compress(v1_file(listeners(path, 6))))
    swept = sweep(make_source())
    assert (swept.read.lines, swept.read.hits, swept.read.bad_lines) == (8, 6, 0)
    assert swept.is_complete
    assert counter.downloads == 6


def test_what_was_read_is_not_read_again(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    source = make_source()
    (folder / "a.gz").write_bytes(gzip.compress(v1_file(listeners(path, 6))))
    sweep(source)
    assert sweep(source).read.lines == 0
    assert len(counter.ids) == 6


def test_a_plain_log_is_followed_as_it_grows(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    source = make_source(format="nginx")
    log = folder / "access.log"
    first, second = (combined(path, ip=f"198.51.100.{number}") for number in (1, 2))
    log.write_text(f"{first}\n{second[:40]}")
    assert sweep(source).read.hits == 1
    with log.open("a") as file:
        file.write(second[40:] + "\n")
    assert sweep(source).read.hits == 1
    assert counter.downloads == 2
    assert LogFile.objects.get().state == FileState.DONE


def test_a_last_line_without_an_end_counts_once_nobody_writes_any_more(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    source = make_source(format="nginx")
    log = folder / "access.log"
    log.write_text(combined(path))
    written_at = now().timestamp()
    os.utime(log, (written_at, written_at))
    assert sweep(source).read.hits == 0
    with time_machine.travel(now() + timedelta(hours=2), tick=False):
        assert sweep(source).read.hits == 1
        assert sweep(source).read.lines == 0


def rotate(log: Path) -> None:
    """As logrotate does with `compress` and `delaycompress`."""
    older, newer = log.with_name("access.log.1"), log.with_name("access.log.2.gz")
    if older.exists():
        newer.write_bytes(gzip.compress(older.read_bytes()))
        older.unlink()
    log.rename(older)


def test_rotated_logs_are_recognised_whatever_they_are_called(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    source = make_source(format="nginx")
    log = folder / "access.log"
    for day in range(4):
        lines = [combined(path, ip=f"198.51.{day}.{host}") for host in range(50)]
        log.write_text("".join(f"{line}\n" for line in lines[:30]))
        sweep(source)
        with log.open("a") as file:  # written after the last pass, before the rotation
            file.write("".join(f"{line}\n" for line in lines[30:]))
        rotate(log)
        if day % 2:
            log.touch()
            sweep(source)
    sweep(source)
    assert len(counter.ids) == len(set(counter.ids)) == 200
    assert counter.downloads == 200


def test_a_log_that_is_copied_and_cut_is_read_once(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    source = make_source(format="nginx")
    log = folder / "access.log"
    log.write_text("".join(combined(path, ip=f"198.51.100.{host}") + "\n" for host in range(60)))
    sweep(source)
    (folder / "access.log.1").write_bytes(log.read_bytes())
    log.write_text(combined(path, ip="203.0.113.77") + "\n")
    swept = sweep(source)
    assert swept.read.hits == 1
    assert len(counter.ids) == 61


def test_rows_repeat_within_and_over_files_and_change_nothing(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    rows = listeners(path, 5)
    (folder / "a.log").write_bytes(v1_file([*rows, *rows, *reversed(rows)]))
    (folder / "b.log").write_bytes(v1_file(reversed(rows)))
    swept = sweep(make_source())
    assert swept.read.skipped == {SkipReason.REPEATED: 10}
    assert len(set(counter.ids)) == 5  # the same row has the same id in every file
    assert counter.downloads == 5


def test_rows_of_two_sources_have_ids_of_their_own(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    (folder / "a.log").write_bytes(v1_file([request(path)]))
    sweep(make_source())
    sweep(make_source(name="other"))
    assert len(set(counter.ids)) == 2


@pytest.mark.parametrize("moment", ["before", "within", "after"])
@pytest.mark.parametrize("kind", ["plain", "gzip", "parquet"])
def test_a_kill_after_any_chunk_loses_and_repeats_nothing(
    make_source: MakeSource,
    folder: Path,
    path: str,
    moment: str,
    kind: str,
) -> None:
    rows = listeners(path, 50)
    if kind == "parquet":
        writing.write_parquet(folder / "log.parquet", rows)
    else:
        log = v1_file(rows)
        (folder / "log").write_bytes(gzip.compress(log) if kind == "gzip" else log)
    source, counter, kills = make_source(), MemoryCounter(), 0

    def kill(at: str) -> None:
        nonlocal kills
        if at == moment and kills < 100 and kills % 2 == 0:
            kills += 1
            raise Killed
        kills += at == moment

    counter.fault = kill
    for _ in range(40):
        try:
            if Sweeper(counter, chunk_lines=7).sweep(source).is_complete:
                break
        except Killed:
            continue
    assert kills >= 7
    assert len(counter.ids) == len(set(counter.ids)) == 50
    assert counter.downloads == 50
    file = LogFile.objects.get()
    assert (file.hits, file.state) == (50, FileState.DONE)


def test_a_turn_that_has_to_stop_goes_on_at_the_next(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    source = make_source()
    (folder / "log").write_bytes(v1_file(listeners(path, 20)))  # 22 lines
    for turn in range(1, 5):
        # Asked before the file and after its first chunk.
        swept = sweep(source, has_to_stop=iter([False, True]).__next__, chunk_lines=5)
        assert (swept.read.lines, swept.is_complete) == (5, False), turn
        source.refresh_from_db()
        assert source.complete_at is None
    assert sweep(source, chunk_lines=5).read.lines == 2
    source.refresh_from_db()
    assert source.complete_at == now()
    assert len(counter.ids) == len(set(counter.ids)) == 20


def test_two_who_read_the_same_file_count_it_once(
    make_source: MakeSource, counter: MemoryCounter, folder: Path, path: str
) -> None:
    """The lock keeps them apart; without it, the position does."""
    (folder / "log").write_bytes(v1_file(listeners(path, 20)))
    source = make_source()
    inner = MemoryCounter()

    def overtake(moment: str) -> None:
        if moment == "before" and not inner.ids:
            Sweeper(inner).sweep(LogSource.objects.get())

    counter.fault = overtake
    swept = Sweeper(counter).sweep(source)
    assert "read by somebody else" in swept.problems[0]
    assert (len(counter.ids), len(inner.ids)) == (0, 20)


def test_bad_lines_are_kept_without_addresses_and_hold_nothing_up(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    good = [combined(path, ip=f"198.51.100.{number}") for number in range(3)]
    bad = [
        "203.0.113.9 - - what is this?",
        'from 2001:db8:1:2::9 "2001%3Adb8%3A%3A7" and \\x3adb8\\x3a\\x3a7',
        "x" * (2 * MAX_LINE_BYTES + 3),
        "\x00\udcff nonsense",
    ]
    text = "\n".join([good[0], *bad, good[1], "", good[2], ""])
    (folder / "access.log").write_bytes(text.encode("utf-8", "surrogateescape"))
    swept = sweep(make_source(format="nginx"))
    assert (swept.read.hits, swept.read.bad_lines, swept.is_complete) == (3, 4, True)
    kept = list(BadLine.objects.all())
    assert [line.line_number for line in kept] == [2, 3, 4, 5]
    assert "longer than" in kept[2].reason
    stored = " ".join(line.excerpt + line.reason for line in kept)
    for trace in ("203.0", "113", "db8", "2001"):
        assert trace not in stored


def test_of_very_many_bad_lines_the_first_are_kept(
    make_source: MakeSource, sweep: Sweep, folder: Path
) -> None:
    (folder / "access.log").write_text("nonsense\n" * 300)
    sweep(make_source(format="nginx"), chunk_lines=70)
    file = LogFile.objects.get()
    assert (file.bad_lines, file.kept_bad_lines.count()) == (300, KEPT_BAD_LINES)
    assert [line.line_number for line in file.kept_bad_lines.all()] == [*range(1, 101)]


def test_a_damaged_file_is_read_as_far_as_it_goes_and_tried_again_later(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    source, log = make_source(), folder / "a.gz"
    whole = gzip.compress(v1_file(listeners(path, 2000)), compresslevel=1)
    log.write_bytes(whole[: len(whole) // 2])
    (folder / "b.gz").write_bytes(gzip.compress(v1_file(listeners(path, 5, start=5000))))
    swept = sweep(source)
    assert not swept.is_complete
    assert "damaged or cut off" in swept.problems[0]
    assert 5 < len(counter.ids) < 2000
    assert sweep(source).problems == []  # not at once
    assert not sweep(source).is_complete
    log.write_bytes(whole)
    swept = sweep(source)
    assert (swept.problems, swept.is_complete) == ([], True)
    assert len(counter.ids) == len(set(counter.ids)) == 2005
    assert not LogFile.objects.exclude(error="").exists()


@pytest.mark.parametrize(
    "content",
    [b"PAR1", b"PAR1" + b"\x00" * 500 + b"PAR1", b"PAR1" + b"\xff" * 100, b"\x1f\x8bnonsense"],
)
def test_what_only_looks_like_a_log_fails_alone(
    make_source: MakeSource, sweep: Sweep, folder: Path, content: bytes
) -> None:
    (folder / "log").write_bytes(content)
    swept = sweep(make_source())
    assert len(swept.problems) == 1
    assert LogFile.objects.get().state == FileState.FAILED


def test_a_log_that_lacks_fields_says_so_and_is_read_once_they_are_named(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    source = make_source()
    (folder / "real-time").write_text(writing.cloudfront_realtime(request(path)) + "\n")
    assert "name them" in sweep(source).problems[0]
    source.description = " ".join(writing.REALTIME_FIELDS)
    source.save()
    with time_machine.travel(now() + timedelta(hours=1), tick=False):
        assert sweep(source).is_complete
    assert counter.downloads == 1


def test_a_place_that_is_not_there_is_a_problem_and_no_accident(
    make_source: MakeSource, sweep: Sweep, folder: Path
) -> None:
    source = make_source()
    folder.rmdir()
    swept = sweep(source)
    assert "no folder" in swept.problems[0]
    source.refresh_from_db()
    assert "no folder" in source.error
    folder.mkdir()
    sweep(source)
    source.refresh_from_db()
    assert source.error == ""


def test_only_files_with_the_right_names_are_read(
    make_source: MakeSource, sweep: Sweep, folder: Path, path: str
) -> None:
    for name in ("access.log", "error.log"):
        (folder / name).write_text(combined(path) + "\n")
    assert sweep(make_source(format="nginx", name_pattern="access*")).files == 1


def test_old_files_are_deleted_only_where_the_source_says_so(
    make_source: MakeSource, sweep: Sweep, folder: Path, path: str
) -> None:
    packed, plain = folder / "a.gz", folder / "access.log"
    packed.write_bytes(gzip.compress(v1_file([request(path, 1)])))
    plain.write_bytes(v1_file([request(path, 2)]))
    source = make_source()
    sweep(source)
    with time_machine.travel(now() + timedelta(days=8), tick=False):
        assert sweep(source).deleted == 0
        source.delete_after_days = 7
        source.save()
        assert sweep(source).deleted == 1
        assert not packed.exists()
        assert plain.exists()  # somebody may have it open
        assert sweep(source).is_complete


def test_the_rules_judge_what_a_log_tells(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    lines = [
        combined(path, method="HEAD", sent=0),
        combined(path, status=304, sent=0),
        combined(path, status=404, sent=150),
        combined(path, agent=""),
        combined(path, agent="Googlebot/2.1"),
        combined(path, when=NOON - timedelta(days=3, hours=13)),
        combined(path, sent=0),
        combined(path, method="OPTIONS", sent=0),
        combined(path, status=302, sent=0),
        combined(path, sent=THRESHOLD - 1, ip="198.51.100.1"),
        combined(path, sent=THRESHOLD, ip="198.51.100.2"),
    ]
    (folder / "access.log").write_text("\n".join([*lines, ""]))
    swept = sweep(make_source(format="nginx", not_before=NOON - timedelta(days=9)))
    assert counter.drops == {
        DropReason.METHOD: 1,
        DropReason.STATUS: 2,
        DropReason.BLANK_AGENT: 1,
        DropReason.BOT: 1,
        DropReason.NOTHING_SENT: 1,
        DropReason.OUTSIDE_WINDOW: 1,
    }
    assert swept.read.skipped == {SkipReason.METHOD: 1, SkipReason.REDIRECT: 1}
    assert counter.downloads == 1


@given(
    answers=st.lists(st.tuples(st.integers(0, 900), st.integers(1, 100)), min_size=1, max_size=8),
)
@settings(max_examples=40)
def test_ranges_that_a_log_does_not_tell_never_count_for_more_than_was_sent(
    answers: list[tuple[int, int]],
) -> None:
    really = union((start, start + length) for start, length in answers)
    lines = [request("/a.mp3", status=206, body_bytes=length) for _, length in answers]
    placed = [interval for one in lines for interval in sent_intervals(one.record, 1000) or ()]
    assert size(union(placed)) <= size(really)


@given(
    chunk_lines=st.integers(1, 9),
    is_gzipped=st.booleans(),
    ends=st.booleans(),
    blanks=st.lists(st.integers(0, 12), max_size=3),
)
@settings(max_examples=40, deadline=None)
def test_a_file_can_be_read_on_from_every_chunk(
    tmp_path_factory: pytest.TempPathFactory,
    chunk_lines: int,
    is_gzipped: bool,
    ends: bool,
    blanks: list[int],
) -> None:
    path = tmp_path_factory.mktemp("chunks") / "log"
    lines = v1_file(request("/a.mp3", number) for number in range(11)).splitlines(keepends=True)
    for blank in blanks:
        lines.insert(2 + blank, b"\r\n")
    content = b"".join(lines).rstrip() + (b"\n" if ends else b"")
    path.write_bytes(gzip.compress(content) if is_gzipped else content)
    layout = Layout(LogFormat.CLOUDFRONT)

    def read(place: Place, is_whole: bool) -> list[str]:
        chunks = read_chunks(path, layout, place, is_whole=is_whole, chunk_lines=chunk_lines)
        return [record.request_id for chunk in chunks for record in chunk.records]

    everything = read(Place(), is_whole=True)
    assert len(everything) == 11
    assert read(Place(), is_whole=False) == everything[: None if ends else 10]
    read_so_far = 0
    for chunk in read_chunks(path, layout, Place(), is_whole=True, chunk_lines=chunk_lines):
        read_so_far += len(chunk.records)
        assert read(chunk.place, is_whole=True) == everything[read_so_far:]


def test_a_request_at_which_the_counter_fails_takes_no_other_with_it(
    make_source: MakeSource, folder: Path, path: str
) -> None:
    (folder / "log").write_bytes(v1_file(listeners(path, 40)))
    counter = MemoryCounter()

    def count(hits: Sequence[Hit], also: Callable[[], None]) -> None:
        with transaction.atomic():
            if any(hit.ip in {"198.51.0.7", "198.51.0.38"} for hit in hits):
                raise IntegrityError
            counter(hits, also)

    source = make_source()
    swept = Sweeper(count, chunk_lines=9).sweep(source)
    assert (swept.problems, swept.is_complete) == ([], True)
    assert len(counter.ids) == len(set(counter.ids)) == 38
    file = LogFile.objects.get()
    assert (file.hits, file.skipped) == (38, {SkipReason.UNCOUNTABLE: 2})


def test_a_page_of_records_takes_few_queries(
    make_source: MakeSource,
    sweep: Sweep,
    folder: Path,
    path: str,
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    rows = listeners(path, 500) + [
        request(f"/media/00000000-0000-7000-8000-{number:012x}/x.mp3", 1000 + number)
        for number in range(500)
    ]
    (folder / "log").write_bytes(v1_file(rows))
    source = make_source()
    with django_assert_max_num_queries(30):  # type: ignore[attr-defined]
        sweep(source)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    row = writing.cloudfront_v1(request("/a.mp3")).encode() + b"\n"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(writing.V1_HEADER.encode())
        for _ in range(40):
            file.write(row * 1000)
    chunks = read_chunks(path, Layout(LogFormat.CLOUDFRONT), Place(), is_whole=True)
    next(chunks)
    tracemalloc.start()
    for _ in chunks:
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_folder_lists_what_is_there(folder: Path) -> None:
    (folder / "below").mkdir()
    (folder / "below" / "a.log").write_text("x")
    (folder / "link.log").symlink_to(folder / "below" / "a.log")
    assert [found.name for found in FolderPlace(folder).find()] == ["below/a.log"]


def test_one_at_a_time(make_source: MakeSource, sweep: Sweep, folder: Path, path: str) -> None:
    (folder / "log").write_bytes(v1_file(listeners(path, 5)))
    source = make_source()
    key = 0x4C6F6773 << 32 | source.id.int & 0xFFFF_FFFF
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [key])
        assert sweep(source).is_busy
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
    finally:
        other.close()
    assert sweep(source).read.hits == 5


def test_ten_agents_behind_one_address(
    make_source: MakeSource, sweep: Sweep, counter: MemoryCounter, folder: Path, path: str
) -> None:
    rows = [request(path, number, agent=AGENTS[number % 6]) for number in range(10)]
    (folder / "log").write_bytes(v1_file(rows))
    sweep(make_source())
    assert counter.downloads == 6
