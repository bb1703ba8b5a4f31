"""The demo's files are real ones: sound, tags, chapters and a cover that Apple would take."""

import io
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.media.images import prepare_image
from apps.media.probing import Handling, probe
from podcasts import demo_audio, demo_music
from podcasts.demo_audio import NUMBERS, Rendered
from podcasts.demo_texts import SHOW_AUTHOR, SHOW_CATEGORY, SHOW_TITLE


@cache
def rendered(number: int) -> Rendered:
    return demo_audio.render_episode(number)


@pytest.mark.parametrize("number", NUMBERS)
def test_an_episode_is_a_tagged_mp3_of_a_few_minutes(tmp_path: Path, number: int) -> None:
    episode = rendered(number)
    path = tmp_path / episode.filename
    path.write_bytes(episode.mp3)

    facts = probe(path)

    assert (facts.handling, facts.codec, facts.channels) == (Handling.SERVE, "mp3", 2)
    assert 120_000 <= facts.duration_ms <= 240_000
    assert (facts.tags.title, facts.tags.artist) == (episode.title, SHOW_AUTHOR)
    assert (facts.tags.album, facts.notices) == (SHOW_TITLE, ())
    assert facts.tags.artwork is not None
    assert facts.tags.artwork.mime_type == "image/jpeg"
    assert facts.chapters[0].start_ms == 0
    assert facts.chapters[-1].end_ms == pytest.approx(facts.duration_ms, abs=100)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_notes_name_the_chapters_and_their_times(tmp_path: Path, number: int) -> None:
    episode = rendered(number)
    path = tmp_path / "episode.mp3"
    path.write_bytes(episode.mp3)

    told = re.findall(r"^- (\d\d):(\d\d) (.+)$", episode.notes, re.MULTILINE)

    assert [(int(m) * 60 + int(s), name) for m, s, name in told] == [
        (chapter.start_ms // 1000, chapter.title) for chapter in probe(path).chapters
    ]
    assert "](https://" in "".join(rendered(other).notes for other in NUMBERS)


def test_the_pieces_differ() -> None:
    pieces = [demo_music.PIECES[number] for number in NUMBERS]

    assert len({(piece.tempo, piece.root, piece.lead) for piece in pieces}) == len(NUMBERS)
    assert len({rendered(number).mp3 for number in NUMBERS}) == len(NUMBERS)


def test_the_music_is_the_same_every_time_and_never_clips() -> None:
    sound = demo_music.render(demo_music.PIECES[2])
    left, right = sound

    assert np.array_equal(sound, demo_music.render(demo_music.PIECES[2]))
    assert 0.3 < np.abs(sound).max() < 1
    assert not np.allclose(left, right), "it has a width"
    assert np.abs(sound[:, [0, -1]]).max() < 0.001, "no click at either end"


def test_the_cover_is_one_that_directories_take() -> None:
    data = demo_audio.render_cover()

    assert Image.open(io.BytesIO(data)).size == (3000, 3000)
    assert prepare_image(data).notices == ()


def test_the_show_has_a_category_that_exists() -> None:
    from podcasts.categories import validate_category

    validate_category(SHOW_CATEGORY)
