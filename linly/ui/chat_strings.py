"""The words of the Chat tab: key -> (English, Chinese). Those that begin with live_ are the script's."""

from __future__ import annotations

CHAT: dict[str, tuple[str, str]] = {
    "tab_chat": ("Chat", "对话"),
    # who answers, and how
    "chat_mode": ("What for", "用途"),
    "chat_mode_talk": ("Talk with it", "和它对话"),
    "chat_mode_speak": ("Speak for me", "替我说话"),
    "chat_own": ("The persona's own", "人物自己的"),
    "chat_options": ("Options", "选项"),
    "chat_language": ("You speak", "您说的语言"),
    "chat_language_auto": ("Found by itself", "自动识别"),
    "chat_size": ("Picture", "画面"),
    "chat_think": ("Who thinks", "谁来思考"),
    "chat_think_auto": ("What is ready", "自动选择"),
    "chat_hands_free": ("Hands-free: it hears when you begin and end", "免提：自动听出您何时开始和说完"),
    "chat_captions": ("Captions in the picture", "画面中的字幕"),
    "chat_figures": ("Show how long each answer took", "显示每次回答用了多久"),
    "chat_mood": ("Show the mood that it hears", "显示它听出的心情"),
    "chat_record": ("Record the whole conversation", "录下整个对话"),
    "chat_whole": ("Download the conversation", "下载整个对话"),
    "chat_ready": ("Ready to talk", "可以开始了"),
    "chat_warming_think": ("Getting ready: the language model …", "准备中：语言模型 …"),
    "chat_warming_hear": ("Getting ready: the ears …", "准备中：听觉 …"),
    "chat_warming_speak": ("Getting ready: the voice …", "准备中：声音 …"),
    "chat_warming_draw": ("Getting ready: the face …", "准备中：面部 …"),
    "chat_get": ("Get the small language model", "下载小语言模型"),
    "chat_get_bar": ("Getting the language model, {p} %", "正在下载语言模型，{p} %"),
    # the script
    "live_start": ("Start talking", "开始对话"),
    "live_start_speak": ("Connect", "连接"),
    "live_starting": ("Connecting …", "连接中 …"),
    "live_wait": (
        "Getting voice and face ready; the browser asks for your microphone.",
        "正在准备声音和面部；浏览器会询问是否允许使用麦克风。",
    ),
    "live_hint": (
        "Speak or type. What is said stays on this machine.",
        "说话或打字都可以。内容只留在这台机器上。",
    ),
    "live_send": ("Send", "发送"),
    "live_stop": ("Stop", "停"),
    "live_end": ("End", "结束"),
    "live_type": ("Type instead of speaking", "也可以打字"),
    "live_log": ("What was said", "对话内容"),
    "live_empty": ("What you and the person say appears here.", "你们说的话会显示在这里。"),
    "live_mic_on": ("Turn the microphone on", "打开麦克风"),
    "live_mic_off": ("Turn the microphone off", "关闭麦克风"),
    "live_mic_hold": ("Hold to talk (or the space bar)", "按住说话（或按空格键）"),
    "live_state_off": ("Not connected", "未连接"),
    "live_state_idle": ("I'm all ears", "我在听"),
    "live_state_muted": ("Microphone off", "麦克风已关闭"),
    "live_state_hold": ("Hold to talk", "按住说话"),
    "live_state_listening": ("Listening", "正在听"),
    "live_state_thinking": ("Thinking", "思考中"),
    "live_state_speaking": ("Speaking", "正在说"),
    "live_ready": (
        "{name} remembers what you tell. {w} × {h}, {fps} pictures a second.",
        "{name}会记住您说的话。{w} × {h}，每秒 {fps} 帧。",
    ),
    "live_ready_nobody": (
        "Nothing of this is kept. {w} × {h}, {fps} pictures a second.",
        "本次对话不会保存。{w} × {h}，每秒 {fps} 帧。",
    ),
    "live_ready_speak": (
        "Type, and it is said. {w} × {h}, {fps} pictures a second.",
        "打字即说。{w} × {h}，每秒 {fps} 帧。",
    ),
    "live_less": ("{what}", "{what}"),
    "live_socket": (
        "No direct connection: picture and sound go through the page's own line, about a second later.",
        "无法直接连接：画面和声音改走网页自己的线路，大约晚一秒。",
    ),
    "live_denied": (
        "The browser does not allow the microphone: allow it in the address bar, or type.",
        "浏览器不允许使用麦克风：请在地址栏允许，或者打字。",
    ),
    "live_missing": (
        "No microphone here (it needs this machine's own address or https): type instead.",
        "没有可用的麦克风（需要本机地址或 https）：请打字。",
    ),
    "live_failed": ("It could not begin: {what}", "未能开始：{what}"),
    "live_failed_timeout": ("no connection came about.", "没有连上。"),
    "live_failed_unsupported": ("this browser can't show it.", "这个浏览器不支持。"),
    "live_error": ("{what}", "{what}"),
    "live_ended": ("It has ended. {what}", "对话已结束。{what}"),
    "live_lost": (
        "The connection was lost: start again, the conversation goes on.",
        "连接中断：请重新开始，对话会继续。",
    ),
    "live_parted": ("Until next time.", "下次再聊。"),
    "live_silenced": ("The browser keeps the sound back: click into the picture.", "浏览器阻止了声音：请点一下画面。"),
    "live_source": ("From: {what}", "来源：{what}"),
    "live_video": ("Download this answer", "下载这段回答"),
    "live_whole": ("Download the whole conversation", "下载整个对话"),
    "live_latency": ("{s} s to the first sound", "{s} 秒后开口"),
    "live_figures": (
        "text {text} · first word {token} · clause {clause} · sound {sound} · picture {frame} · gaps {gaps} s",
        "文字 {text} · 首词 {token} · 首句 {clause} · 声音 {sound} · 画面 {frame} · 停顿 {gaps} 秒",
    ),
    "live_mood_happy": ("sounds happy", "听起来开心"),
    "live_mood_sad": ("sounds sad", "听起来难过"),
    "live_mood_serious": ("sounds annoyed", "听起来有些不满"),
    "live_mood_surprised": ("sounds surprised", "听起来惊讶"),
}

