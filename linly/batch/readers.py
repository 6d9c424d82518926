"""Sources in, talks out: files of any kind that DESIGN names, folders and archives of them. A source that cannot be
used is a `Problem`, one sentence, and the others go on."""

from __future__ import annotations

import os
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from linly import documents
from linly.batch import marks, slides, subtitled, tables
from linly.batch.values import Options, Talk
from linly.documents_text import Passage
from linly.errors import InputError, LinlyError
from linly.text.files import read_text

SCRIPTS, DECKS, TIMED, TABLES = (".txt", ".md", ".docx"), (".pptx", ".pdf"), (".srt", ".vtt"), (".csv", ".xlsx")
KINDS = (*SCRIPTS, *DECKS, *TIMED, *TABLES)
UNTOLD = 2.0
"""seconds that a slide without notes is shown"""
MOST_FILES = 2000
MOST_BYTES = 2_000_000_000
"""unpacked, of one archive"""
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)$")


@dataclass(frozen=True)
class Problem:
    """A source that no video can be made of, and why."""

    source: str
    says: str


def talks(paths: Sequence[Path], options: Options, folder: Path) -> tuple[list[Talk], list[Problem]]:
    """All talks of these files, folders and archives, in order, each with a name of its own. folder: for pictures of
    slides, and what comes out of archives."""
    found: list[Talk] = []
    problems: list[Problem] = []
    files = list(_files(paths, folder, problems))
    told = {_stem(file) for file in files if file.suffix.lower() in DECKS}
    for file in files:
        if file.suffix.lower() in SCRIPTS and _stem(file) in told:
            continue  # the narration of the deck beside it
        try:
            found += read(file, options, folder)
        except LinlyError as error:
            problems.append(Problem(documents.shown(file), str(error)))
        except Exception as error:  # what damaged files do to the libraries is not foreseen
            says = f"{documents.shown(file)} is damaged ({type(error).__name__}): save it again and try once more."
            problems.append(Problem(documents.shown(file), says))
    return _distinct(found), problems


def read(file: Path, options: Options, folder: Path) -> list[Talk]:
    """The talks of one file. Raises InputError, one sentence, if there is none in it."""
    kind = file.suffix.lower()
    if kind in TABLES:
        return tables.read(file, options)
    if kind in TIMED:
        return [subtitled.read(file, options)]
    if kind in DECKS:
        return [_deck(file, options, folder)]
    if kind not in SCRIPTS:
        raise InputError(f"{documents.shown(file)} is no script or deck: give {', '.join(KINDS)}, .zip or a folder.")
    title, text = _text(file)
    return [talk(file.stem, title, documents.shown(file), marks.read(text), options)]


def talk(
    name: str, title: str, source: str, script: marks.Script, options: Options, pictures: Sequence[Path] = ()
) -> Talk:
    """A talk of a script that was read. Raises InputError if nothing is said in it."""
    if not any(line.text for line in script.lines):
        raise InputError(f"{source} says nothing: write what should be said into it.")
    return Talk(named(name), title, source, tuple(script.lines), tuple(pictures), options, tuple(script.warnings))


def named(wish: str) -> str:
    """A file's name, without ending, that every system takes: no path, no control characters, not endless."""
    kept = "".join(c if c.isprintable() and c not in '<>:"/\\|?*' else "_" for c in unicodedata.normalize("NFC", wish))
    kept = kept.strip(" .")
    while len(kept.encode()) > 120:
        kept = kept[:-1]
    return f"_{kept}" if not kept or _RESERVED.match(kept) else kept


def _text(file: Path) -> tuple[str, str]:
    """Title and text; a heading is no sentence of a .md or .docx, but a paragraph that is read."""
    if file.suffix.lower() == ".docx":
        document = documents.read(file)
        heads = [p.where.split(" > ")[-1] if not p.where.startswith("paragraph") else "" for p in document.passages]
        parts = [f"{head}\n{p.text}" if head else p.text for head, p in zip(heads, document.passages, strict=True)]
        return document.title, "\n".join(parts)
    text = read_text(file)
    head = re.search(r"(?m)^\s*#\s+(.+)$", text) if file.suffix.lower() == ".md" else None
    return (head[1].strip() if head else file.stem), text


def _deck(file: Path, options: Options, folder: Path) -> Talk:
    """Slides with their narration: the script beside the deck, which turns pages by its marks or, if it has none, has
    as many paragraphs as there are pages; else the speaker notes."""
    document = slides.document(file)
    pictures, warnings = slides.pictures(file, document, folder)
    script = marks.Script(len(pictures))
    beside = next((file.with_suffix(end) for end in SCRIPTS if file.with_suffix(end).is_file()), None)
    if beside is not None:
        _turned(script, _text(beside)[1], len(pictures))
    elif file.suffix.lower() == ".pdf":
        raise InputError(f"{documents.shown(file)} has no narration: put a script {file.stem}.txt beside it.")
    elif not any(passage.notes.strip() for passage in document):
        raise InputError(
            f"{documents.shown(file)} has no speaker notes: write what should be said into them, or into a script"
            f" {file.stem}.txt beside it."
        )
    else:
        _noted(script, document)
    script.warnings += warnings
    title = next((p.text.split("\n")[0] for p in document if p.text), "") or file.stem
    heads = tuple(p.text.split("\n")[0] for p in document)
    return replace(talk(file.stem, title, documents.shown(file), script, options, pictures), heads=heads)


