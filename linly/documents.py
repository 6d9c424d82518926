"""Documents in: text, Markdown, PDF, Word and PowerPoint files as passages that know where they stand.

What a file is, its content tells; its name only tells Markdown from plain text.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from linly import documents_office as office
from linly.documents_text import Passage, markdown, numbered
from linly.errors import InputError
from linly.text.files import decode

SUFFIXES = (".txt", ".md", ".pdf", ".docx", ".pptx")
_PLAIN = (".txt", ".md", ".markdown", ".text", "")
MAX_BYTES = 100_000_000
MAX_TEXT_BYTES = 5_000_000
MAX_UNPACKED = 400_000_000
"""Bytes that the parts of an Office file may have by what its directory declares; no more than declared is unpacked."""
MAX_PARTS = 20_000


@dataclass(frozen=True)
class Document:
    """What a file says, in any language."""

    title: str
    """its own title, else the file's name without ending"""
    kind: str
    """"text", "markdown", "pdf", "docx" or "pptx" """
    passages: tuple[Passage, ...]
    """in order; none is empty"""


def read(path: Path) -> Document:
    """The passages of a .txt, .md, .pdf, .docx or .pptx file; encodings of text are told apart.

    Of Word files the body is read (headings, paragraphs, tables), not footnotes and text boxes; of PDF the text as the
    file stores it. Raises InputError, one sentence, for a file that is missing, empty, too large, damaged, protected by
    a password, of another kind, or a scan without text.
    """
    path = Path(path)
    name = shown(path)
    try:
        if not path.is_file():
            raise InputError(f"There is no document {name!r}.")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise InputError(f"{name} cannot be read ({error.strerror or error}): check that it may be opened.") from error
    if size == 0:
        raise InputError(f"{name} is empty.")
    if size > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB: split it, or leave out its pictures.")
    kind = _kind(path, head, name)
    try:
        title, passages = {"pdf": office.pdf, "docx": office.docx, "pptx": office.pptx}.get(kind, _text)(path, name)
    except InputError:
        raise
    except Exception as error:  # what damaged files do to the libraries is not foreseen
        raise InputError(f"{name} is damaged: open it in the program that made it and save it again.") from error
    passages = [passage for passage in passages if passage.text.strip() or passage.notes.strip()]
    if not passages:
        raise InputError(f"{name} holds no text.")
    return Document(title.strip() or path.stem, kind, tuple(passages))


def shown(path: Path) -> str:
    """A file's name as it can be put into one sentence: printable, not endless."""
    name = "".join(c if c.isprintable() else "?" for c in path.name)
    return name if len(name) <= 60 else f"{name[:40]}...{name[-15:]}"


def _kind(path: Path, head: bytes, name: str) -> str:
    suffix = path.suffix.lower()
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path, name)
    if head.startswith(b"PK\x05\x06"):
        raise InputError(f"{name} is an empty archive.")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
            raise InputError(f"{name} is protected by a password: save a copy without one.")
        raise InputError(f"{name} is in an old format of Office: save it as .docx, .pptx or PDF.")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"{\\rtf", b"<!doctype html", b"<html")):
        raise InputError(f"{name} is not plain text but RTF or a web page: save it as .docx or PDF.")
    if suffix not in _PLAIN:
        if suffix in SUFFIXES:
            raise InputError(f"{name} is no {suffix} file, whatever its name says: save it again, or as .txt if text.")
        raise InputError(f"{name} is not one of the documents that can be read: {', '.join(SUFFIXES)}.")
    return "markdown" if suffix in (".md", ".markdown") else "text"


def _zipped(path: Path, name: str) -> str:
    """The kind of an Office file, once its declared size is known to be bearable."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} is damaged: open it in the program that made it and save it again.") from error
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise InputError(f"{name} would unpack to more than {MAX_UNPACKED // 1_000_000} MB: leave out its pictures.")
    names = {part.filename for part in parts}
    if "word/document.xml" in names:
        return "docx"
    if "ppt/presentation.xml" in names:
        return "pptx"
    raise InputError(f"{name} is an archive, but not a .docx or .pptx file: unpack it, or save it as PDF.")


def _text(path: Path, name: str) -> tuple[str, list[Passage]]:
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise InputError(f"{name} is larger than {MAX_TEXT_BYTES // 1_000_000} MB of text: split it.")
    text = decode(path.read_bytes(), name)
    if not text.strip():
        raise InputError(f"{name} is empty.")
    lines = text.splitlines()
    if path.suffix.lower() in (".md", ".markdown"):
        return markdown(lines)
    return "", list(numbered(lines, "lines"))
