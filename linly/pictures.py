"""The only place that reads photos: whatever the file holds becomes upright sRGB pixels."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from linly.errors import InputError
from linly.values import Image

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF", "PPM", "ICO")
"""What Pillow may open. Left out are formats that run other programs (EPS) or hardly hold photos."""
PAPER = (232, 232, 232)
"""What shows through transparent pictures: a light, neutral grey."""
SMALLEST = 64
LARGEST = 100_000_000


def load_image(path: str | os.PathLike[str], max_side: int = 4096) -> Image:
    """A photo as (h, w, 3) RGB uint8: upright, in sRGB, at most `max_side` pixels long, both sides even.

    Raises InputError (one sentence) if the file is missing, no picture, damaged, below 64 pixels or above 100 million.
    """
    from PIL import Image as Pillow
    from PIL import ImageOps, UnidentifiedImageError

    source = Path(path)
    name = source.name
    try:
        if source.is_dir():
            raise InputError(f"{name or source} is a folder; give a photo.")
        data = source.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"There is no file {source}; check the name.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read ({getattr(error, 'strerror', None) or error}).") from error
    Pillow.init()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of large pictures, which are refused below
        try:
            with Pillow.open(io.BytesIO(data), formats=FORMATS) as picture:
                _check_size(name, *picture.size)
                picture.draft("RGB", (max_side, max_side))
                picture.load()
                upright = ImageOps.exif_transpose(picture)
                return _even(name, _scaled(_to_srgb(upright), max_side))
        except Pillow.DecompressionBombError as error:
            raise _too_large(name) from error
        except UnidentifiedImageError as error:
            raise InputError(_not_a_picture(name, data)) from error
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
            raise InputError(f"{name} is damaged or cut off; export or copy the picture again.") from error


def _not_a_picture(name: str, data: bytes) -> str:
    if not data:
        return f"{name} is empty (0 bytes); copy the picture again."
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc"):
        return f"{name} is a HEIC photo, which cannot be read here; save it as JPEG or PNG."
    return f"{name} is not a picture that can be read; give a JPEG, PNG or WebP file."


def _too_large(name: str) -> InputError:
    return InputError(f"{name} is too large: at most {LARGEST // 1_000_000} million pixels; make it smaller.")


def _check_size(name: str, width: int, height: int) -> None:
    if width * height > LARGEST:
        raise _too_large(name)
    if min(width, height) < SMALLEST:
        raise InputError(
            f"{name} is too small ({width}x{height}); give a photo of at least {SMALLEST} pixels on each side."
        )


def _to_srgb(picture: Any) -> Any:
    """Any mode as RGB: deep greys scaled, transparency laid on PAPER, an embedded colour profile applied."""
    from PIL import Image as Pillow

    if picture.mode.startswith(("I", "F")):
        picture = Pillow.fromarray(_eight_bits(np.asarray(picture, dtype=np.float64)))
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        profile = picture.info.get("icc_profile")
        picture = picture.convert("RGBA")
        paper = Pillow.new("RGBA", picture.size, (*PAPER, 255))
        paper.alpha_composite(picture)
        picture = paper.convert("RGB")
        picture.info["icc_profile"] = profile
    if picture.mode == "P":
        picture = picture.convert("RGB")
    return _apply_profile(picture)


def _eight_bits(grey: Any) -> Any:
    """16-bit grey is divided, 32-bit grey and floats are scaled by their largest value if that is above white."""
    top = float(grey.max(initial=0.0))
    white = 1.0 if top <= 1.0 else 255.0 if top <= 255.0 else 65535.0 if top <= 65535.0 else top
    return np.clip(grey * (255.0 / white) + 0.5, 0, 255).astype(np.uint8)


def _apply_profile(picture: Any) -> Any:
    """Phones save in Display P3 and print shops in CMYK: both look wrong if read as sRGB."""
    from PIL import ImageCms

    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            converted = ImageCms.profileToProfile(
                picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            return converted or picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile says nothing of the pixels: read them as sRGB
    return picture.convert("RGB")


def _scaled(picture: Any, max_side: int) -> Any:
    from PIL import Image as Pillow

    if max(picture.size) > max_side:
        picture.thumbnail((max_side, max_side), Pillow.Resampling.LANCZOS)
    return picture


def _even(name: str, picture: Any) -> Image:
    width, height = (side - side % 2 for side in picture.size)
    if min(width, height) < SMALLEST:
        raise InputError(f"{name} is too narrow; give a photo whose sides differ less.")
    return np.ascontiguousarray(np.asarray(picture, dtype=np.uint8)[:height, :width])
