"""The demo's files: three episodes as tagged MP3s and a cover, all computed here."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame

from apps.media.mp3_encoder import FRAME_SAMPLES, SAMPLE_RATE, add_mp3_stream, open_mp3
from apps.media.tags import Artwork, Chapter, Tags, write_id3
from podcasts import demo_music
from podcasts.demo_cover import draw
from podcasts.demo_texts import EPISODES, SHOW_AUTHOR, SHOW_TITLE, DemoEpisode, notes
from podcasts.demo_voices import Sound

NUMBERS = tuple(EPISODES)
_EMBEDDED_SIDE = 1400
_ENCODER_SPEED = 7


@dataclass(frozen=True, slots=True)
class Rendered:
    """An episode that is ready to be uploaded; `notes` are Markdown."""

    number: int
    title: str
    filename: str
    notes: str
    mp3: bytes


def render_episode(number: int) -> Rendered:
    """Compose, encode and tag one of the episodes in `NUMBERS`: a few seconds of work."""
    episode, piece = EPISODES[number], demo_music.PIECES[number]
    sound = demo_music.render(piece)
    starts = piece.section_starts_seconds
    with tempfile.TemporaryDirectory(prefix="longwave-demo-") as folder:
        path = Path(folder, "episode.mp3")
        _encode(sound, path)
        tags = Tags(
            title=episode.title,
            artist=SHOW_AUTHOR,
            album=SHOW_TITLE,
            artwork=Artwork(render_cover(_EMBEDDED_SIDE), "image/jpeg"),
        )
        write_id3(path, tags, _chapters(episode, starts, sound.shape[1] / SAMPLE_RATE))
        return Rendered(
            number=number,
            title=episode.title,
            filename=f"{number:02}-{episode.title.lower().replace(' ', '-')}.mp3",
            notes=notes(episode, starts),
            mp3=path.read_bytes(),
        )


@cache
def render_cover(side: int = 3000) -> bytes:
    """The show's square cover as a JPEG."""
    return draw(side, SHOW_TITLE)


def _encode(sound: Sound, path: Path) -> None:
    samples = np.round(sound * 32767).astype(np.int16)
    with open_mp3(path) as output:
        encoder = add_mp3_stream(output, 2, speed=_ENCODER_SPEED)
        for start in range(0, samples.shape[1], FRAME_SAMPLES):
            piece = np.ascontiguousarray(samples[:, start : start + FRAME_SAMPLES])
            frame = AudioFrame.from_ndarray(piece, format="s16p", layout="stereo")
            frame.sample_rate = SAMPLE_RATE
            output.mux(encoder.encode(frame))
        output.mux(encoder.encode(None))


def _chapters(episode: DemoEpisode, starts: list[float], end: float) -> list[Chapter]:
    edges = [round(start * 1000) for start in (*starts, end)]
    return [
        Chapter(edges[index], edges[index + 1], name) for index, name in enumerate(episode.sections)
    ]