CHINESE: tuple[tuple[str, str], ...] = (
    (
        r"At (\w+) pixels this machine makes (\d+) pictures a second beside speaking, not (\d+);"
        r" the live picture is (\w+) pixels at (\d+) a second\.",
        r"这台机器在说话的同时，\1 像素每秒只能画 \2 帧，达不到 \3 帧；画面改为 \4 像素，每秒 \5 帧。",
    ),
    (
        r"At (\w+) pixels this machine makes (\d+) pictures a second beside speaking, not (\d+);"
        r" the live picture is (\w+) pixels at (\d+) a second, and will be late at times\.",
        r"这台机器在说话的同时，\1 像素每秒只能画 \2 帧，达不到 \3 帧；画面改为 \4 像素，每秒 \5 帧，有时仍会迟到。",
    ),
    (
        r"There is no language model here \(.*",
        "还没有语言模型：请点“下载小语言模型”，或把 .gguf 文件放进 weights/gguf 文件夹。",
    ),
    (r"All (\d+) places are taken; .*", r"\1 个位置都满了：请等有人离开后再试。"),
    (r"There is no persona ('.*'): .*", r"没有名为 \1 的人物：请选择列表中的一个。"),
    (r"There is no such conversation: .*", "没有这段对话：可能已被删除。"),
    (r"Something went wrong here; the log says what\.", "这里出了点问题，详情见程序日志。"),
    (r"The language model server .* cannot be reached.*", "连不上语言模型服务器：请检查地址，或稍后再试。"),
    (r"There is no portrait called ('.*') here: .*", r"这里没有名为 \1 的形象：请换一个。"),
    (r"There is no voice called ('.*') here: .*", r"这里没有名为 \1 的声音：请换一个。"),
)
"""Sentences of the conversation in Chinese, for messages.py."""