def _noted(script: marks.Script, document: Sequence[Passage]) -> None:
    """Each slide with its notes; one without is shown for a moment."""
    for number, passage in enumerate(document, 1):
        before = len(script.lines)
        script.read(passage.notes, slide=number)
        if len(script.lines) == before:
            script.read(f"[pause {UNTOLD:g}]")
            script.warnings.append(f"Slide {number} has no notes, and is shown for {UNTOLD:g} s.")


def _turned(script: marks.Script, text: str, pages: int) -> None:
    paragraphs = [part for part in re.split(r"\n\s*\n|(?m:^\s*-{3,}\s*$)", text) if part.strip()]
    if re.search(r"\[(slide|翻页)", text) or len(paragraphs) != pages:
        script.read(text, slide=1)
        if not re.search(r"\[(slide|翻页)", text) and pages > 1:
            script.warnings.append(
                f"The script has {len(paragraphs)} paragraphs and the deck {pages} pages: [slide] turns."
            )
        return
    for number, paragraph in enumerate(paragraphs, 1):
        script.read(paragraph, slide=number)


def _files(paths: Sequence[Path], folder: Path, problems: list[Problem]) -> Iterator[Path]:
    for path in paths:
        try:
            if path.is_dir():
                inside = [file for file in sorted(path.rglob("*")) if file.is_file() and not _hidden(file, path)]
                if len(inside) > MOST_FILES:
                    raise InputError(
                        f"{documents.shown(path)} holds more than {MOST_FILES} files: give a smaller folder."
                    )
                for file in inside:
                    yield from _unpacked(file, folder, problems)
            elif path.is_file():
                yield from _unpacked(path, folder, problems)
            else:
                raise InputError(f"There is no file or folder {documents.shown(path)}.")
        except (InputError, OSError, ValueError) as error:
            says = str(error) if isinstance(error, InputError) else f"{documents.shown(path)} cannot be read."
            problems.append(Problem(documents.shown(path), says))


def _hidden(file: Path, under: Path) -> bool:
    return _kept_by_a_system(file.relative_to(under).parts)


def _kept_by_a_system(parts: Sequence[str]) -> bool:
    """Hidden files, locks of Office, what macOS puts into archives."""
    return any(part.startswith((".", "~$", "__MACOSX")) for part in parts)


def _unpacked(file: Path, folder: Path, problems: list[Problem]) -> Iterator[Path]:
    """The file, or what is in it if it is an archive. Only names of known kinds come out, under names of our own."""
    if file.suffix.lower() != ".zip":
        yield file
        return
    try:
        with zipfile.ZipFile(file) as archive:
            known = [one for one in archive.infolist() if not one.is_dir() and not _strange(one)]
            if len(known) > MOST_FILES or sum(one.file_size for one in known) > MOST_BYTES:
                raise InputError(f"{documents.shown(file)} holds too much: give it in several archives.")
            if not known:
                raise InputError(f"{documents.shown(file)} holds no script or deck.")
            target = folder / "unpacked" / named(file.stem)
            for one in known:
                inner = PurePosixPath(_name(one))
                path = target.joinpath(
                    *(named(part) for part in inner.parent.parts), named(inner.stem) + inner.suffix.lower()
                )
                path.parent.mkdir(parents=True, exist_ok=True)
                data = archive.read(one)
                if not path.is_file() or path.read_bytes() != data:
                    path.write_bytes(data)
                yield path
    except (zipfile.BadZipFile, RuntimeError, OSError, EOFError) as error:
        sealed = "password" in str(error)
        says = "is protected by a password: unpack it first." if sealed else "is a damaged archive: make it again."
        problems.append(Problem(documents.shown(file), f"{documents.shown(file)} {says}"))
    except InputError as error:
        problems.append(Problem(documents.shown(file), str(error)))


def _strange(one: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(_name(one)).parts
    return (
        _kept_by_a_system(parts)
        or ".." in parts
        or os.path.splitext(parts[-1] if parts else "")[1].lower() not in KINDS
    )


def _name(one: zipfile.ZipInfo) -> str:
    """Archives made on Chinese Windows hold names in GB18030, which zipfile reads as cp437."""
    if one.flag_bits & 0x800:
        return one.filename
    try:
        return one.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return one.filename


def _stem(file: Path) -> Path:
    return file.with_suffix("")


def _distinct(found: list[Talk]) -> list[Talk]:
    """No two talks have one name, whatever the case."""
    seen: dict[str, int] = {}
    out = []
    for one in found:
        count = seen[one.name.casefold()] = seen.get(one.name.casefold(), 0) + 1
        out.append(one if count == 1 else replace(one, name=f"{one.name} ({count})"))
    return out
