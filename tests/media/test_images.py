"""A cover is what its bytes say, square, sRGB and small enough; a bomb never opens."""

import io
import random
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from apps.media.images import LARGEST_FILE, PreparedImage, prepare_image
from apps.media.refusals import FileRefusedError

RED = (200, 30, 40)


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, format=kind, **options)
    return target.getvalue()


def plain(width: int = 1500, height: int = 1500, mode: str = "RGB") -> Image.Image:
    colours: dict[str, tuple[float, ...] | float] = {
        "RGB": RED,
        "RGBA": (*RED, 255),
        "CMYK": (0, 200, 180, 40),
        "L": 90,
    }
    return Image.new(mode, (width, height), colours[mode])


def decoded(prepared: PreparedImage, name: str = "feed") -> Image.Image:
    variant = prepared.variants[name]
    picture = Image.open(io.BytesIO(variant.data))
    assert (picture.format, variant.content_type) == ("JPEG", "image/jpeg")
    assert picture.size == (variant.side, variant.side)
    return picture


def pixel(picture: Image.Image, at: tuple[int, int] = (700, 700)) -> tuple[int, ...]:
    value = picture.getpixel(at)
    assert isinstance(value, tuple)
    return tuple(int(part) for part in value)


def assert_close(found: tuple[int, ...], wanted: tuple[int, ...], within: int = 6) -> None:
    assert len(found) == len(wanted)
    assert all(abs(a - b) <= within for a, b in zip(found, wanted, strict=True)), found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_jpeg_png_and_webp_become_jpegs_in_all_sizes(kind: str) -> None:
    prepared = prepare_image(encoded(plain(3200, 3200), kind))

    assert list(prepared.variants) == ["feed", "96", "192", "480", "1400"]
    assert prepared.variants["feed"].side == 3000
    assert (prepared.width, prepared.notices) == (3200, ())
    for name in prepared.variants:
        assert_close(pixel(decoded(prepared, name), (40, 40)), RED)


def test_a_picture_is_never_enlarged() -> None:
    prepared = prepare_image(encoded(plain(1450, 1450)))

    assert prepared.variants["feed"].side == 1450


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((1399, 1399), "too-small"),
        ((1800, 1350), "too-small"),
        ((3000, 2000), "not-square"),
        ((1400, 3000), "not-square"),
    ],
)
def test_what_can_be_no_cover_is_refused_with_its_size(size: tuple[int, int], code: str) -> None:
    with pytest.raises(FileRefusedError, match=f"{size[0]} by {size[1]} pixels") as refused:
        prepare_image(encoded(plain(*size)))

    assert refused.value.code == code


def test_a_picture_inside_a_sound_file_may_be_smaller() -> None:
    prepared = prepare_image(encoded(plain(500, 500)), smallest_side=300)

    assert list(prepared.variants) == ["feed", "96", "192", "480"]


@pytest.mark.parametrize(
    ("size", "is_told"), [((1600, 1500), True), ((1510, 1500), False), ((1500, 1500), False)]
)
def test_the_middle_of_a_nearly_square_picture_is_kept(
    size: tuple[int, int], *, is_told: bool
) -> None:
    picture = plain(*size)
    picture.paste((255, 255, 255), (0, 0, (size[0] - 1500) // 2, 1500))

    prepared = prepare_image(encoded(picture, "PNG"))

    assert prepared.width == 1500
    assert bool(prepared.notices) is is_told
    assert_close(pixel(decoded(prepared), (0, 700)), RED, within=30)


def test_transparency_becomes_white() -> None:
    prepared = prepare_image(encoded(Image.new("RGBA", (1400, 1400), (*RED, 0)), "PNG"))

    assert_close(pixel(decoded(prepared)), (255, 255, 255))


def test_cmyk_becomes_rgb() -> None:
    picture = decoded(prepare_image(encoded(plain(mode="CMYK"))))

    assert picture.mode == "RGB"
    red, green, blue = pixel(picture)
    assert red > 150
    assert max(green, blue) < 110


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    deep = Image.new("I;16", (1400, 1400), 0x8080)

    assert_close(pixel(decoded(prepare_image(encoded(deep, "PNG")))), (128, 128, 128))


def test_a_palette_is_resolved() -> None:
    assert_close(pixel(decoded(prepare_image(encoded(plain().quantize(4), "PNG")))), RED)


def test_a_camera_s_turn_is_applied_and_its_notes_are_dropped() -> None:
    picture = plain()
    picture.paste((255, 255, 255), (0, 0, 1500, 750))  # white above
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    exif[0x010F] = "Camera of the host"

    data = prepare_image(encoded(picture, exif=exif)).variants["feed"].data
    result = Image.open(io.BytesIO(data))

    assert_close(pixel(result, (700, 200)), RED)
    assert_close(pixel(result, (700, 1300)), (255, 255, 255))
    assert not result.getexif()
    assert b"Camera" not in data


def test_a_profile_is_applied_and_a_broken_one_ignored() -> None:
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    for profile in (linear, b"no profile at all"):
        picture = decoded(prepare_image(encoded(plain(), "PNG", icc_profile=profile)))
        assert picture.mode == "RGB"


def test_even_noise_fits_the_feed() -> None:
    noise = Image.frombytes("RGB", (1400, 1400), random.Random(3).randbytes(1400 * 1400 * 3))
    feed = prepare_image(encoded(noise, "PNG")).variants["feed"]

    assert len(feed.data) < len(encoded(noise, quality=75))


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 4))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\xff" * (LARGEST_FILE + 1), "too-large"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not-a-picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1400 1400\n", "not-a-picture"),
        (encoded(Image.new("RGB", (1400, 1400)), "GIF"), "not-a-picture"),
        (encoded(Image.new("RGB", (1400, 1400)), "TIFF"), "not-a-picture"),
        (png(60_000, 60_000), "too-many-pixels"),
        (png(7100, 7100), "too-many-pixels"),
        (png(2000, 2000), "damaged"),
        (encoded(plain())[:3000], "damaged"),
        (encoded(plain(), "PNG")[:200], "damaged"),
    ],
)  # fmt: skip
def test_what_is_no_usable_picture_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(FileRefusedError) as refused:
        prepare_image(data)

    assert refused.value.code == code
    assert refused.value.message.endswith(".")


def test_the_same_picture_gives_the_same_bytes() -> None:
    data = encoded(plain(1600, 1600))

    assert prepare_image(data) == prepare_image(data)
