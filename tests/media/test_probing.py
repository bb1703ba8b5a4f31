"""Lengths are exact, headers are measured, and a broken file is told from a fine one."""

import os
import random
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from mutagen import id3
from mutagen.mp4 import MP4

from apps.media.probing import Handling, probe
from apps.media.refusals import FileRefusedError, MediaError, PreparationError
from apps.media.sniffing import Container
from apps.media.tags import Artwork, Chapter, Tags, write_id3
from tests.media.sounds import box, make_m4a, make_mp3, make_sound

JPEG = b"\xff\xd8\xff\xe0" + b"\x10" * 500
FFPROBE = shutil.which("ffprobe") or ""


@pytest.fixture
def mp3(tmp_path: Path) -> Path:
    return make_mp3(tmp_path / "tone.mp3")


@pytest.mark.parametrize(
    ("name", "codec", "container", "kind", "found", "handling"),
    [
        ("a.mp3", "libmp3lame", "mp3", Container.MP3, "mp3", Handling.SERVE),
        ("a.aac", "aac", "adts", Container.ADTS, "aac", Handling.REMUX),
        ("a.m4a", "alac", "ipod", Container.M4A, "alac", Handling.ENCODE),
        ("a.wav", "pcm_s16le", "wav", Container.WAV, "pcm_s16le", Handling.ENCODE),
        ("a.wav", "pcm_f32le", "wav", Container.WAV, "pcm_f32le", Handling.ENCODE),
        ("a.aiff", "pcm_s24be", "aiff", Container.AIFF, "pcm_s24be", Handling.ENCODE),
        ("a.flac", "flac", "flac", Container.FLAC, "flac", Handling.ENCODE),
        ("a.oga", "flac", "ogg", Container.OGG, "flac", Handling.ENCODE),
        ("lies.mp3", "flac", "flac", Container.FLAC, "flac", Handling.ENCODE),
    ],
)
def test_what_happens_to_a_file_follows_from_its_content(
    tmp_path: Path, name: str, codec: str, container: str, kind: Container, found: str,
    handling: Handling,
) -> None:  # fmt: skip
    path = make_sound(tmp_path / name, codec=codec, container=container, bitrate=None)

    result = probe(path)

    assert (result.container, result.codec, result.handling) == (kind, found, handling)
    assert (result.sample_rate, result.channels) == (44100, 2)
    assert result.duration_ms == pytest.approx(3000, abs=60)
    assert result.size_bytes == path.stat().st_size


def test_opus_is_encoded(tmp_path: Path) -> None:
    path = make_sound(tmp_path / "a", codec="libopus", container="ogg", rate=48000, layout="mono")

    result = probe(path)

    assert (result.codec, result.handling, result.channels) == ("opus", Handling.ENCODE, 1)
    assert result.duration_ms == pytest.approx(3000, abs=60)


def test_an_mp3_lasts_as_long_as_what_was_put_in(mp3: Path) -> None:
    assert probe(mp3).duration_ms == 3000


@pytest.mark.parametrize("options", [{}, {"write_xing": "0"}])
def test_a_variable_bitrate_is_counted_not_estimated(
    tmp_path: Path, options: dict[str, str]
) -> None:
    path = tmp_path / "vbr.mp3"
    make_mp3(path, 60, bitrate=None, options=options, layout="mono")
    os.utime(path)

    assert probe(path).duration_ms == pytest.approx(60_000, abs=60)


@pytest.mark.parametrize("claimed", [1, 10_000_000])
def test_a_wrong_xing_count_is_not_believed(mp3: Path, claimed: int) -> None:
    content = mp3.read_bytes()
    at = content.index(b"Info") if b"Info" in content else content.index(b"Xing")
    mp3.write_bytes(content[: at + 8] + struct.pack(">I", claimed) + content[at + 12 :])

    assert probe(mp3).duration_ms == 3000


def test_two_joined_files_last_as_long_as_both(tmp_path: Path, mp3: Path) -> None:
    write_id3(mp3, Tags(title="Part"), [])
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(mp3.read_bytes() * 2)

    result = probe(joined)

    assert result.duration_ms == pytest.approx(6000, abs=90)
    assert result.notices == ()


