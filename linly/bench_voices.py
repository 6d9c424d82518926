"""Measure voices: how like the person, how well understood, how fast, for every tier that is ready.

Likeness is the speaker encoder's cosine between new sentences, which no tier ever said, and the person's own sound: for
a measure that counts, another recording than the voice was made from. Beside it stand the same measure for the person
(that recording against the enrolled one, or one half of the sound against the other) and for the nearest other.
The sentences are measured joined: a single one of 3 s scores 0.03 to 0.06 less, and so do 3 s of the person.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linly import audio as sound
from linly import registry, voices
from linly.errors import InputError
from linly.speak import encoder as speaker
from linly.text.heard import wrong_share
from linly.values import Audio, Floats, Progress, Style, Voice

SENTENCES = {
    "en": (
        "The library closes early on Friday, so please bring the books back in the morning.",
        "My sister planted three apple trees behind the house last spring.",
        "Nobody had expected the small boat to cross the bay in such weather.",
    ),
    "zh": (
        "图书馆星期五关门比较早，请大家上午把书还回来。",
        "去年春天，妹妹在屋后种了三棵苹果树。",
        "谁也没想到这条小船能在这样的天气里渡过海湾。",
    ),
}


@dataclass(frozen=True, eq=False)
class _Person:
    name: str
    own: Audio
    voices: tuple[Voice, ...]
    """one for each tier that is ready"""
    held: Audio | None = None
    """another recording of the person, if one was given"""


def run(wishes: Sequence[str], progress: Progress) -> list[dict[str, Any]]:
    """A row for each person, tier and language: person, tier, language, similarity, same (the person's halves against
    each other, or their other recording against the enrolled one), other (the nearest of the other people; None where
    there is none), errors (share of characters heard wrongly), stock_errors (the default voice's), realtime_factor.

    wishes: enrolled names, each perhaps with another recording of the person ("name=file"), and sound files; all that
    are enrolled where empty. Raises InputError if that is nobody.
    """
    people = [_person(wish) for wish in wishes or voices.names()]
    if not people:
        raise InputError('There is no voice to measure: name recordings, or keep one first with "voice add".')
    embed, hear = speaker.opened().embed, registry.open_engine("hear", registry.default("hear"))
    speak = registry.open_engine("speak", voices.ENGINE)
    who = {person.name: embed(person.held or person.own) for person in people}
    stock = {code: _said(speak, _default(speak, code), code, hear) for code in SENTENCES}
    rows: list[dict[str, Any]] = []
    jobs = [(person, voice, code) for person in people for voice in person.voices for code in SENTENCES]
    for number, (person, voice, code) in enumerate(jobs):
        progress("voices", number / len(jobs))
        clips, errors, factor = _said(speak, voice, code, hear)
        others = [vector for name, vector in who.items() if name != person.name]
        rows.append({
            "person": person.name,
            "tier": voice.tier,
            "language": code,
            "similarity": _likeness(clips, who[person.name], embed),
            "same": _same(person, embed),
            "other": max((_likeness(clips, other, embed) for other in others), default=None),
            "errors": errors,
            "stock_errors": stock[code][1],
            "realtime_factor": factor,
        })  # fmt: skip
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as text."""
    lines = [f"{'person':16}{'tier':10}{'':4}{'likeness':>9}{'same':>7}{'other':>7}{'errors':>8}{'stock':>7}{'RTF':>7}"]
    for row in rows:
        other = "" if row["other"] is None else f"{row['other']:.2f}"
        lines.append(
            f"{row['person'][:15]:16}{row['tier']:10}{row['language']:4}{row['similarity']:9.3f}{row['same']:7.2f}"
            f"{other:>7}{row['errors']:8.1%}{row['stock_errors']:7.1%}{row['realtime_factor']:7.2f}"
        )
    return "\n".join(lines)


def _person(wish: str) -> _Person:
    """An enrolled voice in all its tiers, or a recording's closest."""
    known, _, other = (wish, "", "") if voices.called(wish) else wish.partition("=")
    if name := voices.called(known):
        ready = [voices.load(name, tier) for tier in reversed(voices.MADE) if tier in voices.info(name)["tiers"]]
        held = voices.check([other]).speech if other else None
        return _Person(name, voices.sample_of(name).speech, tuple(voice for voice in ready if voice), held)
    sample = voices.check([wish])
    return _Person(Path(wish).stem, sample.speech, (voices.from_file(wish),))


def _default(speak: Any, language: str) -> Voice:
    voice: Voice = next(voice for voice in speak.voices() if language in voice.languages)
    return voice


def _said(speak: Any, voice: Voice, language: str, hear: Any) -> tuple[list[Audio], float, float]:
    """The new sentences in a voice; the share of characters heard wrongly; seconds of work for one of sound."""
    list(speak.speak(SENTENCES[language][0], voice, Style(language=language)))  # a session may have to be made first
    began = time.monotonic()
    clips = [
        sound.concat(said.audio for said in speak.speak(text, voice, Style(language=language)))
        for text in SENTENCES[language]
    ]
    factor = (time.monotonic() - began) / sum(clip.seconds for clip in clips)
    listen = getattr(hear, "quick", hear.hear)  # the way of the conversation, where there is one: as few errors, sooner
    heard = [listen(clip, language).text for clip in clips]
    return clips, wrong_share(SENTENCES[language], heard), factor


def _likeness(clips: Sequence[Audio], person: Floats, embed: Callable[[Audio], Floats]) -> float:
    return speaker.similarity(embed(sound.concat(clips)), person)


def _same(person: _Person, embed: Callable[[Audio], Floats]) -> float:
    """How like themselves the person is."""
    if person.held:
        return speaker.similarity(embed(person.own), embed(person.held))
    own, middle = person.own, len(person.own.samples) // 2
    halves = (Audio(part, own.rate) for part in (own.samples[:middle], own.samples[middle:]))
    return speaker.similarity(*map(embed, halves))
