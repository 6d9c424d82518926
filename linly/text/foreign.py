"""Languages whose pronunciation comes from a program or package that is not installed by default."""

from __future__ import annotations

import re
import shutil
import subprocess

from linly.errors import InputError
from linly.text.words import Pronunciation, Word

ESPEAK = {"es": "es", "fr": "fr-fr", "it": "it", "pt": "pt-br", "hi": "hi"}
"""Languages that the program espeak-ng pronounces, with its names for them."""
NAMES = {"es": "Spanish", "fr": "French", "it": "Italian", "pt": "Portuguese", "hi": "Hindi", "ja": "Japanese"}
_SYMBOLS = (
    ("a͡ɪ", "I"), ("a͡ʊ", "W"), ("d͡z", "ʣ"), ("d͡ʒ", "ʤ"), ("e͡ɪ", "A"), ("o͡ʊ", "O"), ("ə͡ʊ", "Q"), ("t͡s", "ʦ"),
    ("t͡ʃ", "ʧ"), ("ɔ͡ɪ", "Y"), ("͡", ""), ("-", ""), ("g", "ɡ"), ("ɚ", "əɹ"), ("ɬ", "l"), ("ʲ", "ʲ"),
)  # fmt: skip


def pronounce(text: str, language: str) -> Pronunciation:
    """`text` in Kokoro's symbols. Raises InputError that names what to install, or that the language has no voice."""

    if language not in NAMES:
        raise InputError(
            f"No voice speaks the language {language!r}: use English, Chinese, {', '.join(NAMES.values())}."
        )
    say = _japanese if language == "ja" else lambda word: _espeak(word, ESPEAK[language])
    marks = re.compile(r"([.,!?;:…—。、！？]+)")
    symbols, words = "", []
    for clause in marks.split(text):
        if marks.fullmatch(clause):
            symbols = symbols.rstrip() + {"。": ".", "、": ",", "！": "!", "？": "?"}.get(clause[0], clause[0]) + " "
            continue
        said = say(clause.strip()) if any(c.isalnum() for c in clause) else ""
        if said:
            parts, written = said.split(), clause.split()
            if len(parts) != len(written):  # numbers, clitics: the clause is one word
                parts, written = [said], [clause.strip()]
            for part, word in zip(parts, written, strict=True):
                words.append(Word(word.strip("\"'()«»¿¡ "), len(symbols), len(symbols) + len(part)))
                symbols += part + " "
    symbols = symbols.strip()
    return Pronunciation(symbols + ("." if symbols and symbols[-1] not in ".!?…" else ""), tuple(words))


def _espeak(text: str, voice: str) -> str:
    program = shutil.which("espeak-ng")
    if program is None:
        name = NAMES[next(k for k, v in ESPEAK.items() if v == voice)]
        raise InputError(f"{name} needs the program espeak-ng (GPL-3): install it, as with `apt install espeak-ng`.")
    made = subprocess.run(
        [program, "-q", "--ipa", "--tie=͡", "-v", voice, "--stdin"], input=text, capture_output=True, text=True,
        check=False, timeout=30,
    )  # fmt: skip
    said = re.sub(r"\([a-z-]+\)", "", " ".join(made.stdout.split()))
    for old, new in _SYMBOLS:
        said = said.replace(old, new)
    return said


def _japanese(text: str) -> str:
    try:
        from misaki import ja
    except ImportError:
        raise InputError('Japanese needs a Python package: run `pip install "misaki[ja]"`.') from None
    return str(ja.JAG2P()(text)[0])
