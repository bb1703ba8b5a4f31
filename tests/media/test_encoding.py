"""Whatever comes in, what is served plays everywhere, keeps its tags, and is the same each time."""

import struct
from pathlib import Path

import av
import pytest
from mutagen.flac import FLAC, Picture

from apps.media.encoding import make_playable, playable_extension
from apps.media.mpeg_frames import walk_frames
from apps.media.probing import Handling, Probe, probe
from apps.media.refusals import FileRefusedError
from apps.media.tags import Artwork, Chapter
from tests.media.sounds import make_m4a, make_mp3, make_sound

JPEG = b"\xff\xd8\xff\xe0" + b"\x10" * 500


def made_playable(source: Path, target: Path) -> Probe:
    make_playable(source, target, probe(source))
    return probe(target)


@pytest.mark.parametrize(
    ("codec", "container", "rate", "layout", "bitrate", "channels"),
    [
        ("pcm_s16le", "wav", 44100, "stereo", 128_000, 2),
        ("pcm_s24le", "wav", 48000, "mono", 96_000, 1),
        ("pcm_s16le", "wav", 48000, "5.1", 128_000, 2),
        ("pcm_s16le", "wav", 8000, "mono", 96_000, 1),
        ("pcm_s16be", "aiff", 96000, "stereo", 128_000, 2),
        ("flac", "flac", 44100, "stereo", 128_000, 2),
        ("libopus", "ogg", 48000, "mono", 96_000, 1),
        ("alac", "ipod", 44100, "stereo", 128_000, 2),
    ],
)
def test_everything_else_becomes_an_mp3_of_constant_bitrate(
    tmp_path: Path,
    codec: str,
    container: str,
    rate: int,
    layout: str,
    bitrate: int,
    channels: int,
) -> None:
    source = make_sound(
        tmp_path / "in", codec=codec, container=container, rate=rate, layout=layout, bitrate=None
    )

    result = made_playable(source, tmp_path / "out.mp3")

    assert (result.codec, result.handling) == ("mp3", Handling.SERVE)
    assert (result.sample_rate, result.channels) == (44100, channels)
    assert result.bitrate_bps == pytest.approx(bitrate, rel=0.03)
    assert result.duration_ms == pytest.approx(3000, abs=30)


def test_frames_have_one_length_and_borrow_nothing(tmp_path: Path) -> None:
    source = make_sound(tmp_path / "in", codec="pcm_s16le", container="wav")
    target = tmp_path / "out.mp3"
    start = made_playable(source, target).header_bytes
    content = target.read_bytes()

    frames = [(at, header) for at, header in walk_frames(content, start) if header]

    assert {header.length for _, header in frames} <= {417, 418}
    # main_data_begin: the first nine bits behind the header (ISO/IEC 11172-3 2.4.1.7).
    borrowed = {struct.unpack_from(">H", content, at + 4)[0] >> 7 for at, _ in frames[1:]}
    assert borrowed == {0}


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    source = make_sound(tmp_path / "in", codec="flac", container="flac")
    first, second = tmp_path / "1.mp3", tmp_path / "2.mp3"

    made_playable(source, first)
    made_playable(source, second)

    assert first.read_bytes() == second.read_bytes()


def test_title_cover_and_chapters_are_carried_over(tmp_path: Path) -> None:
    source = make_sound(tmp_path / "in.flac", codec="flac", container="flac")
    file = FLAC(source)
    picture = Picture()
    picture.data, picture.mime, picture.type = JPEG, "image/jpeg", 3
    file.add_picture(picture)
    file["title"] = "Grüße 🎧"
    file["CHAPTER000"] = "00:00:00.000"
    file["CHAPTER000NAME"] = "Anfang"
    file["CHAPTER001"] = "00:00:01.500"
    file["CHAPTER001NAME"] = "Ende"
    file.save()

    result = made_playable(source, tmp_path / "out.mp3")

    assert result.tags.title == "Grüße 🎧"
    assert result.tags.artwork == Artwork(JPEG, "image/jpeg")
    assert [(it.start_ms, it.title) for it in result.chapters] == [(0, "Anfang"), (1500, "Ende")]


def packets(path: Path) -> list[bytes]:
    with av.open(path) as source:
        return [bytes(packet) for packet in source.demux(audio=0) if packet.size]


def test_an_index_moves_to_the_front_and_no_frame_changes(tmp_path: Path) -> None:
    source = make_sound(
        tmp_path / "in.m4a",
        codec="aac",
        container="ipod",
        metadata={"title": "Kept"},
        chapters=[(0, 1, "One"), (1, 3, "Two")],
    )
    target = tmp_path / "out.m4a"
    before = probe(source)

    after = made_playable(source, target)

    assert (before.handling, after.handling) == (Handling.REMUX, Handling.SERVE)
    assert packets(target) == packets(source)
    assert after.duration_ms == before.duration_ms
    assert after.tags.title == "Kept"
    assert after.chapters == (Chapter(0, 1000, "One"), Chapter(1000, 3000, "Two"))
    assert target.read_bytes().index(b"moov") < target.read_bytes().index(b"mdat")


def test_bare_aac_becomes_an_m4a_with_the_same_frames(tmp_path: Path) -> None:
    source = make_sound(tmp_path / "in.aac", codec="aac", container="adts")
    target = tmp_path / "out.m4a"

    after = made_playable(source, target)

    assert playable_extension(probe(source)) == "m4a"
    assert (after.handling, after.codec) == (Handling.SERVE, "aac")
    # ADTS repeats a header of seven bytes on every frame.
    assert packets(target) == [packet[7:] for packet in packets(source)]


def test_a_flac_that_breaks_off_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    source = make_sound(tmp_path / "in.flac", codec="flac", container="flac", seconds=120)
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    target = tmp_path / "out.mp3"

    with pytest.raises(FileRefusedError) as refused:
        make_playable(source, target, probe(source))

    assert refused.value.code == "cut-off"
    assert "2:00 long" in refused.value.message
    assert not target.exists()


@pytest.mark.parametrize("make", [make_mp3, make_m4a])
def test_what_is_served_as_it_is_is_never_touched(tmp_path: Path, make: type) -> None:
    source: Path = make(tmp_path / "in")
    with pytest.raises(ValueError, match="as it is"):
        make_playable(source, tmp_path / "out", probe(source))


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    source = make_sound(tmp_path / "in", codec="pcm_s16le", container="wav", seconds=20)
    seen: list[int] = []

    make_playable(source, tmp_path / "out.mp3", probe(source), on_progress=seen.append)

    assert seen == sorted(seen)
    assert seen[-1] >= 99


def test_an_error_on_the_way_leaves_no_half_file(tmp_path: Path) -> None:
    source = make_sound(tmp_path / "in", codec="pcm_s16le", container="wav", seconds=60)
    target = tmp_path / "out.mp3"

    def gone(percent: int) -> None:
        raise LookupError("the asset was deleted")

    facts = probe(source)
    with pytest.raises(LookupError):
        make_playable(source, target, facts, on_progress=gone)

    assert not target.exists()