def test_the_header_of_an_mp3_is_its_tag(mp3: Path) -> None:
    write_id3(mp3, Tags(title="x", artwork=Artwork(JPEG, "image/jpeg")), [])
    tag_bytes = id3.ID3(mp3).size

    result = probe(mp3)

    assert result.header_bytes == tag_bytes
    sound = (result.size_bytes - tag_bytes) * 8 / 3
    assert result.bitrate_bps == pytest.approx(sound, rel=0.02)


def test_trailing_tags_are_no_damage(mp3: Path) -> None:
    trailer = b"APETAGEX" + b"\0" * 3000 + b"TAG" + b"x" * 125
    mp3.write_bytes(mp3.read_bytes() + trailer)

    result = probe(mp3)

    assert (result.duration_ms, result.notices) == (3000, ())


def test_the_header_of_an_m4a_ends_where_its_sound_begins(tmp_path: Path) -> None:
    path = make_m4a(tmp_path / "a.m4a")

    result = probe(path)

    assert result.handling is Handling.SERVE
    assert path.read_bytes()[result.header_bytes - 4 : result.header_bytes] == b"mdat"
    assert result.duration_ms == pytest.approx(3000, abs=60)


def test_an_m4a_with_its_index_at_the_end_is_rewrapped_and_says_so(tmp_path: Path) -> None:
    result = probe(make_m4a(tmp_path / "a.m4a", faststart=False))

    assert result.handling is Handling.REMUX
    assert "index" in result.notices[0]


def test_tags_and_cover_are_read(tmp_path: Path, mp3: Path) -> None:
    cover = Artwork(JPEG, "image/jpeg")
    write_id3(mp3, Tags("  Title\twith\nbreaks ", "Artist", "Album", cover), [])

    tags = probe(mp3).tags

    assert tags == Tags("Title with breaks", "Artist", "Album", cover)


def test_tags_of_an_m4a_are_read(tmp_path: Path) -> None:
    path = make_m4a(tmp_path / "a.m4a")
    file = MP4(path)
    file["\xa9nam"] = ["Título"]
    file["covr"] = [JPEG]
    file.save()

    tags = probe(path).tags

    assert (tags.title, tags.artwork) == ("Título", Artwork(JPEG, "image/jpeg"))


def test_unreadable_tags_are_a_notice_not_a_refusal(mp3: Path) -> None:
    broken = (
        b"ID3\x03\x00\x00\x00\x00\x00\x14" + b"TIT2\xff\xff\xff\xff\0\0" + b"\1\xff\xfe\xd8\xd8"
    )
    mp3.write_bytes(broken + b"\0" * (30 - len(broken)) + mp3.read_bytes())

    result = probe(mp3)

    assert (result.duration_ms, result.tags.title) == (3000, "")


def test_a_tag_that_unpacks_to_gigabytes_does_no_harm(mp3: Path) -> None:
    packed = subprocess.run(
        ["gzip", "-c"], input=b"\0" * (64 << 20), capture_output=True, check=True
    ).stdout[10:-8]
    frame = b"COMM" + struct.pack(">I", len(packed) + 6) + b"\0\x80" + b"\xff" * 4 + packed
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    mp3.write_bytes(b"ID3\x03\0\0" + size + frame + mp3.read_bytes())

    assert probe(mp3).duration_ms == 3000


def test_chapters_are_read_in_order_and_without_overlap(mp3: Path) -> None:
    chapters = [
        Chapter(1000, 9_999_999, "Second"),
        Chapter(0, 1500, "First"),
        Chapter(60_000, 70_000, "Past the end"),
    ]
    write_id3(mp3, Tags(), chapters)

    found = probe(mp3).chapters

    assert found == (Chapter(0, 1000, "First"), Chapter(1000, 3000, "Second"))


@pytest.mark.parametrize(("codec", "container"), [("aac", "ipod"), ("libopus", "ogg")])
def test_chapters_of_other_containers_are_read(tmp_path: Path, codec: str, container: str) -> None:
    path = make_sound(
        tmp_path / "a",
        codec=codec,
        container=container,
        rate=48000,
        chapters=[(0, 1, "One"), (1, 3, "Two")],
    )

    titles = [(chapter.start_ms, chapter.title) for chapter in probe(path).chapters]

    assert titles == [(0, "One"), (1000, "Two")]


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def noisy(content: bytes) -> bytes:
    return content[:2000] + random.Random(4).randbytes(len(content))


