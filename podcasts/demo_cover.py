"""How the demo's cover is drawn: long waves in the evening, and the show's name."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

type Canvas = NDArray[np.float32]

_DRAWN_SIDE = 1500
_NIGHT = np.array([13, 16, 38], np.float32)
_DUSK = np.array([86, 30, 84], np.float32)
_HORIZON = np.array([244, 120, 78], np.float32)
_WAVE_COLOURS = np.array([[255, 214, 150], [255, 142, 110], [122, 205, 220]], np.float32)
_WAVES = 15


def draw(side: int, title: str) -> bytes:
    """A square JPEG of `side` pixels; the same every time."""
    drawn = min(side, _DRAWN_SIDE)
    down, across = np.meshgrid(*[np.linspace(0, 1, drawn, dtype=np.float32)] * 2, indexing="ij")
    canvas = _sky(down)
    _shine(canvas, across, down)
    for number in range(_WAVES):
        _add_wave(canvas, across, down, number)
    picture = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8), "RGB")
    if drawn != side:
        picture = picture.resize((side, side), Image.Resampling.BICUBIC)
    _write(picture, title)
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=88, optimize=True)
    return target.getvalue()


def _sky(down: Canvas) -> Canvas:
    """Night above, dusk in the middle, a warm horizon, and the sea below."""
    stops = np.array([0, 0.5, 0.68, 0.7, 1], np.float32)
    colours = np.stack([_NIGHT, _DUSK, _HORIZON, _DUSK * 0.55, _NIGHT * 0.7])
    bands = [np.interp(down, stops, colours[:, channel]) for channel in range(3)]
    return np.stack(bands, axis=-1).astype(np.float32)


def _shine(canvas: Canvas, across: Canvas, down: Canvas) -> None:
    """The transmitter's light, low over the horizon, with faint rings around it."""
    distance = np.hypot(across - 0.5, down - 0.66)
    glow = np.exp(-((distance / 0.16) ** 2)) * 0.75
    rings = (0.5 + 0.5 * np.cos(distance * 2 * np.pi / 0.075)) ** 8 * np.exp(-distance * 3.2) * 0.22
    canvas += (glow + rings * (down < 0.69))[..., None] * np.array([255, 196, 140], np.float32)


def _add_wave(canvas: Canvas, across: Canvas, down: Canvas, number: int) -> None:
    place = number / (_WAVES - 1)
    swell = np.exp(-(((across - 0.5) / 0.34) ** 2))
    height = 0.035 + 0.055 * swell * np.sin(np.pi * place)
    turns = 2.2 + 1.4 * place
    line = 0.45 + 0.42 * place + height * np.sin(2 * np.pi * (turns * across + 0.37 * number))
    width = 0.0016 + 0.0022 * place
    strength = 0.3 + 0.5 * np.sin(np.pi * (0.15 + 0.85 * place))
    colour = _WAVE_COLOURS[number % len(_WAVE_COLOURS)]
    gap = np.abs(down - line)
    light = np.exp(-((gap / width) ** 2)) + 0.22 * np.exp(-gap / (width * 7))
    canvas += (light * strength)[..., None] * (colour - canvas * 0.5)


def _write(picture: Image.Image, title: str) -> None:
    """The name in capitals with air between them, in two lines, above the waves."""
    pen = ImageDraw.Draw(picture)
    side = picture.width
    first, _, rest = title.upper().partition(" ")
    for text, size, top, spread in ((first, 0.105, 0.11, 0.02), (rest, 0.042, 0.25, 0.03)):
        font = ImageFont.load_default(round(side * size))
        widths = [pen.textlength(letter, font=font) + side * spread for letter in text]
        left = (side - sum(widths) + side * spread) / 2
        for letter, width in zip(text, widths, strict=True):
            pen.text((left, side * top), letter, font=font, fill=(255, 240, 222))
            left += width
