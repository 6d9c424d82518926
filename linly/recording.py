"""A recording as utterances: heard by the ASR engine, and spoken once by the voice engine just for the timing."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from linly import audio as sound
from linly.align import align, split_transcript
from linly.clock import Clock
from linly.errors import InputError
from linly.values import Audio, Progress, Span, Style, Utterance

log = logging.getLogger(__name__)


def utterances(
    recorded: Audio, engines: Mapping[str, Any], style: Style, clock: Clock, tell: Progress
) -> Iterator[Utterance]:
    """Cut a recording into sentences that together are exactly its sound, with phoneme times where they can be had.

    Phoneme times come from the voice engine speaking the same words and dynamic time warping onto the recording
    ("aligned"); in a language that it cannot speak they stay "none" and loudness drives the mouth.
    """
    tell("hear", 0.0)
    with clock("hear"):
        transcript = engines["hear"].hear(sound.resample(recorded, 16000), style.language)
    tell("hear", 1.0)
    language = transcript.language or "en"
    cuts = split_transcript(transcript, recorded)
    for number, (text, start, end) in enumerate(cuts, 1):
        piece, last = _slice(recorded, start, end), number == len(cuts)
        reference = _reference(text, language, engines["speak"]) if text.strip() else None
        if reference is None:
            words = _within(transcript.words, start, end)
            yield Utterance(text, piece, language, words=words, last=last)
        else:
            with clock("align"):
                aligned = align(piece, reference)
            yield replace(aligned, last=last)


def _reference(text: str, language: str, speak: Any) -> Utterance | None:
    """The text as the voice engine says it, as one utterance with exact times; None where it has no such language."""
    voice = next((v for v in speak.voices() if language in v.languages), None)
    if voice is None:
        return None
    try:
        parts = list(speak.speak(text, voice, Style(language=language)))
    except InputError as reason:  # nothing pronounceable in it, or a language whose text front end is not installed
        log.info("no phoneme times for %r: %s", text, reason)
        return None
    return join(parts, text)


def join(parts: list[Utterance], text: str) -> Utterance:
    """Several utterances as one, times shifted to fit."""
    words: list[Span] = []
    phonemes: list[Span] = []
    at = 0.0
    for part in parts:
        words += [w.shifted(at) for w in part.words]
        phonemes += [p.shifted(at) for p in part.phonemes]
        at += part.audio.seconds
    joined = sound.concat([p.audio for p in parts])
    return Utterance(text, joined, parts[0].language, tuple(words), tuple(phonemes), parts[0].timing)


def cut(utterance: Utterance, seconds: float) -> Utterance:
    """The first `seconds` of an utterance, faded out so that the cut does not click."""
    piece = sound.fade(_slice(utterance.audio, 0.0, seconds), end=0.05)
    end = piece.seconds
    return replace(
        utterance,
        audio=piece,
        words=_within(utterance.words, 0.0, end),
        phonemes=_within(utterance.phonemes, 0.0, end),
        last=True,
    )


def _slice(audio: Audio, start: float, end: float) -> Audio:
    return Audio(audio.samples[round(start * audio.rate) : round(end * audio.rate)], audio.rate)


def _within(spans: tuple[Span, ...], start: float, end: float) -> tuple[Span, ...]:
    """The spans that begin between `start` and `end`, clipped, with times counted from `start`."""
    return tuple(
        Span(s.text, max(s.start, start) - start, min(s.end, end) - start) for s in spans if start <= s.start < end
    )
