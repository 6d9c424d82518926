"""Decks as pictures: PDF pages by PDFium; PowerPoint slides by LibreOffice where it is installed, else their title and
text on a plain ground, and a warning that says so."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from linly import documents_office, files
from linly.documents import read as read_document
from linly.documents import shown
from linly.documents_text import Passage
from linly.errors import EngineFailed, InputError
from linly.overlay import chinese_font

SIDE = (1920, 1080)
"""the most that a slide's picture has"""
PATIENCE = 300.0
"""seconds that LibreOffice may take for one deck"""
INK, GROUND, ACCENT = (32, 36, 44), (250, 249, 246), (196, 74, 47)
NO_OFFICE = (
    "LibreOffice is not installed, so the slides show their words on plain ground: install it (libreoffice-impress) for"
    " the slides as they are."
)


def document(file: Path) -> Sequence[Passage]:
    """Text and notes of each slide or page, empty ones too. Raises InputError for a deck that cannot be read."""
    if file.suffix.lower() == ".pptx":
        try:
            return documents_office.pptx(file, shown(file))[1]
        except InputError:
            raise
        except Exception as error:  # what damaged files do to the library is not foreseen
            raise InputError(f"{shown(file)} is damaged or no PowerPoint file: save it again as .pptx.") from error
    return read_pages(file)


def read_pages(file: Path) -> Sequence[Passage]:
    """A PDF's pages; of scans, whose narration stands beside them anyway, without text."""
    try:
        return read_document(file).passages
    except InputError as error:
        if "only pictures" in str(error):
            return ()
        raise


def pictures(file: Path, text: Sequence[Passage], folder: Path) -> tuple[list[Path], list[str]]:
    """A picture for each slide, under a name that its content tells, and what people should know of them."""
    target = folder / "slides"
    target.mkdir(parents=True, exist_ok=True)
    if file.suffix.lower() == ".pdf":
        return rendered(file, target, shown(file)), []
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        return [plain(passage, target) for passage in text], [NO_OFFICE]
    stamp = _digest(file.read_bytes())
    kept = target / f"{stamp}.pdf"
    if not kept.is_file():
        _converted(office, file, kept)
    made = rendered(kept, target, shown(file))
    if len(made) != len(text):  # hidden slides are not printed
        return [plain(passage, target) for passage in text], [
            f"LibreOffice printed {len(made)} of {len(text)} slides; they show their words on plain ground instead."
        ]
    return made, []


def rendered(file: Path, target: Path, name: str) -> list[Path]:
    """The pages of a PDF as PNG files."""
    import pypdfium2

    stamp, made = _digest(file.read_bytes()), []
    with documents_office._PDFIUM:
        try:
            pages = pypdfium2.PdfDocument(file)
        except pypdfium2.PdfiumError as error:
            raise InputError(f"{name} is damaged, or protected by a password: save a copy without one.") from error
        try:
            for number in range(len(pages)):
                path = target / f"{stamp}-{number + 1:04}.png"
                if not path.is_file():
                    page = pages[number]
                    width, height = page.get_size()
                    scale = min(SIDE[0] / max(width, 1), SIDE[1] / max(height, 1))
                    _save(page.render(scale=scale).to_pil().convert("RGB"), path)
                    page.close()
                made.append(path)
        finally:
            pages.close()
    return made


def plain(passage: Passage, target: Path) -> Path:
    """A slide's words on plain ground."""
    path = target / f"{_digest(passage.text.encode())}.png"
    if path.is_file():
        return path
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", SIDE, GROUND)
    pen = ImageDraw.Draw(picture)
    rows = [row for row in passage.text.split("\n") if row.strip()]
    pen.rectangle((0, 0, 24, SIDE[1]), fill=ACCENT)
    y = 110
    for number, row in enumerate(rows):
        font = chinese_font(76 if number == 0 else 44)
        for piece in _broken(row, font, SIDE[0] - 300):
            if y > SIDE[1] - 120:
                break
            pen.text((140, y), piece, font=font, fill=INK)
            y += round(font.size * 1.45)
        y += 50 if number == 0 else 12
    _save(picture, path)
    return path


def _broken(row: str, font: Any, room: float) -> list[str]:
    """Rows that fit; broken at spaces where there are any."""
    rows, rest = [], row
    while rest and font.getlength(rest) > room:
        fits = max(1, next(k for k in range(len(rest), 0, -1) if font.getlength(rest[:k]) <= room or k == 1))
        space = rest.rfind(" ", 0, fits)
        cut = space if space > fits // 2 else fits
        rows.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return [*rows, rest] if rest else rows


def _converted(office: str, file: Path, kept: Path) -> None:
    """LibreOffice's PDF of a deck; with a profile of its own, so that one that is open does not matter."""
    with tempfile.TemporaryDirectory(prefix="linly-office-") as work:
        copied = Path(work) / "deck.pptx"
        shutil.copyfile(file, copied)
        command = [
            office, f"-env:UserInstallation=file://{work}/profile", "--headless", "--norestore",
            "--convert-to", "pdf", "--outdir", work, str(copied),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired as error:
            raise EngineFailed(
                f"LibreOffice took longer than {PATIENCE:.0f} s for {shown(file)}: save it as PDF."
            ) from error
        made = copied.with_suffix(".pdf")
        if done.returncode or not made.is_file():
            raise EngineFailed(f"LibreOffice could not print {shown(file)}: save it as PDF, or as .pptx again.")
        with files.replacing(kept) as part:
            shutil.copyfile(made, part)


def _save(picture: Any, path: Path) -> None:
    with files.replacing(path) as part:
        picture.save(part, format="PNG", compress_level=1)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]