REFUSED: dict[str, tuple[Callable[[Path], Path], Callable[[bytes], bytes], str]] = {
    "an MP3 cut in the middle": (make_mp3, cut, "cut-off"),
    "an M4A cut in the middle": (make_m4a, cut, "cut-off"),
    "an M4A without its index": (
        lambda path: make_m4a(path, faststart=False), lambda content: content[:-3000], "cut-off"),
    "a WAV cut in the middle": (
        lambda path: make_sound(path, codec="pcm_s16le", container="wav"), cut, "cut-off"),
    "noise behind an MP3's beginning": (make_mp3, noisy, "damaged"),
    "half a second": (lambda path: make_mp3(path, 0.5), lambda content: content, "too-short"),
    "a WAV with ADPCM": (
        lambda path: make_sound(path, codec="adpcm_ms", container="wav"), bytes, "codec"),
    "an MP4 of absurd sizes": (
        make_m4a, lambda content: content[:40] + struct.pack(">I", 3) + content[44:], "damaged"),
    "an MP4 whose box claims 16 exabytes": (
        make_m4a, lambda _: box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", b"\xff" * 40, claimed=1),
        "cut-off"),
    "an MP4 of nothing": (
        make_m4a, lambda _: box(b"ftyp", b"M4A \0\0\0\0") + box(b"free", b""), "no-index"),
    "an MP4 with an empty index": (
        make_m4a,
        lambda _: box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", b"") + box(b"mdat", b"x" * 99),
        "no-audio|damaged"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "spoil", "codes"), REFUSED.values(), ids=REFUSED)
def test_a_broken_file_is_told(
    tmp_path: Path,
    make: Callable[[Path], Path],
    spoil: Callable[[bytes], bytes],
    codes: str,
) -> None:
    path = make(tmp_path / "a")
    path.write_bytes(spoil(path.read_bytes()))

    with pytest.raises(FileRefusedError) as refused:
        probe(path)

    assert refused.value.code in codes.split("|"), refused.value.message


def test_a_file_larger_than_the_memory_limit_is_still_read(mp3: Path) -> None:
    os.truncate(mp3, 1 << 30)  # a gigabyte of nothing behind the sound

    with pytest.raises(FileRefusedError, match="damaged"):
        probe(mp3)


def test_a_few_damaged_frames_are_forgiven(tmp_path: Path) -> None:
    path = make_mp3(tmp_path / "a.mp3", 60)
    content = bytearray(path.read_bytes())
    content[300_000:300_900] = random.Random(1).randbytes(900)
    path.write_bytes(content)

    assert probe(path).duration_ms == pytest.approx(60_000, abs=150)


def test_a_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as video:
        stream = video.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(50):
            video.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        video.mux(stream.encode())

    with pytest.raises(FileRefusedError, match="video"):
        probe(path)


@pytest.mark.parametrize(
    "content",
    [
        b"ffconcat version 1.0\n" + b"file 'self.mp3'\n" * 120,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n" + b"#EXTINF:9,\nself.mp3\n" * 100,
    ],
)
def test_a_playlist_that_names_itself_never_reaches_a_decoder(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "self.mp3"
    path.write_bytes(content)

    with pytest.raises(FileRefusedError, match="playlist"):
        probe(path)


@pytest.mark.parametrize("seed", range(6))
def test_damage_anywhere_ends_in_an_answer(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = (make_mp3, make_m4a)[seed % 2](tmp_path / "a")
    content = bytearray(path.read_bytes())
    for _ in range(400):
        content[chance.randrange(60, len(content))] = chance.randrange(256)
    path.write_bytes(content)

    try:
        outcome: object = probe(path).duration_ms
    except MediaError as error:
        outcome = error.message

    assert outcome


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    seen: list[int] = []

    probe(make_mp3(tmp_path / "a.mp3", 30), on_progress=seen.append)

    assert seen == sorted(seen)
    assert seen[-1] >= 99


def test_errors_survive_a_task_queue() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(PreparationError("code", "Sentence.")))  # noqa: S301

    assert (error.code, error.message) == ("code", "Sentence.")


@pytest.mark.skipif(not FFPROBE, reason="needs ffprobe to compare with")
@pytest.mark.parametrize("make", [make_mp3, make_m4a])
def test_the_length_is_what_ffprobe_says(tmp_path: Path, make: Callable[..., Path]) -> None:
    path = make(tmp_path / "a", 20)
    said = subprocess.run(
        [FFPROBE, "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert probe(path).duration_ms == pytest.approx(float(said.stdout) * 1000, abs=60)
