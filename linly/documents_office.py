"""Text of PDF, Word and PowerPoint files, page by page, heading by heading, slide by slide."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from linly.documents_text import Passage, Sections, check_length, unwrap
from linly.errors import InputError
from linly.text.language import HAN

MAX_PAGES = 3_000
_PDFIUM = threading.Lock()
"""PDFium is not made for threads."""


def pdf(path: Path, name: str) -> tuple[str, list[Passage]]:
    """Own title and pages of a PDF file."""
    import pypdfium2
    import pypdfium2.raw

    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            if error.err_code in (pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY):
                raise InputError(f"{name} is protected by a password: save a copy without one.") from error
            raise
        try:
            if len(document) > MAX_PAGES:
                raise InputError(f"{name} has more than {MAX_PAGES} pages: split it.")
            title = str(document.get_metadata_value("Title"))
            passages, length = [], 0
            for number in range(len(document)):
                text = _page(document, number)
                length += len(text)
                check_length(length, name)
                passages.append(Passage(text, f"page {number + 1}"))
        finally:
            document.close()
    if not any(passage.text for passage in passages):
        raise InputError(f"{name} holds only pictures of pages and no text: run text recognition on it first.")
    return title if re.search(r"\w\s|[" + HAN + "]", title) and " - " not in title else "", passages


def _page(document: Any, number: int) -> str:
    page = document[number]
    try:
        words = page.get_textpage()
        text = words.get_text_range()
        words.close()
    finally:
        page.close()
    text = re.sub("[\ufffe\x02\xad]\\s*", "", text)  # a hyphen that only the line's end asked for
    return unwrap(re.sub(r"[^\S\n]+|[\x00-\x08\x0e-\x1f]", " ", text))


def docx(path: Path, name: str) -> tuple[str, list[Passage]]:
    """Title and sections of a Word file."""
    import docx
    from docx.table import Table

    document: Any = docx.Document(str(path))
    sections, length = Sections(), 0
    for block in document.iter_inner_content():
        lines = list(_rows(block.rows)) if isinstance(block, Table) else [" ".join(block.text.split())]
        length += sum(map(len, lines))
        check_length(length, name)
        level = None if isinstance(block, Table) else _level(block)
        if level is not None and lines[0]:
            sections.heading(level, lines[0])
        else:
            for line in filter(None, lines):
                sections.add(line)
    return str(document.core_properties.title or "") or sections.title, sections.finish("paragraphs")


def _level(paragraph: Any) -> int | None:
    """0 for the title, 1 to 9 for headings, None for text; also of a style that was derived from a heading's."""
    style = paragraph.style
    for _ in range(8):
        if style is None:
            return None
        found = re.match(r"(?i)(?:heading|标题)\s*(\d)$|(title|标题)$", str(style.name or ""))
        if found:
            return int(found[1] or 0)
        style = style.base_style
    return None


def _rows(rows: Any) -> Iterator[str]:
    """A table's rows, a line each; a merged cell once."""
    for row in rows:
        cells, seen = [], set()
        for cell in row.cells:
            if id(element := getattr(cell, "_tc", cell)) not in seen:
                seen.add(id(element))
                cells.append(" ".join(_cell(cell).split()))
        if any(cells):
            yield " | ".join(cells)


def _cell(cell: Any) -> str:
    inner = [row for table in getattr(cell, "tables", ()) for row in _rows(table.rows)]
    return "; ".join(filter(None, [str(cell.text), *inner]))


def pptx(path: Path, name: str) -> tuple[str, list[Passage]]:
    """Title and slides of a PowerPoint file."""
    from pptx import Presentation

    deck: Any = Presentation(str(path))
    passages, first, length = [], "", 0
    for number, slide in enumerate(deck.slides, 1):
        title = slide.shapes.title
        head = _lines(title.text_frame.text) if title is not None else ""
        body = [line for shape in slide.shapes if shape != title for line in _shape(shape)]
        notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        passage = Passage(
            "\n".join(filter(None, [head, *body])), f"slide {number}", _lines(notes.text) if notes is not None else ""
        )
        first = first or head.split("\n")[0]
        length += len(passage.text) + len(passage.notes)
        check_length(length, name)
        passages.append(passage)
    return first, passages


def _shape(shape: Any) -> Iterator[str]:
    if hasattr(shape, "shapes"):  # a group
        for inner in shape.shapes:
            yield from _shape(inner)
    elif getattr(shape, "has_table", False):
        yield from _rows(shape.table.rows)
    elif shape.has_text_frame:
        yield _lines(shape.text_frame.text)


def _lines(text: str) -> str:
    lines = (" ".join(line.split()) for line in re.split(r"[\n\x0b]", text))
    return "\n".join(line for line in lines if line)
