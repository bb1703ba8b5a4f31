"""What the demo's instruments sound like: sums of decaying sines, in a room made of noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

RATE = 44_100
type Sound = NDArray[np.float32]
type Voice = Callable[[float, float], Sound]

ROOM_SECONDS = 2.4


def _time(seconds: float) -> Sound:
    return np.arange(round(seconds * RATE), dtype=np.float32) / np.float32(RATE)


def _sum_of_sines(
    frequency: float,
    seconds: float,
    *,
    partials: tuple[tuple[float, float, float], ...],
    ring: float,
    attack: float,
) -> Sound:
    """Partials are (ratio, strength, decay a second); a note outlasts its beats by `ring`."""
    time = _time(seconds + ring)
    sound = np.zeros_like(time)
    for ratio, strength, decay in partials:
        if frequency * ratio < RATE * 0.4:
            turns = np.float32(2 * np.pi * frequency * ratio)
            sound += np.float32(strength) * np.exp(-np.float32(decay) * time) * np.sin(turns * time)
    fade_in = np.minimum(1, time / np.float32(attack))
    fade_out = np.minimum(1, (time[-1] - time) / np.float32(min(ring, 0.6)))
    return np.asarray(sound * fade_in * fade_out, np.float32)


def _hat(_frequency: float, _seconds: float) -> Sound:
    time = _time(0.12)
    noise = np.random.default_rng(7).standard_normal(time.size).astype(np.float32)
    return np.diff(noise, prepend=np.float32(0)) * np.exp(-55 * time)


VOICES: dict[str, Voice] = {
    "keys": partial(
        _sum_of_sines,
        partials=((1, 1, 1.6), (2, 0.42, 2.4), (3, 0.16, 3.4), (4, 0.1, 4.6), (7, 0.05, 9)),
        ring=0.9,
        attack=0.006,
    ),
    "bell": partial(
        _sum_of_sines,
        partials=((1, 0.9, 1.1), (2.003, 0.5, 1.6), (2.76, 0.28, 2.4), (5.4, 0.12, 4.2)),
        ring=2.2,
        attack=0.004,
    ),
    "pluck": partial(
        _sum_of_sines,
        partials=tuple((n, 1 / n**1.1, 2.2 + 1.5 * n**0.9) for n in range(1, 9)),
        ring=0.8,
        attack=0.002,
    ),
    "bass": partial(
        _sum_of_sines,
        partials=((1, 1, 0.9), (2, 0.34, 1.5), (3, 0.1, 2.5)),
        ring=0.3,
        attack=0.012,
    ),
    "pad": partial(
        _sum_of_sines,
        partials=tuple(
            (n * detune, 0.5 / n**1.5, 0.12) for n in range(1, 6) for detune in (0.9975, 1.0025)
        ),
        ring=1.2,
        attack=0.9,
    ),
    "hat": _hat,
}


def make_room(chance: np.random.Generator) -> Sound:
    """Two ears' worth of decaying noise, darker the longer it lasts."""
    time = _time(ROOM_SECONDS)
    noise = chance.standard_normal((2, time.size)).astype(np.float32)
    dark = np.cumsum(noise, axis=1)
    dark[:, 12:] = (dark[:, 12:] - dark[:, :-12]) / 12
    blend = np.exp(-6 * time)
    room = (blend * noise + (1 - blend) * 2 * dark) * np.exp(-2.6 * time)
    room[:, : round(0.012 * RATE)] = 0  # before the first wall answers
    loudness = np.sqrt((room**2).sum(axis=1, keepdims=True))
    return np.asarray(room / loudness * np.float32(0.3), np.float32)


def put_in_room(dry: Sound, room: Sound) -> Sound:
    """The room is folded into each different note once: far less work than into the whole."""
    length = dry.size + room.shape[1] - 1
    size = 1 << (length - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(room, size) * np.fft.rfft(dry, size), size)[:, :length]
    wet[:, : dry.size] += dry
    return np.asarray(wet, np.float32)
