"""What the portrait check says, in both languages: advice on a picture that will do, one sentence on one that won't."""

from __future__ import annotations

import re
from collections.abc import Mapping

from linly.errors import InputError

Said = Mapping[str, tuple[str, str]]
"""key: English, Chinese"""

ADVICE: Said = {
    "several_faces": (
        "There are several faces and the largest one is used: crop the picture to the person who shall talk.",
        "照片里有多张脸，将使用最大的一张：请裁剪到要说话的人。",
    ),
    "small_face": ("The face is small: a closer photo will look sharper.", "脸偏小：用更近的照片会更清晰。"),
    "cut_edge": (
        "The face touches the edge of the picture: leave some room around the head.",
        "脸贴着照片边缘：请在头部四周留一些空间。",
    ),
    "turned": ("The head is turned: turn to the camera for the best result.", "头转向一侧：正对镜头效果最好。"),
    "looking_up": (
        "The head is tilted back: hold the camera at eye height.",
        "头向后仰：请把相机放在与眼睛同高的位置。",
    ),
    "looking_down": ("The head is bent down: look up into the camera.", "头低着：请抬头看镜头。"),
    "tilted": (
        "The head leans to one side: hold it upright, or straighten the picture.",
        "头歪向一侧：请摆正头部或照片。",
    ),
    "blurred": ("The face is blurred: use a sharper photo.", "脸部模糊：请用更清晰的照片。"),
    "dark": (
        "The face is dark: more light from the front will help, or let the light be levelled.",
        "脸部偏暗：正面多一些光会更好，或选择光线校正。",
    ),
    "bright": ("The face is overexposed: use softer light.", "脸部过亮：请用柔和一些的光。"),
    "light_left": (
        "One side is in shadow: more light from the left of the picture.",
        "一侧有阴影：画面左侧需要更多光。",
    ),
    "light_right": (
        "One side is in shadow: more light from the right of the picture.",
        "一侧有阴影：画面右侧需要更多光。",
    ),
    "mouth_open": (
        "The mouth is wide open: a closed mouth or a smile animates best.",
        "嘴张得很大：闭嘴或微笑的照片效果最好。",
    ),
    "eyes_closed": ("The eyes are closed: use a photo with open eyes.", "眼睛闭着：请用睁眼的照片。"),
    "eye_hidden": ("Something hides one eye: brush the hair aside.", "一只眼睛被挡住：请把头发拨开。"),
    "sunglasses": (
        "The eyes are hidden and will not blink: take the sunglasses off.",
        "眼睛被遮住，无法眨眼：请摘下墨镜。",
    ),
}

REFUSED: Said = {
    "small_picture": (
        "The picture is only {width}x{height} pixels: use one of at least {least} on each side.",
        "照片只有 {width}x{height} 像素：每边至少要 {least} 像素。",
    ),
    "no_face": (
        "No face was found in the picture: use a photo of one face from the front, well lit.",
        "照片里没有找到人脸：请用一张正面、光线好的照片。",
    ),
    "unclear": (
        "No face was found clearly enough: use a photo of one face from the front, well lit and not covered.",
        "人脸不够清楚：请用正面、光线好、没有遮挡的照片。",
    ),
    "tiny_face": (
        "The face is only {wide} pixels wide: use a closer photo ({least} or more).",
        "脸只有 {wide} 像素宽：请用更近的照片（至少 {least} 像素）。",
    ),
    "side_face": (
        "The head is turned too far to the side ({degrees} degrees): use a photo that faces the camera.",
        "头转得太偏（{degrees} 度）：请用正对镜头的照片。",
    ),
    "steep_face": (
        "The face is seen too much from {whence} ({degrees} degrees): hold the camera at eye height.",
        "拍摄角度太偏（{whence}，{degrees} 度）：请把相机放在与眼睛同高的位置。",
    ),
    "upside_down": (
        "The picture is upside down: turn it by half and try again.",
        "照片上下颠倒：请旋转 180 度后再试。",
    ),
    "sideways": (
        "The picture lies on its side: turn it {way} by a quarter and try again.",
        "照片是横着的：请旋转 90 度（{way}）后再试。",
    ),
    "too_tilted": (
        "The head leans by {degrees} degrees: straighten the picture and try again.",
        "头歪了 {degrees} 度：请把照片摆正后再试。",
    ),
    "cut_off": (
        "The face is cut off by the edge of the picture: use a photo that shows all of it.",
        "脸被照片边缘切掉了：请用能看到整张脸的照片。",
    ),
    "mouth_hidden": (
        "The mouth is hidden (by a mask, a hand, hair or a scarf): use a photo that shows it.",
        "嘴被遮住了（口罩、手、头发或围巾）：请用能看到嘴的照片。",
    ),
}

WORDS = {"above": "从上方", "below": "从下方", "clockwise": "顺时针", "counter-clockwise": "逆时针"}


def refused(key: str, **values: object) -> InputError:
    """The error to raise: REFUSED's sentence with its figures."""
    return InputError(REFUSED[key][0].format(**values))


def advice(keys: list[str]) -> list[dict[str, str]]:
    """Portrait.report's advice: {"key", "en", "zh"} each."""
    return [{"key": key, "en": ADVICE[key][0], "zh": ADVICE[key][1]} for key in keys]


def in_chinese(sentence: str) -> str:
    """One of REFUSED's English sentences in Chinese, with its figures; empty if it is none of them."""
    for english, chinese in REFUSED.values():
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[\\w-]+)", re.escape(english))
        if found := re.fullmatch(pattern, sentence):
            return chinese.format(**{name: WORDS.get(value, value) for name, value in found.groupdict().items()})
    return ""
