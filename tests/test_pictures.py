"""Photos: upright, true in colour, of a workable size; everything else refused in one sentence."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from linly.errors import InputError
from linly.pictures import PAPER, load_image

RED, GREEN = (220, 40, 40), (40, 180, 60)


def photo(width: int = 120, height: int = 80) -> Pillow.Image:
    """Red on the left, green on the right."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = RED, GREEN
    return Pillow.fromarray(pixels)


def near(pixel: np.ndarray, colour: tuple[int, ...], within: float = 12) -> bool:
    return bool(np.abs(pixel.astype(int) - colour).max() <= within)


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "tiff", "gif", "avif"])
def test_common_formats(tmp_path: Path, ending: str) -> None:
    photo().save(tmp_path / f"a.{ending}")
    image = load_image(tmp_path / f"a.{ending}")
    assert image.shape == (80, 120, 3)
    assert image.dtype == np.uint8
    assert near(image[40, 20], RED)
    assert near(image[40, 100], GREEN)


@pytest.mark.parametrize(
    ("orientation", "shape", "red_at"),
    [
        (1, (80, 120), (40, 10)),
        (3, (80, 120), (40, 110)),
        (6, (120, 80), (10, 40)),
        (8, (120, 80), (110, 40)),
        (2, (80, 120), (40, 110)),
    ],
)
def test_phone_photos_come_upright(
    tmp_path: Path, orientation: int, shape: tuple[int, int], red_at: tuple[int, int]
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    photo().save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    image = load_image(tmp_path / "a.jpg")
    assert image.shape[:2] == shape
    assert near(image[red_at], RED)


def test_transparency_shows_light_grey(tmp_path: Path) -> None:
    picture = photo().convert("RGBA")
    picture.putalpha(Pillow.fromarray(np.pad(np.full((80, 60), 255, np.uint8), ((0, 0), (0, 60)))))
    picture.save(tmp_path / "a.png")
    image = load_image(tmp_path / "a.png")
    assert near(image[40, 20], RED, 0)
    assert near(image[40, 100], PAPER, 0)


def test_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    picture = photo().quantize(4)
    picture.save(tmp_path / "a.png", transparency=picture.getpixel((100, 40)))
    image = load_image(tmp_path / "a.png")
    assert near(image[40, 20], RED)
    assert near(image[40, 100], PAPER, 0)


def test_deep_grey_bilevel_and_cmyk(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 128).astype(np.uint16), (80, 1))
    Pillow.fromarray(ramp).save(tmp_path / "deep.png")
    image = load_image(tmp_path / "deep.png")
    assert image.shape == (80, 128, 3)
    assert np.abs(image[0, :, 0].astype(int) - np.linspace(0, 255, 128)).max() <= 1
    Pillow.fromarray(ramp).convert("L").convert("1").save(tmp_path / "bits.png")
    assert set(np.unique(load_image(tmp_path / "bits.png"))) <= {0, 255}
    Pillow.fromarray((ramp / 65535).astype(np.float32)).save(tmp_path / "float.tiff")
    assert np.abs(load_image(tmp_path / "float.tiff")[0, :, 1].astype(int) - np.linspace(0, 255, 128)).max() <= 1
    photo().convert("CMYK").save(tmp_path / "press.jpg", quality=95)
    assert near(load_image(tmp_path / "press.jpg")[40, 20], RED, 25)


def test_an_embedded_profile_is_applied(tmp_path: Path) -> None:
    """A profile whose red primary is sRGB's green one, and the other way round, must swap the two sides."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"----").replace(b"gXYZ", b"rXYZ").replace(b"----", b"gXYZ")
    for name, profile in (("plain", None), ("srgb", srgb), ("swapped", swapped), ("broken", b"no profile at all")):
        Pillow.new("RGB", (80, 80), (200, 100, 50)).save(tmp_path / f"{name}.png", icc_profile=profile)
    for name, colour in (
        ("plain", (200, 100, 50)),
        ("srgb", (200, 100, 50)),
        ("swapped", (100, 200, 50)),
        ("broken", (200, 100, 50)),
    ):
        assert near(load_image(tmp_path / f"{name}.png")[40, 40], colour, 3), name


def test_animations_give_their_first_picture(tmp_path: Path) -> None:
    second = Pillow.new("RGB", (120, 80), (0, 0, 255))
    photo().save(tmp_path / "a.gif", save_all=True, append_images=[second])
    photo().save(tmp_path / "a.webp", save_all=True, append_images=[second], lossless=True)
    for name in ("a.gif", "a.webp"):
        assert near(load_image(tmp_path / name)[40, 20], RED)


def test_sides_are_even_and_not_above_the_limit(tmp_path: Path) -> None:
    photo(121, 83).save(tmp_path / "odd.png")
    assert load_image(tmp_path / "odd.png").shape == (82, 120, 3)
    photo(3001, 1999).save(tmp_path / "big.jpg")
    height, width = load_image(tmp_path / "big.jpg", max_side=1000).shape[:2]
    assert width == 1000
    assert height in (664, 666)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def bad(folder: Path) -> dict[str, Path]:
    buffer = io.BytesIO()
    Pillow.fromarray(np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)).save(buffer, "JPEG")
    contents = {
        "empty.png": b"",
        "text.jpg": b"hello " * 99,
        "cut.jpg": buffer.getvalue()[:9000],
        "bomb.png": bomb(60000, 60000),
        "large.png": bomb(11000, 10000),
        "phone.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100,
        "script.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n",
        "half.png": bomb(100, 100),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    photo(60, 200).save(folder / "tiny.png")
    photo(40000, 70).save(folder / "strip.png")
    (folder / "folder.png").mkdir()
    return {path.name: path for path in folder.iterdir()} | {"none.png": folder / "none.png"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.png", "no file"),
        ("folder.png", "is a folder"),
        ("empty.png", "is empty"),
        ("text.jpg", "not a picture"),
        ("script.png", "not a picture"),
        ("cut.jpg", "damaged or cut off"),
        ("half.png", "damaged or cut off"),
        ("bomb.png", "100 million pixels"),
        ("large.png", "100 million pixels"),
        ("phone.heic", "save it as JPEG"),
        ("tiny.png", "too small"),
        ("strip.png", "too narrow"),
    ],
)
def test_bad_pictures_are_refused_in_one_sentence(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        load_image(bad(tmp_path)[name])
    message = str(refused.value)
    assert words in message
    assert name in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["-dash.png", "a b.png", "line\nfeed.png", "😀 照片.png"])
def test_odd_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    photo().save(tmp_path / name)
    assert load_image(name).shape == (80, 120, 3)
