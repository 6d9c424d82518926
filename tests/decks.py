"""Decks, tables and broken files for the tests of lectures."""

from __future__ import annotations

import zipfile
from pathlib import Path


def pptx(path: Path, slides: list[tuple[str, str, str]]) -> Path:
    """A deck of slides: title, body, notes."""
    from pptx import Presentation

    deck = Presentation()
    for title, body, notes in slides:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = body
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
    deck.save(str(path))
    return path


def pdf(path: Path, pages: int) -> Path:
    """Pages of different grey."""
    from PIL import Image

    images = [Image.new("RGB", (320, 180), (40 + 60 * n, 120, 200 - 50 * n)) for n in range(pages)]
    images[0].save(path, save_all=True, append_images=images[1:])
    return path


def docx(path: Path, *paragraphs: str) -> Path:
    import docx as word

    document = word.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    document.save(str(path))
    return path


def xlsx(path: Path, *rows: tuple[object, ...]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def mixed(folder: Path) -> tuple[list[str], list[str]]:
    """Thirty files, good and bad; gives the names of the talks that must come out, and of the files that must not."""
    folder.mkdir()
    good: list[str] = []
    for n, (encoding, words) in enumerate(
        (("utf-8", "Hello there."), ("utf-8-sig", "你好。"), ("gb18030", "今天我们学习植物的生长，请大家仔细听。"),
         ("big5", "今天我們學習植物的生長，請大家仔細聽。"), ("utf-16", "Good day to all."))
    ):  # fmt: skip
        (folder / f"text{n}.txt").write_bytes(words.encode(encoding))
        good.append(f"text{n}")
    for name in ("notes.md", "name with spaces.txt", "课程 一.txt", "-dash.txt", "CON.txt"):
        (folder / name).write_text(f"# Title\n\nThis is {Path(name).stem}.", encoding="utf-8")
    good += ["notes", "name with spaces", "课程 一", "-dash", "_CON"]
    docx(folder / "word.docx", "A word file.", "With two paragraphs.")
    pptx(folder / "deck.pptx", [("One", "a", "The first slide."), ("Two", "b", ""), ("Three", "c", "The third.")])
    pdf(folder / "pages.pdf", 2)
    (folder / "pages.txt").write_text("Page one.\n\nPage two.", encoding="utf-8")
    (folder / "times.srt").write_text(
        "1\n00:00:01,000 --> 00:00:02,000\nFirst.\n\n2\n00:00:04,000 --> 00:00:05,000\nThen.\n"
    )
    (folder / "times.vtt").write_text("WEBVTT\n\n00:01.500 --> 00:02.000\n<v A>Hi &amp; bye.\n")
    (folder / "rows.csv").write_bytes("标题,文稿,语速\n甲,第一行。,1\n乙,第二行。,1.1\n".encode("gb18030"))
    xlsx(folder / "book.xlsx", ("title", "script", "language"), ("Bee", "A bee.", "en"), ("Ant", "An ant.", None))
    good += ["word", "deck", "pages", "times", "times (2)", "甲", "乙", "Bee", "Ant"]
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr("in/zipped.txt", "From an archive.")
        archive.writestr("../../escape.txt", "Never.")
        archive.writestr("in/picture.png", b"no script")
    good.append("zipped")
    bad = {
        "empty.txt": b"", "worn.docx": b"PK\x03\x04 no", "broken.pptx": b"not a deck",
        "broken.pdf": b"%PDF-1.4 nothing", "broken.zip": b"PK\x03\x04 nothing", "broken.xlsx": b"nothing",
        "no-column.csv": b"a,b\n1,2\n", "silent.srt": b"no cue here", "marks.md": b"...\n\n---\n", "tune.mp3": b"ID3",
    }  # fmt: skip
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    pdf(folder / "alone.pdf", 1)
    return good, [*bad, "alone.pdf"]
