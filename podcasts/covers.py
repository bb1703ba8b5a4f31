"""A cover drawn from a show's title, so that a show without artwork has a complete feed."""

import colorsys
import math
from functools import cache
from hashlib import sha256
from io import BytesIO

from django.contrib.staticfiles import finders
from PIL import Image, ImageDraw, ImageFont

SIDE = 1500  # within Apple's 1400 to 3000; nothing in a drawing gains from more
MARGIN = 120
TEXT_WIDTH = SIDE - 2 * MARGIN
TEXT_BOTTOM = SIDE - 170
TEXT_HEIGHT = 640
LARGEST_LETTERS = 210
SMALLEST_LETTERS = 50
WAVES = 7
FONT_FILE = "vendor/archivo/archivo-latin.woff2"
WEIGHT_AND_WIDTH = [700.0, 112.0]

type Colour = tuple[int, int, int]


def draw_cover(title: str) -> bytes:
    """A square PNG; the same title always gives the same picture."""
    seed = sha256(title.strip().lower().encode()).digest()
    ground, ink, signal = _palette(seed)
    picture = Image.new("RGB", (SIDE, SIDE), ground)
    draw = ImageDraw.Draw(picture)
    lettering = _lettering(title.strip())
    _draw_waves(draw, seed, ink, signal, spacing=62 if lettering else 150)
    _draw_dial(draw, seed, ink, signal)
    if lettering:
        _draw_lettering(draw, *lettering)
    buffer = BytesIO()
    picture.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _palette(seed: bytes) -> tuple[Colour, Colour, Colour]:
    hue = seed[0] / 256
    return (
        _colour(hue, 0.16, 0.55),
        _colour(hue, 0.42, 0.42),
        _colour((hue + 0.45 + seed[1] / 1280) % 1, 0.66, 0.92),
    )


def _colour(hue: float, lightness: float, saturation: float) -> Colour:
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _draw_waves(
    draw: ImageDraw.ImageDraw, seed: bytes, ink: Colour, signal: Colour, spacing: int
) -> None:
    """Carrier waves that swell in the middle; one of them, on top, is the one tuned in."""
    tuned = seed[2] % WAVES
    length = 260 + seed[3] * 1.6
    for index in sorted(range(WAVES), key=lambda index: index == tuned):
        phase = seed[4] / 40 + index * 0.55
        line = [
            (x, 180 + index * spacing + _swell(x) * math.sin(phase + 2 * math.pi * x / length))
            for x in range(-20, SIDE + 21, 5)
        ]
        colour, width = (signal, 20) if index == tuned else (ink, 8)
        draw.line(line, fill=colour, width=width, joint="curve")


def _swell(x: int) -> float:
    return 150 * math.exp(-(((x - SIDE / 2) / (SIDE / 3.2)) ** 2))


def _draw_dial(draw: ImageDraw.ImageDraw, seed: bytes, ink: Colour, signal: Colour) -> None:
    for index, x in enumerate(range(MARGIN, SIDE - MARGIN + 1, 30)):
        top = SIDE - (108 if index % 7 == 0 else 84)
        draw.line([(x, top), (x, SIDE - 60)], fill=ink, width=5)
    needle = MARGIN + round(TEXT_WIDTH * (0.1 + 0.8 * seed[5] / 255))
    draw.line([(needle, SIDE - 130), (needle, SIDE - 46)], fill=signal, width=12)


def _lettering(title: str) -> tuple[list[str], ImageFont.FreeTypeFont] | None:
    """Lines and type as large as they fit; None for letters that our type doesn't have."""
    if not title or not all(_has_glyph(letter) for letter in set(title) if not letter.isspace()):
        return None
    for size in range(LARGEST_LETTERS, SMALLEST_LETTERS - 1, -10):
        font = _font(size)
        lines = _wrapped(title, font)
        is_low_enough = len(lines) * _leading(font) <= TEXT_HEIGHT
        if is_low_enough and all(font.getlength(line) <= TEXT_WIDTH for line in lines):
            return lines, font
    return None


def _draw_lettering(
    draw: ImageDraw.ImageDraw, lines: list[str], font: ImageFont.FreeTypeFont
) -> None:
    top = TEXT_BOTTOM - len(lines) * _leading(font)
    for index, line in enumerate(lines):
        draw.text((MARGIN, top + index * _leading(font)), line, font=font, fill="white")


def _leading(font: ImageFont.FreeTypeFont) -> int:
    return round(font.size * 1.08)


def _wrapped(title: str, font: ImageFont.FreeTypeFont) -> list[str]:
    lines: list[str] = []
    for word in title.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= TEXT_WIDTH:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    path = finders.find(FONT_FILE)
    if path is None:  # a build without our type has Pillow's own
        return ImageFont.load_default(size)  # type: ignore[return-value]
    font = ImageFont.truetype(str(path), size)
    font.set_variation_by_axes(WEIGHT_AND_WIDTH)
    return font


@cache
def _has_glyph(letter: str) -> bool:
    font = _font(SMALLEST_LETTERS)
    missing = bytes(font.getmask("\U000f0000"))
    return bytes(font.getmask(letter)) != missing
