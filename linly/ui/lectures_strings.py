"""Words of the Lectures tab: key -> (English, Chinese). Part of the one table in strings.py."""

from __future__ import annotations

LECTURES: dict[str, tuple[str, str]] = {
    "tab_lectures": ("Lectures", "课程"),
    "lectures_files": ("Scripts and decks", "文稿与课件"),
    "lectures_note": (
        "Text, Markdown, Word, PowerPoint with notes, PDF with a script of the same name, subtitles, tables, or a zip"
        " of them. Each becomes a video.",
        "文本、Markdown、Word、带备注的 PowerPoint、配同名文稿的 PDF、字幕、表格，或 zip 包。每个文件一个视频。",
    ),
    "lectures_layout": ("Where the person is", "人物位置"),
    "layout_auto": ("In a corner of the slides", "课件一角"),
    "layout_beside": ("Beside the slide", "课件旁边"),
    "layout_portrait": ("Alone", "单独出镜"),
    "layout_audio": ("Only the voice", "只有声音"),
    "lectures_look": ("Preview", "预览"),
    "lectures_go": ("Make the videos", "开始制作"),
    "lectures_pause": ("Pause", "暂停"),
    "lectures_on": ("Go on", "继续"),
    "lectures_stop": ("Stop", "停止"),
    "lectures_first": ("Make this one next", "优先制作"),
    "lectures_idle": ("Drop files, then press the button.", "放入文件后按按钮开始。"),
    "lectures_none": ("There is nothing to make yet: drop scripts or decks first.", "还没有文件：请先放入文稿或课件。"),
    "lectures_done": ("{n} of {all} finished in {t}.", "完成 {n}/{all}，用时 {t}。"),
    "lectures_busy": ("{n} of {all} finished", "已完成 {n}/{all}"),
    "lectures_paused": ("Paused. What is finished is kept.", "已暂停，做好的部分会保留。"),
    "lectures_stopped": (
        "Stopped. What is finished is kept: the button goes on from there.",
        "已停止，做好的部分会保留：再按按钮就从那里继续。",
    ),
    "lectures_head_name": ("Lecture", "课程"),
    "lectures_head_state": ("State", "状态"),
    "lectures_head_parts": ("Parts made", "已做片段"),
    "lectures_head_length": ("Length", "时长"),
    "lectures_head_said": ("Notes", "说明"),
    "lectures_results": ("Finished", "成品"),
    "lectures_zip": ("All in one archive", "全部打包"),
    "state_waiting": ("waiting", "等待"),
    "state_running": ("at work", "制作中"),
    "state_done": ("finished", "完成"),
    "state_unchanged": ("as it was", "未变"),
    "state_failed": ("failed", "失败"),
}

CHINESE = (
    (r"There is nothing to make yet: .*", "还没有文件：请先放入文稿或课件。"),
    (r"There is nothing to make: .*", "没有可做的内容：请放入文稿、课件、文件夹或压缩包。"),
    (r"(.*) says nothing: .*", r"\1 没有要说的内容：请写入文稿。"),
    (r"(.*) has no narration: .*", r"\1 没有讲稿：请在旁边放一个同名的 .txt 文稿。"),
    (r"(.*) has no speaker notes: .*", r"\1 没有备注：请把要说的话写进备注。"),
    (r"(.*) is damaged or no PowerPoint file: .*", r"\1 已损坏或不是 PowerPoint 文件：请重新另存为 .pptx。"),
    (r"(.*) is damaged, or protected by a password: .*", r"\1 已损坏或有密码：请另存一份无密码的。"),
    (r"(.*) is a damaged archive: .*", r"\1 是损坏的压缩包：请重新打包。"),
    (r"(.*) holds no script or deck\.", r"\1 中没有文稿或课件。"),
    (r"(.*) is no script or deck: .*", r"\1 不是文稿或课件。"),
    (r"(.*) has no column `script` .*", r"\1 没有“文稿”列：第一行应为列名。"),
    (r"(.*) has a column ('.*'), which is no option: .*", r"\1 的列 \2 不是选项。"),
    (r"(.*) cannot be read as a workbook: .*", r"\1 不能作为工作簿读取：请重新另存为 .xlsx。"),
    (r"Another run is at work in .*", "这个文件夹正在制作中：请等它结束。"),
    (r"(.*): intro, outro and music are files, .*", r"\1：页面上不能指定片头、片尾和音乐文件。"),
    (r"Nothing in (.*) can be spoken\.", r"\1 中没有可以读出的内容。"),
)
"""Sentences of the batch in Chinese; part of the one table in messages.py."""
