"""Answers without a model: what was typed is said as it is, or answers come from a prepared list. For presentations."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from linly import settings
from linly.contracts import Files
from linly.errors import InputError
from linly.registry import engine
from linly.text.files import decode
from linly.text.language import HAN

ALIKE = 0.34
"""Share of words in common from which a prepared question counts as the one that was asked."""
_PIECES = re.compile(rf"[{HAN}]|\S+?(?=[{HAN}])|\S+\s*|\s+")
_WORDS = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")


@engine("think", "script", title="Prepared answers, or what you type", languages=("*",), needs_mb=10)
class Script:
    """Says what was asked, or answers from the file of LINLY_ANSWERS.

    .txt: one answer a line, given in turn. .csv: question, answer. .json: {question: answer} or a list of answers. A
    question takes the answer of the most similar prepared one; an empty question is for all that fit none.
    """

    def __init__(self, files: Files | None = None, device: str = "cpu") -> None:
        name = settings.load().answers
        self._answers = read(Path(name).expanduser()) if name else []

    def think(self, turns: Sequence[Mapping[str, str]]) -> Iterator[str]:
        """The answer, word by word. Raises InputError if nothing was asked, or no prepared answer fits."""
        asked = [turn["content"] for turn in turns if turn["role"] == "user"]
        if not asked or not asked[-1].strip():
            raise InputError("There is nothing to answer: ask something.")
        yield from _PIECES.findall(self._answer(asked))

    def _answer(self, asked: Sequence[str]) -> str:
        if not self._answers:
            return asked[-1]
        if not any(question for question, _ in self._answers):
            return self._answers[(len(asked) - 1) % len(self._answers)][1]
        best, answer = max(((alike(asked[-1], q), a) for q, a in self._answers if q), key=lambda pair: pair[0])
        if best >= ALIKE:
            return answer
        for question, answer in self._answers:
            if not question:
                return answer
        raise InputError("No prepared answer fits this question: add one, or one with an empty question for the rest.")


def alike(asked: str, prepared: str) -> float:
    """How much two questions have in common, 0..1: the share of common words, or of Chinese characters."""
    one, other = (set(_WORDS.findall(text.casefold())) for text in (asked, prepared))
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def read(path: Path) -> list[tuple[str, str]]:
    """Pairs of question (may be empty) and answer. Raises InputError for a file that cannot be used."""
    try:
        text = decode(path.read_bytes(), path.name)
    except OSError as error:
        raise InputError(f"The prepared answers {str(path)!r} cannot be read: name a file in LINLY_ANSWERS.") from error
    kind = path.suffix.lower()
    if kind == ".json":
        pairs = _of_json(text, path.name)
    elif kind == ".csv":
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text)) if any(row)]
        if any(len(row) != 2 for row in rows):
            raise InputError(f"{path.name}: every row must hold a question and its answer.")
        pairs = [(row[0], row[1]) for row in rows]
    elif kind == ".txt":
        pairs = [("", line.strip()) for line in text.splitlines()]
    else:
        raise InputError(f"{path.name}: prepared answers are a .txt, .csv or .json file.")
    pairs = [(question, answer) for question, answer in pairs if answer]
    if not pairs:
        raise InputError(f"{path.name} holds no answer: write at least one.")
    return pairs


def _of_json(text: str, name: str) -> list[tuple[str, str]]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"{name} is no valid JSON ({error}).") from error
    pairs = list(found.items()) if isinstance(found, dict) else [("", answer) for answer in found or ()]
    if not all(isinstance(answer, str) for _, answer in pairs):
        raise InputError(f"{name}: write an object of questions and answers, or a list of answers.")
    return [(question.strip(), answer.strip()) for question, answer in pairs]
