"""Documents of every kind become passages; whatever is wrong with one is told in one sentence."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path

import pytest

from linly import documents
from linly.errors import InputError

POEM = "床前明月光，疑是地上霜。举头望明月，低头思故乡。这是李白写的一首诗，老师在课堂上讲过很多次，大家都会背。"
BIG5 = "這是一份繁體中文的講義，說明植物如何把陽光變成糖，老師請同學們在上課以前先讀完這些內容，並且寫下自己的問題。"


def pdf(pages: list[list[str]], extra: bytes = b"") -> bytes:
    """A small PDF of these lines a page: two bytes a character, and a ToUnicode map as word processors write it."""
    used = sorted({c for lines in pages for line in lines for c in line})
    pairs = "\n".join(f"<{ord(c):04X}> <{ord(c):04X}>" for c in used)
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange\n{len(used)} beginbfchar\n{pairs}\nendbfchar\n"
        "endcmap end end"
    ).encode()
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b""]
    objects.append(
        b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[4 0 R]/ToUnicode 5 0 R>>"
    )
    objects.append(
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/X/DW 1000/FontDescriptor 6 0 R"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>"
    )
    objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(cmap), cmap))
    objects.append(
        b"<</Type/FontDescriptor/FontName/X/Flags 4/FontBBox[0 0 1000 1000]/Ascent 800/Descent -200/CapHeight 700"
        b"/ItalicAngle 0/StemV 80>>"
    )
    kids = []
    for lines in pages:
        shown = " ".join(f"<{''.join(f'{ord(c):04X}' for c in line)}> Tj 0 -16 Td" for line in lines)
        drawn = f"BT /F 12 Tf 40 780 Td {shown} ET".encode()
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn))
        kids.append(len(objects) + 1)
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 1400 842]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>"
            % len(objects)
        )
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(b"%d 0 R" % k for k in kids))
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, table, len(objects) + 1, extra, len(out)
    )  # fmt: skip


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        documents.read(path)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".") and 10 < len(sentence) < 200
    return sentence


def written(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def word(path: Path) -> Path:
    import docx

    document = docx.Document()
    document.add_heading("植物", 0)
    document.add_paragraph("Plants turn light into sugar.")
    document.add_heading("Roots", 1)
    document.add_paragraph("Roots drink water.")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ("Part", "深度", "Root", "2 m"), strict=True):
        cell.text = text
    document.add_heading("Leaves", 1)
    document.add_paragraph("叶子是绿色的。")
    document.save(str(path))
    return path


def deck(path: Path) -> Path:
    from pptx import Presentation
    from pptx.util import Cm

    made = Presentation()
    first = made.slides.add_slide(made.slide_layouts[1])
    first.shapes.title.text = "光合作用"
    first.placeholders[1].text = "Light\nWater"
    first.notes_slide.notes_text_frame.text = "大家好，今天讲光合作用。"
    made.slides.add_slide(made.slide_layouts[6])  # empty
    last = made.slides.add_slide(made.slide_layouts[5])
    last.shapes.title.text = "Numbers"
    cells = last.shapes.add_table(1, 2, Cm(1), Cm(5), Cm(8), Cm(2)).table
    cells.cell(0, 0).text, cells.cell(0, 1).text = "sugar", "6 C"
    group = last.shapes.add_group_shape()
    group.shapes.add_textbox(Cm(1), Cm(1), Cm(4), Cm(1)).text_frame.text = "in a group"
    made.save(str(path))
    return path


@pytest.mark.parametrize(
    ("encoding", "text"), [("utf-8", POEM), ("utf-8-sig", POEM), ("utf-16", POEM), ("gb18030", POEM), ("big5", BIG5)]
)
def test_text_in_any_encoding(tmp_path, encoding, text):
    document = documents.read(written(tmp_path / "讲义.txt", text.encode(encoding)))
    assert document.title == "讲义" and document.kind == "text"
    assert document.passages[0].text == text and document.passages[0].where == "line 1"


def test_text_tells_its_lines(tmp_path):
    lines = [f"This is line {i} of a long text about the garden." if i % 10 else "" for i in range(1, 201)]
    passages = documents.read(written(tmp_path / "a.txt", "\n".join(lines))).passages
    assert len(passages) > 3 and passages[0].where.startswith("lines 1-")
    for passage in passages:
        first, last = map(int, passage.where.removeprefix("lines ").split("-"))
        wanted = [line for line in lines[first - 1 : last] if line]
        assert " ".join(passage.text.split()) == " ".join(wanted)
    assert last == 199  # the last line is empty


def test_lines_broken_at_a_width_are_joined_and_lists_are_not(tmp_path):
    text = (
        "Photosynthesis is how plants turn the light of the sun into\nsugar, which feeds them and everything\n"
        "else that lives.\n\n- apples\n- pears\n"
    )
    said = documents.read(written(tmp_path / "a.txt", text)).passages[0].text
    assert "sun into sugar" in said and "\n- apples\n- pears" in said
    chinese = (
        "植物通过光合作用把阳光变成糖分，这些糖分养活了植物自己，也养活了地球\n上几乎所有的生命，所以我们要爱护植物。"
    )
    assert "地球上几乎" in documents.read(written(tmp_path / "b.txt", chinese)).passages[0].text


def test_markdown_tells_its_headings(tmp_path):
    text = "before\n\n# Plants\n\nGreen.\n\n## 根\n\n喝水。\n\n```\n# no heading\n```\n\n# Animals\nEat.\n"
    document = documents.read(written(tmp_path / "a.md", text))
    assert document.title == "Plants" and document.kind == "markdown"
    assert [p.where for p in document.passages] == ["lines 1-1", "Plants", "Plants > 根", "Animals"]
    assert "喝水" in document.passages[2].text and "# no heading" in document.passages[2].text
    assert "前" in documents.read(written(tmp_path / "b.md", "前言，没有标题。")).passages[0].text


def test_word(tmp_path):
    document = documents.read(word(tmp_path / "a.docx"))
    assert (document.title, document.kind) == ("植物", "docx")
    where = {p.where: p.text for p in document.passages}
    assert list(where) == ["植物", "植物 > Roots", "植物 > Leaves"]
    assert where["植物 > Roots"].split("\n") == ["Roots", "Roots drink water.", "Part | 深度", "Root | 2 m"]
    assert "绿色" in where["植物 > Leaves"]


def test_word_without_headings_tells_its_paragraphs(tmp_path):
    import docx

    document = docx.Document()
    for i in range(100):
        document.add_paragraph(f"第{i + 1}段讲的是花园里的植物，它们都很喜欢阳光和雨水。")
    document.save(str(tmp_path / "a.docx"))
    first, *others = documents.read(tmp_path / "a.docx").passages
    assert first.where.startswith("paragraphs 1-") and first.text.startswith("第1段")
    begin, last = others[-1].where.removeprefix("paragraphs ").split("-")
    assert last == "100" and others[-1].text.startswith(f"第{begin}段") and "第100段" in others[-1].text


def test_powerpoint(tmp_path):
    document = documents.read(deck(tmp_path / "a.pptx"))
    assert (document.title, document.kind) == ("光合作用", "pptx")
    first, last = document.passages
    assert (first.where, first.text, first.notes) == (
        "slide 1",
        "光合作用\nLight\nWater",
        "大家好，今天讲光合作用。",
    )
    assert last.where == "slide 3" and "sugar | 6 C" in last.text and "in a group" in last.text


def test_pdf_in_english_and_chinese(tmp_path):
    document = documents.read(written(tmp_path / "a.pdf", pdf([["Plants turn light into sugar."], [], [POEM[:24]]])))
    assert document.kind == "pdf"
    assert [(p.where, p.text) for p in document.passages] == [
        ("page 1", "Plants turn light into sugar."),
        ("page 3", POEM[:24]),
    ]


def test_content_counts_not_the_name(tmp_path):
    assert documents.read(deck(tmp_path / "a.docx")).kind == "pptx"
    assert documents.read(written(tmp_path / "b.txt", pdf([["Hello there"]]))).kind == "pdf"
    assert "no .pdf file" in refused(written(tmp_path / "c.pdf", "only text"))
    assert "no .docx file" in refused(written(tmp_path / "c.docx", POEM))


def test_protected_files_say_so(tmp_path):
    key = b"/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -1/O(%s)/U(%s)>>/ID[<00><00>]" % (b"x" * 32, b"y" * 32)
    assert "password" in refused(written(tmp_path / "a.pdf", pdf([["secret"]], key)))
    office = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    assert "password" in refused(written(tmp_path / "a.docx", office))
    assert "old format" in refused(written(tmp_path / "a.doc", office[:600]))


def test_a_scan_says_so(tmp_path):
    assert "no text" in refused(written(tmp_path / "a.pdf", pdf([[], []])))


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "MAX_UNPACKED", 40_000_000)  # a tenth, for the test's sake
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<x/>")
        with archive.open("word/media/a.bin", "w", force_zip64=True) as part:
            for _ in range(42):
                part.write(bytes(1_000_000))
    assert path.stat().st_size < 1_000_000
    assert "unpack to more than" in refused(path)


def test_a_part_larger_than_it_declares_is_refused(tmp_path):
    path = word(tmp_path / "a.docx")
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"word/document.xml"))
    data[at + 24 : at + 28] = struct.pack("<I", 50)  # the directory's uncompressed size
    assert "damaged" in refused(written(path, bytes(data)))


@pytest.mark.parametrize("suffix", [".docx", ".pptx", ".pdf"])
def test_torn_files_say_so(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    whole = {".docx": word, ".pptx": deck}.get(suffix, lambda p: written(p, pdf([[POEM]])))(path).read_bytes()
    for part in (40, len(whole) // 2) if suffix != ".pdf" else (40,):
        assert "damaged" in refused(written(path, whole[:part]))


def test_entities_are_not_expanded(tmp_path):
    path = word(tmp_path / "a.docx")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    secret = written(tmp_path / "secret.txt", "TOPSECRET")
    body = parts["word/document.xml"].replace(b"Roots drink water.", b"Roots drink &x; water.")
    head, rest = body.split(b"?>", 1)
    parts["word/document.xml"] = head + b'?><!DOCTYPE d [<!ENTITY x SYSTEM "file://%s">]>' % bytes(secret) + rest
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    assert all("TOPSECRET" not in p.text for p in documents.read(path).passages)


def test_other_files_and_odd_names(tmp_path):
    assert "There is no document" in refused(tmp_path / "nothing.txt")
    assert "There is no document" in refused(tmp_path)
    assert "There is no document" in refused(Path("a\0b.txt"))
    assert "too long" in refused(tmp_path / ("长" * 400 + ".txt"))
    assert "?" in refused(written(tmp_path / "two\nlines\u202e.txt", ""))
    assert "empty" in refused(written(tmp_path / "blank.txt", " \n\t\n"))
    assert "not a text file" in refused(written(tmp_path / "a.txt", bytes(range(256)) * 4))
    assert "archive" in refused(zipped(tmp_path))
    assert "RTF" in refused(written(tmp_path / "a.rtf", "{\\rtf1 hello}"))
    assert ".docx" in refused(written(tmp_path / "a.csv", "a,b"))
    os.mkfifo(tmp_path / "pipe.txt")
    assert "There is no document" in refused(tmp_path / "pipe.txt")


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "b.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    return folder / "b.zip"


def test_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "MAX_TEXT_BYTES", 100)
    assert "split it" in refused(written(tmp_path / "a.txt", "word " * 50))
    monkeypatch.setattr(documents, "MAX_BYTES", 100)
    assert "larger than" in refused(deck(tmp_path / "a.pptx"))
