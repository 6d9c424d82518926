"""What the speech check says, in both languages: advice on a sample that will do, one sentence on one that won't."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from linly.errors import InputError

Said = Mapping[str, tuple[str, str]]
"""key: English, Chinese"""

ADVICE: Said = {
    "short": (
        "There are only {speech:.1f} seconds of speech: ten or more give a closer voice.",
        "只有 {speech:.1f} 秒语音：十秒以上会更像本人。",
    ),
    "noisy": (
        "There is noise behind the voice: record in a quiet room, or let it be cleaned (denoise).",
        "背景有噪声：请在安静的房间里录音，或选择降噪。",
    ),
    "clipped": (
        "The sound is distorted because it was recorded too loud: move away from the microphone or turn it down.",
        "录音过响而失真：请离麦克风远一些，或调低音量。",
    ),
    "quiet": (
        "The recording is very quiet: come closer to the microphone.",
        "录音很轻：请靠近麦克风。",
    ),
    "narrow": (
        "The sound reaches only {khz:.1f} kHz, as on the telephone: record with a computer or a phone's app.",
        "声音只到 {khz:.1f} kHz，像电话录音：请用电脑或手机录音软件录制。",
    ),
    "echo": (
        "The room echoes: record close to the microphone, in a room with curtains or furniture.",
        "房间有回声：请靠近麦克风，在有窗帘或家具的房间里录音。",
    ),
    "music": (
        "Something like music is behind the voice: use a recording of the voice alone.",
        "背景像是有音乐：请只录人声。",
    ),
    "another_voice": (
        "Another voice may be heard for a moment: use a recording of one person alone.",
        "可能短暂出现了另一个人的声音：请只录一个人。",
    ),
    "no_words": (
        "No words were understood: write down what is said, or speak more clearly.",
        "没有听懂内容：请写下所说的话，或说得更清楚。",
    ),
}

REFUSED: Said = {
    "silence": (
        "There is only silence in this recording: check the microphone and record it again.",
        "录音里只有静音：请检查麦克风后重新录音。",
    ),
    "no_speech": (
        "No speech was found in this recording: record somebody who talks, close to the microphone.",
        "录音里没有语音：请靠近麦克风，录一个人说话。",
    ),
    "only_noise": (
        "There is only noise in this recording: record somebody who talks, in a quiet room.",
        "录音里只有噪声：请在安静的房间里录一个人说话。",
    ),
    "only_music": (
        "There is music and no speech in this recording: use a recording of somebody who talks, without music.",
        "录音里是音乐而不是语音：请用没有音乐的说话录音。",
    ),
    "too_short": (
        "There are only {speech:.1f} seconds of speech in this recording: {least:.0f} or more are needed, and ten are"
        " better.",
        "录音里只有 {speech:.1f} 秒语音：至少需要 {least:.0f} 秒，十秒以上更好。",
    ),
    "several_speakers": (
        "Several people speak in this recording: cut it to the one whose voice it shall be.",
        "录音里有多个人说话：请剪成只有一个人的声音。",
    ),
    "too_noisy": (
        "The noise is nearly as loud as the voice: record again in a quiet room, or let it be cleaned (denoise).",
        "噪声几乎和人声一样响：请在安静的房间里重新录音，或选择降噪。",
    ),
    "broken": (
        "The sound is distorted too much to be used: move away from the microphone, turn it down and record again.",
        "声音失真太严重，无法使用：请离麦克风远一些、调低音量后重新录音。",
    ),
}


def refused(key: str, **values: object) -> InputError:
    """The error to raise: REFUSED's sentence with its figures."""
    return InputError(REFUSED[key][0].format(**values))


def advice(keys: list[str], **values: object) -> list[dict[str, str]]:
    """The report's advice: {"key", "en", "zh"} each, figures filled in."""
    return [{"key": key, "en": ADVICE[key][0].format(**values), "zh": ADVICE[key][1].format(**values)} for key in keys]


def in_chinese(sentence: str) -> str:
    """One of REFUSED's English sentences in Chinese, with its figures; empty if it is none of them."""
    for english, chinese in REFUSED.values():
        pattern = re.sub(r"\\\{(\w+):[^}]*\\\}", r"(?P<\1>[\\d.]+)", re.escape(english))
        if found := re.fullmatch(pattern, sentence):
            return chinese.format(**{name: float(value) for name, value in found.groupdict().items()})
    return ""


def why(tier: str, tiers: Mapping[str, Mapping[str, Any]], asked: str) -> tuple[str, str]:
    """Why a voice speaks in this of its tiers (name: scores), in both languages; asked: the one that was chosen."""
    score = f"{tiers[tier]['similarity']:.2f}"
    if tier == asked:
        return f"You chose it (likeness {score}).", f"由你选定（相似度 {score}）。"
    if tier == "fitted":
        other = f", {tiers['closest']['similarity']:.2f} before" if "closest" in tiers else ""
        english, chinese = _held_back(tiers[tier])
        return (
            f"The model was fitted to this person: the best that is ready (likeness {score}{other}).{english}",
            f"模型已按此人调整，是目前最好的（相似度 {score}）。{chinese}",
        )
    return (
        f"The nearest stock voice, ready at once (likeness {score}); fitting brings it nearer and takes minutes.",
        f"最接近的现成声音，立即可用（相似度 {score}）；再用几分钟调整会更像。",
    )


def _held_back(scores: Mapping[str, Any]) -> tuple[str, str]:
    """Where less than the whole of the fitting is taken, in both languages."""
    english = chinese = ""
    for code, (plain, native) in {"en": ("English", "英语"), "zh": ("Chinese", "中文")}.items():
        if (share := float(scores.get(f"taken_{code}", 1.0))) < 1:
            english += f" In {plain} {share:.0%} of it is taken, so that every word is understood."
            chinese += f"说{native}时只用其 {share:.0%}，以保证字字听清。"
    return english, chinese
