"""The small visible label: every picture says that it is made by AI."""

from __future__ import annotations

from linly.overlay import Overlay, chinese_font, font_file, latin_font
from linly.values import Image

NOTICE = "AI-generated video made with Linly: face and voice are synthetic. AI 合成视频，人脸与声音均为合成。"
"""What the file's comment says."""
HEIGHT = 0.05
"""Height of the letters as a part of the picture's shorter side; China's GB 45438-2025 asks for at least this."""
PLATE = 96
"""opacity of the plate, 0..255"""


class Label:
    """A plate in the upper right corner: "AI 合成" in Chinese videos, "AI-generated" in all others.

    size: width, height of the pictures. language: ISO 639-1. Without the subtitle font the plate is in English.
    """

    def __init__(self, size: tuple[int, int], language: str) -> None:
        chinese = language == "zh" and font_file() is not None
        self.text = "AI 合成" if chinese else "AI-generated"
        self._overlay = _plate(self.text, size, chinese)

    def apply(self, image: Image) -> None:
        """Draw into `image` ((h, w, 3) RGB or (h, w, 4) RGBA uint8), in place; the latter is solid there."""
        self._overlay.apply(image)


def _plate(text: str, size: tuple[int, int], chinese: bool) -> Overlay:
    from PIL import Image as Pillow
    from PIL import ImageDraw

    side = min(size)
    tall = max(12, round(HEIGHT * side))
    font = chinese_font(tall) if chinese else latin_font(tall)
    left, top, right, bottom = font.getbbox(text)
    pad_x, pad_y, margin = round(tall * 0.45), round(tall * 0.28), round(side * 0.025)
    width, height = round(right - left) + 2 * pad_x, round(bottom - top) + 2 * pad_y
    plate = Pillow.new("RGBA", (width * 4, height * 4), (255, 255, 255, 0))
    ImageDraw.Draw(plate).rounded_rectangle(
        (0, 0, width * 4 - 1, height * 4 - 1), radius=height * 1.2, fill=(20, 20, 24, PLATE)
    )
    plate = plate.resize((width, height), Pillow.Resampling.BOX)
    ink = Pillow.new("RGBA", plate.size, (255, 255, 255, 0))
    ImageDraw.Draw(ink).text((pad_x - left, pad_y - top), text, font=font, fill=(255, 255, 255, 225))
    plate.alpha_composite(ink)
    return Overlay(plate, size[0] - width - margin, margin, opaque_from=PLATE)
