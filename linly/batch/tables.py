"""Tables as talks: a row each, with the columns title, script (text, or the name of a file beside the table) and any
option. Chinese headings are known too."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from linly.batch import marks
from linly.batch.values import Options, Talk
from linly.documents import shown
from linly.errors import InputError
from linly.text.files import MAX_BYTES, decode

HEADS = {
    "标题": "title", "名称": "title", "name": "title",
    "文稿": "script", "文本": "script", "内容": "script", "text": "script",
    "声音": "voice", "音色": "voice", "形象": "portrait", "人像": "portrait", "语言": "language", "语速": "rate",
    "情绪": "emotion", "版式": "layout", "尺寸": "size", "音乐": "music", "speed": "rate",
}  # fmt: skip
MOST_ROWS = 5000


def read(file: Path, options: Options) -> list[Talk]:
    """The talks of a .csv or .xlsx file. Raises InputError that names the row for what cannot be."""
    from linly.batch.readers import talk

    rows = list(_rows(file))
    heads = [HEADS.get(str(head).strip().lower(), str(head).strip().lower()) for head in rows[0]] if rows else []
    if "script" not in heads:
        raise InputError(f"{shown(file)} has no column `script` (文稿): its first row must name the columns.")
    known = {one.name for one in fields(Options)} | {"title", "script", ""}
    strange = [head for head in heads if head not in known]
    if strange:
        raise InputError(
            f"{shown(file)} has a column {strange[0]!r}, which is no option: {', '.join(sorted(known - {''}))}."
        )
    found = []
    for number, row in enumerate(rows[1:], 2):
        cells = {head: str(cell).strip() for head, cell in zip(heads, row, strict=False) if head and cell is not None}
        if not any(cells.values()):
            continue
        source = f"{shown(file)}, row {number}"
        try:
            title = cells.pop("title", "") or f"{file.stem} {number}"
            text = _script(cells.pop("script", ""), file)
            chosen = options.given({name: value for name, value in cells.items() if value})
            found.append(talk(title, title, source, marks.read(text), chosen))
        except InputError as error:
            raise InputError(f"{source}: {error}") from error
    if not found:
        raise InputError(f"{shown(file)} has no row that says something.")
    return found


def _script(text: str, file: Path) -> str:
    """The cell itself, or what is in the file beside the table that it names."""
    if (
        len(text) < 120
        and Path(text).suffix.lower() in (".txt", ".md", ".docx")
        and "/" not in text
        and "\\" not in text
    ):
        from linly.batch.readers import _text

        beside = file.parent / text
        if not beside.is_file():
            raise InputError(f"there is no file {text!r} beside the table.")
        return _text(beside)[1]
    return text


def _rows(file: Path) -> Iterator[list[object]]:
    if file.suffix.lower() == ".csv":
        if file.stat().st_size > MAX_BYTES:
            raise InputError(f"{shown(file)} is larger than {MAX_BYTES // 1_000_000} MB: split it.")
        text = decode(file.read_bytes(), shown(file))
        try:
            kind: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:4000], ",;\t")
        except csv.Error:
            kind = csv.excel
        yield from list(csv.reader(io.StringIO(text), kind))[:MOST_ROWS]  # type: ignore[misc]
        return
    import openpyxl

    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception as error:  # what damaged files do to the library is not foreseen
        raise InputError(f"{shown(file)} cannot be read as a workbook: save it again as .xlsx.") from error
    try:
        yield from (
            [*row] for _, row in zip(range(MOST_ROWS), book.worksheets[0].iter_rows(values_only=True), strict=False)
        )
    finally:
        book.close()
