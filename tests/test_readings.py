"""The table of readings.toml: what is written, and how it is said."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from linly.text.g2p import phonemise
from linly.text.mandarin import spelled
from linly.text.normalise import normalise

TABLE: dict[str, list[dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_name("readings.toml").read_text(encoding="utf-8")
)
CASES = [
    pytest.param(language, case, id=f"{language}-{case['kind']}-{case['text'][:24]}")
    for language, cases in (("zh", TABLE["chinese"]), ("en", TABLE["english"]))
    for case in cases
]


def heard(text: str, language: str) -> list[tuple[str, str]]:
    """Written words with their symbols."""
    said = phonemise(text, language)
    return [(word.text, said.symbols[word.begin : word.end]) for word in said.words]


@pytest.mark.parametrize(("language", "case"), CASES)
def test_it_is_read_right(language: str, case: dict[str, Any]) -> None:
    if "said" in case:
        assert normalise(case["text"], language) == case["said"]
    if "pinyin" in case:
        syllables = [spelled(one.replace("v", "ü")) for one in case["pinyin"].split()]
        assert all(syllables)
        sounds = "".join(c for c in phonemise(case["text"], language).symbols if c not in " ,.;:!?—…“”()")
        assert re.search("".join(syllables) + "(?![→↗↘↓])", sounds)  # a neutral tone has no arrow after it
    words = heard(case["text"], language) if "words" in case else []
    for word, symbols in case.get("words", []):
        assert (word, symbols) in words


def test_the_table_is_large_real_and_says_something() -> None:
    cases = [*TABLE["chinese"], *TABLE["english"]]
    texts = [case["text"] for case in cases]
    assert len(cases) >= 150
    assert len(texts) == len(set(texts))
    assert sum("source" in case for case in cases) >= len(cases) / 2
    for case in cases:
        assert case.keys() & {"said", "pinyin", "words"}
