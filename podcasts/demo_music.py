"""How the demo's music is composed: chords, figures and melodies, laid out bar by bar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from podcasts.demo_voices import RATE, ROOM_SECONDS, VOICES, Sound, make_room, put_in_room

BEATS_PER_BAR = 4

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
_LOWEST_PAD = 48
_LOUDNESS = 0.14  # root mean square; comes to -16 LUFS, where podcasts are mastered


@dataclass(frozen=True, slots=True)
class Section:
    bars: int
    layers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Piece:
    """`chords` are degrees of the scale, one a bar; `melody` steps above the chord, in eighths."""

    tempo: float
    root: int
    scale: tuple[int, ...]
    chords: tuple[int, ...]
    lead: str
    figure: tuple[int, ...]
    melody: tuple[tuple[int | None, ...], ...]
    sections: tuple[Section, ...]
    seed: int

    @property
    def beat_seconds(self) -> float:
        return 60 / self.tempo

    @property
    def section_starts_seconds(self) -> list[float]:
        """When each section begins."""
        bar = BEATS_PER_BAR * self.beat_seconds
        bars = [0]
        for section in self.sections[:-1]:
            bars.append(bars[-1] + section.bars)
        return [count * bar for count in bars]


@dataclass(frozen=True, slots=True)
class _Note:
    voice: str
    pitch: int
    start_beats: float
    beats: float
    gain: float
    pan: float


def _sections(*plan: tuple[int, str]) -> tuple[Section, ...]:
    return tuple(Section(bars, frozenset(layers.split())) for bars, layers in plan)


PIECES: dict[int, Piece] = {
    1: Piece(
        tempo=80,
        root=50,
        scale=_MAJOR,
        chords=(0, 4, 5, 3),
        lead="keys",
        figure=(0, 2, 4, 6, 4, 2, 4, 2),
        melody=(
            (4, None, None, 2, None, 4, None, None),
            (6, None, 4, None, 2, None, None, None),
            (7, None, None, 6, None, 4, 2, None),
            (4, None, None, None, None, None, None, None),
        ),
        sections=_sections(
            (4, "pad"),
            (12, "pad bass figure"),
            (8, "pad bass melody"),
            (16, "pad bass figure melody hats"),
            (6, "pad figure"),
        ),
        seed=198,
    ),
    2: Piece(
        tempo=60,
        root=45,
        scale=_MINOR,
        chords=(0, 5, 2, 6),
        lead="bell",
        figure=(0, 4, 7, 9, 7, 4, 7, 4),
        melody=(
            (7, None, None, None, 4, None, None, None),
            (9, None, None, 8, None, None, 7, None),
            (4, None, None, None, 7, None, None, None),
            (None, None, 6, None, 4, None, None, None),
        ),
        sections=_sections(
            (4, "pad"),
            (8, "pad bass melody"),
            (8, "pad bass figure"),
            (12, "pad bass figure melody"),
            (4, "pad"),
        ),
        seed=162,
    ),
    3: Piece(
        tempo=104,
        root=55,
        scale=_MAJOR,
        chords=(0, 3, 5, 4, 0, 3, 1, 4),
        lead="pluck",
        figure=(0, 4, 2, 4, 7, 4, 2, 4),
        melody=(
            (7, None, 6, 7, None, 9, None, None),
            (7, None, 4, None, None, 2, 4, None),
            (7, None, 9, None, 11, None, 9, None),
            (8, None, None, 6, None, None, None, None),
        ),
        sections=_sections(
            (8, "figure"),
            (16, "figure bass hats"),
            (8, "pad bass melody"),
            (24, "pad figure bass melody hats"),
            (8, "pad figure"),
        ),
        seed=225,
    ),
}


def render(piece: Piece) -> Sound:
    """The whole piece as (2, samples), between -1 and 1; the same every time."""
    room = make_room(np.random.default_rng(piece.seed))
    beats = sum(section.bars for section in piece.sections) * BEATS_PER_BAR
    length = round((beats * piece.beat_seconds + ROOM_SECONDS + 2) * RATE)
    mix = np.zeros((2, length), np.float32)
    sounding: dict[tuple[str, int, float], Sound] = {}
    for note in _score(piece):
        key = (note.voice, note.pitch, note.beats)
        if key not in sounding:
            frequency = 440 * 2 ** ((note.pitch - 69) / 12)
            dry = VOICES[note.voice](frequency, note.beats * piece.beat_seconds)
            sounding[key] = put_in_room(dry, room)
        _place(mix, sounding[key], note, piece.beat_seconds)
    return _mastered(mix)


def _score(piece: Piece) -> Iterator[_Note]:
    bar = 0
    for section in piece.sections:
        for _ in range(section.bars):
            degree = piece.chords[bar % len(piece.chords)]
            for layer in sorted(section.layers):
                yield from _LAYERS[layer](piece, bar, degree)
            bar += 1
    yield from _pad(piece, bar, piece.chords[0])


def _pitch(piece: Piece, step: int) -> int:
    octave, place = divmod(step, len(piece.scale))
    return piece.root + 12 * octave + piece.scale[place]


def _pad(piece: Piece, bar: int, degree: int) -> Iterator[_Note]:
    for index, third in enumerate((0, 2, 4, 6)):
        pitch = _pitch(piece, degree + third)
        pitch -= 12 * (pitch > piece.root + 14)
        pitch += 12 * (piece.root < _LOWEST_PAD)
        yield _Note("pad", pitch, bar * BEATS_PER_BAR, BEATS_PER_BAR, 0.16, 0.25 + index / 6)


def _bass(piece: Piece, bar: int, degree: int) -> Iterator[_Note]:
    pitch = _pitch(piece, degree) - 12
    pitch -= 12 * (pitch > 48)
    for beat, beats, gain in ((0.0, 2.0, 0.5), (2.5, 1.5, 0.36)):
        yield _Note("bass", pitch, bar * BEATS_PER_BAR + beat, beats, gain, 0.5)


def _figure(piece: Piece, bar: int, degree: int) -> Iterator[_Note]:
    for eighth, step in enumerate(piece.figure):
        start = bar * BEATS_PER_BAR + eighth / 2
        gain = 0.2 if eighth % 4 == 0 else 0.13 + 0.02 * (eighth % 3)
        yield _Note(piece.lead, _pitch(piece, degree + step), start, 1.0, gain, 0.3 + eighth / 18)


def _melody(piece: Piece, bar: int, degree: int) -> Iterator[_Note]:
    phrase = piece.melody[bar % len(piece.melody)]
    for eighth, step in enumerate(phrase):
        if step is not None:
            # Chords of the upper half of the scale are answered from below, so that it stays sung.
            height = step - 7 if degree > 3 else step
            pitch = _pitch(piece, degree + height) + 12
            start = bar * BEATS_PER_BAR + eighth / 2
            yield _Note(piece.lead, pitch, start, 2.0, 0.3, 0.58)


def _hats(piece: Piece, bar: int, degree: int) -> Iterator[_Note]:
    for eighth in range(8):
        gain = 0.05 if eighth % 2 else 0.028
        yield _Note("hat", 60, bar * BEATS_PER_BAR + eighth / 2, 0.25, gain, 0.62)


_LAYERS = {"pad": _pad, "bass": _bass, "figure": _figure, "melody": _melody, "hats": _hats}


def _place(mix: Sound, sound: Sound, note: _Note, beat_seconds: float) -> None:
    start = round(note.start_beats * beat_seconds * RATE)
    stop = min(mix.shape[1], start + sound.shape[1])
    angle = note.pan * np.pi / 2
    for channel, share in enumerate((np.cos(angle), np.sin(angle))):
        gain = np.float32(note.gain * share * np.sqrt(2))
        mix[channel, start:stop] += gain * sound[channel, : stop - start]


def _mastered(mix: Sound) -> Sound:
    """An even loudness, soft peaks, and a beginning and an end without a click."""
    mix *= np.float32(_LOUDNESS) / np.sqrt((mix**2).mean())
    np.tanh(mix, out=mix)
    fade = np.linspace(0, 1, 2 * RATE, dtype=np.float32)
    mix[:, : fade.size // 8] *= fade[::8]
    mix[:, -fade.size :] *= fade[::-1]
    return mix
