"""Errors in the page's language: the one sentence that an error carries, in Chinese where this table knows it."""

from __future__ import annotations

import re

from linly import speech_words
from linly.ui import chat_strings, lectures_strings, persona_strings

CHINESE: tuple[tuple[str, str], ...] = (
    *lectures_strings.CHINESE,
    (r"There is no sample or enrolled portrait called ('.*')\.", r"没有名为 \1 的示例或已保存的形象。"),
    (r"There is no (?:enrolled portrait|portrait file or sample) called ('.*'|\".*\")[:.].*", r"没有名为 \1 的形象。"),
    (r"There is no enrolled voice called ('.*'|\".*\"): .*", r"没有名为 \1 的已保存声音。"),
    (r"On a shared Space no voice is kept: .*", "公共 Space 上不保存声音：可在此试听，安装 Linly 后即可保存。"),
    (r"Record your voice or choose a recording first\.", "请先录音或选择录音文件。"),
    (r"The recording is gone from this page: .*", "这段录音已不在页面上：请重新选择。"),
    (r"Write in a sentence whose voice it is .*", "请用一句话写明是谁的声音、同意用于什么。"),
    (r"The voice needs a name: .*", "请给声音起一个名称，任何语言都可以。"),
    (r"There is already a voice called ('.*'|\".*\"): .*", r"已有名为 \1 的声音：请先删除，或换一个名称。"),
    (r"The voice ('.*'|\".*\") is damaged on disk: .*", r"声音 \1 的文件已损坏：请删除后重新添加。"),
    (r"The voice ('.*'|\".*\") is being fitted.*", r"声音 \1 正在调整：请等它完成，或先停止。"),
    (
        r"The fitted voice came out no better, .*",
        "调整后没有更像，因此保留最接近的现成声音：换更长、更清晰的录音会更好。",
    ),
    (
        r"Fitting a voice needs .*",
        "调整声音需要 torch：请运行 pip install -r requirements.txt（完整依赖）；在此之前照常使用最接近的声音。",
    ),
    (
        r"Fitting needs (.*) s of speech or more, this is (.*) s: .*",
        r"调整至少需要 \1 秒语音，这里只有 \2 秒：请多录一些。",
    ),
    (r"The process that fitted ('.*'|\".*\") broke off .*", r"调整 \1 的进程中断了：请再试一次，会从中断处继续。"),
    (r"(.*) is not a voice that Linly exported: .*", r"\1 不是 Linly 导出的声音：请重新导出。"),
    (r"The voice is too large: at most (\d+) MB .*", r"声音文件太大：最多 \1 MB。"),
    (r"Choose the \.zip file of an exported voice first\.", "请先选择导出的声音（.zip 文件）。"),
    (r"There are (\d+) recordings: at most (\d+) .*", r"有 \1 段录音：一次最多 \2 段。"),
    (r"The recordings are too long: at most (.*) minutes .*", r"录音太长：合计最多 \1 分钟。"),
    (r"(The pronunciation list), line (\d+): (.*)", r"读音表第 \2 行有误：\3"),
    (r"On a shared Space nothing is kept: .*", "公共 Space 上不保存任何内容：请每次在“渲染”页选择自己的照片。"),
    (r"Choose a short video of the person first, .*", "请先选择一段短视频，或使用示例形象。"),
    (r"Choose a picture for the background first\.", "请先选择背景图片。"),
    (r"The background must be (.*) or a colour as #rrggbb, got (.*)\.", r"背景须为 \1 或 #rrggbb 颜色，而不是 \2。"),
    (r"The photo is gone from this page: .*", "这张照片已不在页面上：请重新选择。"),
    (r"Write in a sentence who is in the picture .*", "请用一句话写明照片中是谁、同意用于什么。"),
    (r"The name ('.*') belongs to a sample: .*", r"\1 是示例形象的名称：请换一个名称。"),
    (r"The portrait needs a name: .*", "请给形象起一个名称，任何语言都可以。"),
    (r"The name (.*)\.\.\. is too long: at most (\d+) characters\.", r"名称 \1… 太长：最多 \2 个字符。"),
    (r"The name ('.*'|\".*\") holds ('.*'|\".*\"), which .*", r"名称 \1 中不能有 \2：请用文字、数字和空格。"),
    (r"The name ('.*') cannot be used: .*", r"名称 \1 不能用：请以文字或数字开头，结尾不要用句点。"),
    (r"The name ('.*') is one that Windows keeps .*", r"\1 是 Windows 的保留名称：请换一个名称。"),
    (r"There is already a portrait called ('.*'): .*", r"已有名为 \1 的形象：请先删除，或换一个名称。"),
    (r"The portrait ('.*') is damaged on disk: .*", r"形象 \1 的文件已损坏：请删除后重新添加。"),
    (r"There is no crop (.*); choose one of (.*)\.", r"没有取景 \1：请选择 \2。"),
    (r"Only photos can be saved: .*", "只能保存照片：视频请在“渲染”页选择。"),
    (
        r"(.*) is a video, and the draw engine (.*) animates photos only: .*",
        r"\1 是视频，而画面引擎 \2 只支持照片：请换照片。",
    ),
    (r"A video portrait keeps its own background: .*", "视频形象保留自己的背景：背景请选“保留原样”，或改用照片。"),
    (r"No face was found in (.*): use a video of .*", r"\1 里没有找到人脸：请用一个人的正面视频，光线要好。"),
    (r"(.*) is too short: give at least half a second of video\.", r"\1 太短：视频至少要半秒。"),
    (r"(.*) has no picture track; .*", r"\1 没有画面：请换一段视频。"),
    (r"(.*) is not a video that can be read, .*", r"\1 不是可读的视频，或已损坏：请用 MP4、MOV 或 WebM 文件。"),
    (
        r"(.*) is too small \((.*)\); give a video of at least (\d+) pixels\.",
        r"\1 太小（\2）：视频每边至少要 \3 像素。",
    ),
    (r"(.*) is too long: at most (.*) seconds of video .*", r"\1 太长：视频最多 \2 秒，请先剪短。"),
    (r"There is nothing to say: give a text or a sound file\.", "没有可说的内容：请输入文字或选择声音文件。"),
    (r"There is nothing to say in this text: .*", "这段文字里没有可以读出来的内容：请写一些文字或数字。"),
    (r"Give either a text or a sound file, not both\.", "文字和声音文件只能选一个。"),
    (
        r"The text has ([\d,]+) characters and the limit is ([\d,]+): .*",
        r"文字有 \1 个字符，上限是 \2：请分成几个视频。",
    ),
    (r"A word is too long to say: (.*); write it with spaces\.", r"有一个词太长，读不出来：\1；请加上空格。"),
    (r"There is only silence in (.*): record it again, .*", r"\1 里只有静音：请靠近麦克风重新录制。"),
    (r"There is no voice called ('.*'|\".*\"): .*", r"没有名为 \1 的声音：请从列表中选择。"),
    (r"No voice speaks the language ('.*'): .*", r"没有会说 \1 的声音：请换一种语言。"),
    (r"(.*) is too large: at most (\d+) million pixels.*", r"\1 太大：最多 \2 百万像素，请缩小后再试。"),
    (r"(.*) is too small \((.*)\); give a photo of at least (\d+).*", r"\1 太小（\2）：每边至少要 \3 像素。"),
    (r"(.*) is too long: at most (.*) of sound can be used.*", r"\1 太长：最多可用 \2 的声音，请先剪短。"),
    (r"(.*) is larger than (\d+) MB: .*", r"\1 超过 \2 MB：请分成几份。"),
    (r"(.*) is empty \(0 bytes\).*", r"\1 是空文件：请重新导出或复制。"),
    (r"(.*) is empty: write .*", r"\1 是空的：请写入要说的话。"),
    (r"(.*) is not a text file.*", r"\1 不是文本文件，或编码无法识别：请存为 UTF-8。"),
    (r"A script must be a (.*) file, got (.*)\.", r"文稿须为 \1 文件，而不是 \2。"),
    (r"(.*) (?:is not a sound file|holds no sound|has no sound track).*", r"\1 中没有可用的声音：请换一个声音文件。"),
    (r"(.*) is not a picture.*", r"\1 不是图片：请换一张照片。"),
    (r"(.*) is damaged.*", r"\1 已损坏：请重新导出或复制。"),
    (r"(.*) cannot be read \((.*)\).*", r"无法读取 \1（\2）。"),
    (r"No face (?:was|is|could be) .*", "照片里没有找到人脸：请换一张正面、光线好的照片。"),
    (r"Choose a photo first, .*", "请先选择照片，或使用示例形象。"),
    (r"Record or choose a sound first\.", "请先录音或选择声音文件。"),
    (r"On this shared page models can only be looked at\.", "这是共享页面，模型只能查看，不能增删。"),
    (r"The disk is full: (.*) was not written; .*", r"磁盘已满：\1 没有写入，请先腾出空间。"),
    (
        r"(.*) needs model files that are not here or not whole \((.*)\): .*",
        r"\1 的模型还没有下载或不完整（\2）：请到“模型”页下载。",
    ),
    (r"(.*) needs the Python package (.*): run .*", r"\1 需要 Python 包 \2：请安装完整依赖 requirements.txt。"),
    (r"(rate|expression|head) must be between (.*) and (.*), got (.*)\.?", r"\1 须在 \2 到 \3 之间，现在是 \4。"),
    (r"fps must be between (.*) and (.*), got (.*)\.?", r"帧率须在 \1 到 \2 之间，现在是 \3。"),
    (r"(\w+) must be one of (.*), got (.*)\.", r"\1 须为 \2 之一，而不是 \3。"),
    (r"Stopped.*", "已停止，没有留下任何文件。"),
)


def translated(message: str, lang: str) -> str:
    """`message` (one English sentence) in `lang`; as it is where the table has no Chinese for it."""
    if lang == "zh":
        from linly.face.words import in_chinese

        if known := in_chinese(message) or speech_words.in_chinese(message):
            return known
        for pattern, chinese in (*CHINESE, *chat_strings.CHINESE, *persona_strings.CHINESE):
            found = re.fullmatch(pattern, message, re.DOTALL)
            if found:
                return found.expand(chinese)
    return message
