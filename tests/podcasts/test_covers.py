"""Covers drawn from titles."""

from io import BytesIO

import pytest
from PIL import Image

from podcasts.covers import SIDE, TEXT_BOTTOM, draw_cover


def opened(title: str) -> Image.Image:
    return Image.open(BytesIO(draw_cover(title)))


def has_lettering(picture: Image.Image) -> bool:
    """White stands in the lower half only where letters are drawn."""
    lower = picture.crop((0, SIDE // 2, SIDE, TEXT_BOTTOM))
    colours = lower.getcolors(maxcolors=SIDE * SIDE)
    assert colours is not None
    return (255, 255, 255) in {colour for _, colour in colours}


@pytest.mark.parametrize(
    ("title", "is_lettered"),
    [
        ("Night Signals", True),
        ("Ärger & Über", True),
        ("  Go  ", True),
        ("word " * 50, True),
        ("Подкаст о науке", False),  # letters that the type doesn't have
        ("深夜电台", False),
        ("x" * 255, False),  # a word that fits in no size
        ("", False),
    ],
)
def test_a_title_is_drawn_when_the_type_can(title: str, is_lettered: bool) -> None:
    picture = opened(title)
    assert (picture.size, picture.mode, picture.format) == ((SIDE, SIDE), "RGB", "PNG")
    assert has_lettering(picture) is is_lettered


def test_a_title_always_gets_the_same_cover_and_another_one_another() -> None:
    assert draw_cover("Night Signals") == draw_cover("Night Signals")
    assert draw_cover("Night Signals") != draw_cover("Day Signals")
