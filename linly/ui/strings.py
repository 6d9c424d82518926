"""Every word that the page shows, in one table: key -> (English, Chinese)."""

from __future__ import annotations

from typing import Any

from linly.ui.chat_strings import CHAT
from linly.ui.lectures_strings import LECTURES
from linly.ui.persona_strings import PERSONA
from linly.ui.portrait_strings import PORTRAIT
from linly.ui.speak_for_strings import SPEAK_FOR
from linly.ui.voice_strings import VOICE

LANGUAGES = ("en", "zh")

STRINGS: dict[str, tuple[str, str]] = {
    **VOICE,
    **LECTURES,
    **PORTRAIT,
    **CHAT,
    **SPEAK_FOR,
    **PERSONA,
    # the page
    "tagline": ("A photo and a sentence become a person who talks", "一张照片，一句话，开口说话"),
    "page_language": ("Page language", "界面语言"),
    "zh": ("中文", "中文"),
    "en": ("EN", "EN"),
    "dark": ("Light or dark", "浅色 / 深色"),
    "tab_render": ("Render", "渲染"),
    "tab_models": ("Models", "模型"),
    # what goes in
    "portrait": ("Portrait", "形象"),
    "portrait_own": ("My photo", "我的照片"),
    "portrait_own-clip": ("My video", "我的视频"),
    "clip_wanted": (
        "Choose a short video of a person who agreed to this.",
        "请选择一段短视频，并确认视频中的人已经同意。",
    ),
    "enrolled_good": ("Saved portrait, ready to talk", "已保存的形象，可直接使用"),
    "photo": ("Your photo", "您的照片"),
    "photo_hint": (
        "Drop a photo here, or click to choose one: one face, looking ahead, good light",
        "把照片拖到这里，或点击选择：一张脸，朝前看，光线好",
    ),
    "photo_wanted": (
        "Choose a photo of a person who agreed to this.",
        "请选择一张照片，并确认照片中的人已经同意。",
    ),
    "photo_good": ("Good portrait: the face was found and nothing is in the way", "照片合适：找到了人脸，没有问题"),
    "sample_good": ("Sample portrait, ready to talk", "示例形象，可直接使用"),
    "voice": ("Voice", "声音"),
    "voice_auto": ("Automatic: fits the language and the face", "自动：按文字语言和形象选择"),
    "voice_listen": ("Listen", "试听"),
    "voice_listening": ("Preparing …", "准备中 …"),
    "female": ("female", "女声"),
    "male": ("male", "男声"),
    "source": ("What is said", "说什么"),
    "source_text": ("A text", "文字"),
    "source_sound": ("A recording", "录音"),
    "script": ("Script", "文稿"),
    "script_hint": ("Type what the person should say", "输入要说的话"),
    "script_file": ("Open .txt or .md", "打开 .txt / .md 文件"),
    "script_sample": (
        "Hello! I am a portrait, and now I can talk. Type a sentence, and I will say it.",
        "你好！我本来只是一张照片，现在会说话了。写一句话，我来说给你听。",
    ),
    "sound": ("Recording that the face follows", "让形象跟着说的录音"),
    "count": ("{n} characters, about {s}", "{n} 个字符，约 {s}"),
    "count_none": ("Nothing to say yet", "还没有内容"),
    "count_over": ("{n} characters: the limit is {most}", "{n} 个字符：上限是 {most}"),
    "rate": ("Speech rate (×)", "语速（倍）"),
    "expression": ("Expression (×)", "表情（倍）"),
    "head": ("Head motion (×)", "头部动作（倍）"),
    "more": ("More: picture, background, emotion, language, subtitles", "更多：画面、背景、情绪、语言、字幕"),
    "language": ("Language of the script", "文稿语言"),
    "emotion": ("Emotion", "情绪"),
    "size": ("Size (pixels)", "尺寸（像素）"),
    "frame": ("Shape of the picture", "画面比例"),
    "frame_photo": ("As the photo", "同照片"),
    "frame_16:9": ("16:9 wide: lessons, YouTube", "16:9 横屏：课程、B站"),
    "frame_9:16": ("9:16 tall: Shorts, TikTok", "9:16 竖屏：抖音、视频号"),
    "frame_1:1": ("1:1 square: Instagram, feeds", "1:1 方形：朋友圈、小红书"),
    "background": ("Background", "背景"),
    "background_keep": ("As it is", "保留原样"),
    "background_blur": ("Blurred", "虚化"),
    "background_colour": ("A colour", "纯色"),
    "background_picture": ("A picture", "图片"),
    "background_transparent": ("Transparent (WebM)", "透明（WebM）"),
    "colour": ("Colour", "颜色"),
    "backdrop": ("Background picture", "背景图片"),
    "backdrop_hint": ("Drop a picture here, or click to choose one", "把图片拖到这里，或点击选择"),
    "fps": ("Frames a second", "帧率（帧/秒）"),
    "subtitles": ("Subtitles", "字幕"),
    "speak": ("Speech engine", "语音引擎"),
    "draw": ("Face engine", "画面引擎"),
    "seed": ("Seed (repeats a video)", "种子（重现视频）"),
    "engine_auto": ("Automatic", "自动"),
    "engine_missing": ("{title} (not installed)", "{title}（未安装）"),
    "emotion_auto": ("Automatic", "自动"),
    "emotion_neutral": ("Neutral", "平静"),
    "emotion_happy": ("Happy", "高兴"),
    "emotion_sad": ("Sad", "悲伤"),
    "emotion_serious": ("Serious", "严肃"),
    "emotion_surprised": ("Surprised", "惊讶"),
    "size_source": ("As the photo", "同照片"),
    "subtitles_none": ("None", "无"),
    "subtitles_srt": ("SRT file", "SRT 文件"),
    "subtitles_vtt": ("VTT file", "VTT 文件"),
    "subtitles_burn": ("In the picture", "嵌入画面"),
    "language_auto": ("Automatic", "自动"),
    "language_zh": ("Chinese", "中文"),
    "language_en": ("English", "英语"),
    "language_es": ("Spanish", "西班牙语"),
    "language_fr": ("French", "法语"),
    "language_hi": ("Hindi", "印地语"),
    "language_it": ("Italian", "意大利语"),
    "language_ja": ("Japanese", "日语"),
    "language_pt": ("Portuguese", "葡萄牙语"),
    # buttons
    "preview_frame": ("Preview frame", "预览一帧"),
    "preview_short": ("Preview 3 s", "预览 3 秒"),
    "render": ("Render video", "生成视频"),
    "stop": ("Stop", "停止"),
    "retry": ("Try again", "重试"),
    "download": ("Download video", "下载视频"),
    "download_subtitles": ("Subtitles", "下载字幕"),
    "variation": ("Make a variation", "换一种动作"),
    # what comes out
    "result": ("Result", "结果"),
    "result_video": ("Your video", "您的视频"),
    "result_frame": ("Preview frame", "预览帧"),
    "idle": ("Ready: one click makes a video", "就绪：点一下就能生成视频"),
    "stage_wait": ("Waiting, {n} before yours", "排队中，前面还有 {n} 个"),
    "stage_load": ("Getting ready", "正在准备"),
    "stage_hear": ("Listening", "正在听录音"),
    "stage_face": ("Voice and face", "正在生成声音和画面"),
    "stage_finish": ("Finishing", "正在收尾"),
    "left": ("{t} left", "还剩 {t}"),
    "stopping": ("Stopping …", "正在停止 …"),
    "stopped": ("Stopped, nothing was kept", "已停止，没有留下任何文件"),
    "failed": ("It did not work, see the message", "没有成功，请看提示"),
    "done": ("Done: {s} of video in {t}", "完成：{s} 的视频，用时 {t}"),
    "done_frame": ("This is how it will look", "效果如图"),
    "details": ("Details", "详情"),
    "details_none": ("Figures of the video appear here.", "视频的数据会显示在这里。"),
    "details_json": ("The same as JSON", "JSON 数据"),
    "fact_length": ("Length", "时长"),
    "fact_picture": ("Picture", "画面"),
    "fact_picture_is": ("{w} × {h} pixels, {fps} frames a second", "{w} × {h} 像素，每秒 {fps} 帧"),
    "fact_time": ("Time taken", "用时"),
    "fact_time_is": ("{t}, {x} × the video's length", "{t}，是视频时长的 {x} 倍"),
    "fact_voice": ("Voice", "声音"),
    "fact_language": ("Language", "语言"),
    "fact_portrait": ("Portrait", "形象"),
    "fact_emotion": ("Emotion", "情绪"),
    "fact_framing": ("Framing", "取景"),
    "fact_background": ("Background", "背景"),
    "fact_engines": ("Engines", "引擎"),
    "fact_seed": ("Seed", "种子"),
    "fact_what": ("What it is", "标识"),
    "fact_what_is": (
        "Made by AI; the video says so in its picture and in its file",
        "AI 合成；画面和文件信息中都有标识",
    ),
    "fact_what_plain": ("Made by AI; the file says so", "AI 合成；文件信息中有标识"),
    "fact_notes": ("Notes", "提示"),
    "seconds": ("{s} s", "{s} 秒"),
    "minutes": ("{m} min {s} s", "{m} 分 {s} 秒"),
    # models
    "models_intro": (
        "Model files that the engines work with. They are fetched once and checked byte by byte.",
        "引擎所用的模型文件。只需下载一次，逐字节校验。",
    ),
    "models_closed": (
        "On this shared page models can only be looked at.",
        "这是共享页面，模型只能查看，不能增删。",
    ),
    "machine": ("This machine", "本机"),
    "machine_is": ("{cores} cores, {memory} GB memory, {gpu}", "{cores} 个核心，{memory} GB 内存，{gpu}"),
    "machine_no_gpu": ("no GPU (none is needed)", "无 GPU（不需要）"),
    "machine_gpu": ("GPU {name}", "GPU {name}"),
    "model_ready": ("Ready", "可用"),
    "model_absent": ("Not here", "未下载"),
    "model_broken": ("Damaged: get it again", "已损坏：请重新下载"),
    "model_commercial": ("commercial use allowed", "可商用"),
    "model_not_commercial": ("not for commercial use", "不可商用"),
    "model_default": ("default set", "默认模型"),
    "model_needed_by": ("needed by {who}", "用于 {who}"),
    "model_get": ("Get", "下载"),
    "model_remove": ("Remove", "删除"),
    "model_busy": ("Getting {name}, {p} %", "正在下载 {name}，{p} %"),
    "model_gone": ("{name} was removed.", "{name} 已删除。"),
    "model_got": ("{name} is ready.", "{name} 已可用。"),
    "fetching": (
        "First start: getting the models (once, about {size}).",
        "首次启动：正在下载模型（仅此一次，约 {size}）。",
    ),
    "fetching_stage": ("{stage} · {p} %", "{stage} · {p} %"),
    "fetch_failed": ("The models could not be fetched.", "模型下载失败。"),
    # toasts
    "error": ("That did not work", "没有成功"),
    "broke": (
        "Something broke inside ({what}); the log of the app says more.",
        "程序内部出错（{what}），详情见程序日志。",
    ),
}


def text(lang: str, key: str, **values: Any) -> str:
    """The string `key` in `lang` ("en" or "zh"), its {fields} filled from `values`."""
    entry = STRINGS[key][1 if lang == "zh" else 0]
    return entry.format(**values) if values else entry


def duration(lang: str, seconds: float) -> str:
    """Seconds in words, for instance "31 s" or "2 min 5 s"."""
    whole = round(seconds)
    if whole < 60:
        return text(lang, "seconds", s=f"{seconds:.1f}" if seconds < 9.95 else whole)
    return text(lang, "minutes", m=whole // 60, s=whole % 60)


def language_name(lang: str, code: str) -> str:
    """Name of a language, given as ISO 639-1 code; the code itself if the table lacks it."""
    return text(lang, f"language_{code}") if f"language_{code}" in STRINGS else code
