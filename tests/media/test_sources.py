"""Reading stored files: bounded pieces, exact ends, and joints that cannot be seen."""

from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from hypothesis import given
from hypothesis import strategies as st

from apps.media import sources
from apps.media.errors import SourceTooShortError
from apps.media.sources import (
    CHUNK_BYTES,
    DiskSource,
    Segment,
    SegmentedSource,
)

FILE = bytes(range(256)) * 4


class Memory:
    """A source in memory that counts how often it was opened and closed."""

    descriptor: int | None = None
    opened = closed = 0

    async def prepare(self, start: int, stop: int) -> None:
        """It is in memory."""

    async def read(self, start: int, stop: int):  # type: ignore[no-untyped-def]
        for at in range(start, stop, 7):
            yield FILE[at : min(at + 7, stop)]

    async def close(self) -> None:
        self.closed += 1

    async def open(self) -> "Memory":
        self.opened += 1
        return self


async def read_all(source: SegmentedSource | DiskSource, start: int, stop: int) -> bytes:
    return b"".join([bytes(chunk) async for chunk in source.read(start, stop)])


stretches = st.lists(st.tuples(st.integers(0, 500), st.integers(1, 500)), min_size=1, max_size=6)


@given(stretches, st.data())
def test_segments_read_as_one_file(asked: list[tuple[int, int]], data: st.DataObject) -> None:
    segments = [Segment(Memory().open, length, start) for start, length in asked]
    whole = b"".join(FILE[start : start + length] for start, length in asked)
    source = SegmentedSource(segments)
    assert source.size_bytes == len(whole)
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    assert async_to_sync(read_all)(source, start, stop) == whole[start:stop]


def test_only_the_files_whose_bytes_are_read_are_opened_and_all_are_closed() -> None:
    files = [Memory() for _ in range(4)]
    source = SegmentedSource([Segment(file.open, 100) for file in files])

    async def scenario() -> None:
        await source.prepare(150, 160)
        await read_all(source, 150, 250)
        await read_all(source, 199, 201)
        await source.close()
        await source.close()

    async_to_sync(scenario)()
    assert [file.opened for file in files] == [0, 1, 1, 0]
    assert [file.closed for file in files] == [0, 1, 1, 0]


def test_nothing_is_read_beyond_the_end() -> None:
    source = SegmentedSource([Segment(Memory().open, 10)])
    with pytest.raises(SourceTooShortError):
        async_to_sync(read_all)(source, 0, 11)


@pytest.mark.parametrize("knows_the_page_cache", [True, False])
def test_a_file_is_read_in_bounded_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knows_the_page_cache: bool
) -> None:
    if not knows_the_page_cache:  # a system, or a file system, that cannot tell
        monkeypatch.setattr(sources, "_ONLY_IF_CACHED", None)
    content = FILE * 1000
    path = tmp_path / "file"
    path.write_bytes(content)

    async def pieces(start: int, stop: int) -> list[bytes]:
        source = await DiskSource.open(str(path), len(content), lambda: path)
        try:
            return [chunk async for chunk in source.read(start, stop)]
        finally:
            await source.close()

    for start, stop in [(0, len(content)), (1, CHUNK_BYTES + 2), (5, 6), (9, 9)]:
        read = async_to_sync(pieces)(start, stop)
        assert b"".join(read) == content[start:stop]
        assert all(0 < len(chunk) <= CHUNK_BYTES for chunk in read)


def test_a_file_that_ends_early_is_an_error_and_never_padded(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILE)

    async def scenario() -> list[bytes]:
        source = await DiskSource.open(str(path), len(FILE), lambda: path)
        path.write_bytes(FILE[:100])
        chunks = source.read(0, len(FILE))
        got = [await anext(chunks)]
        with pytest.raises(SourceTooShortError):
            await anext(chunks)
        await source.close()
        return got

    assert b"".join(async_to_sync(scenario)()) == FILE[:100]


@pytest.mark.parametrize("promised", [len(FILE) - 1, len(FILE) + 1])
def test_a_file_of_another_size_is_not_opened(tmp_path: Path, promised: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILE)
    with pytest.raises(SourceTooShortError):
        async_to_sync(DiskSource.open)(str(path), promised, lambda: path)
