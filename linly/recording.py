"""A recording as utterances: heard by the ASR engine, and spoken once by the voice engine just for the timing."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from linly import audio as sound
from linly.align import align, split_transcript
from linly.align_features import pitch
from linly.clock import Clock
from linly.errors import InputError
from linly.values import Audio, Progress, Span, Style, Utterance, Voice

log = logging.getLogger(__name__)

LOW = 165.0
"""hertz of a recording's median pitch under which a man's voice is nearer than a woman's"""
ENOUGH = 10
"""phonemes that tell a recording's pace"""


def utterances(
    recorded: Audio, engines: Mapping[str, Any], style: Style, clock: Clock, tell: Progress
) -> Iterator[Utterance]:
    """Cut a recording into sentences that together are exactly its sound, with phoneme times where they can be had.

    Phoneme times come from the voice engine speaking the same words, in a voice about as high and from the second
    sentence on at the recording's pace, and dynamic time warping onto the recording ("aligned"); in a language that it
    cannot speak they stay "none" and loudness drives the mouth.
    """
    tell("hear", 0.0)
    with clock("hear"):
        transcript = engines["hear"].hear(sound.resample(recorded, 16000), style.language)
    tell("hear", 1.0)
    language = transcript.language or "en"
    cuts = split_transcript(transcript, recorded)
    voice, rate = _voice(recorded, language, engines["speak"]), 1.0
    for number, (text, start, end) in enumerate(cuts, 1):
        piece, last = _slice(recorded, start, end), number == len(cuts)
        words = _within(transcript.words, start, end)
        reference = _reference(text, voice, Style(language=language, rate=rate), engines["speak"])
        if reference is None:
            yield Utterance(text, piece, language, words=words, last=last)
        else:
            with clock("align"):
                aligned = align(piece, reference, words)
            rate = min(max(rate * _pace(reference, aligned), 0.6), 1.6)
            yield replace(aligned, last=last)


def _voice(recorded: Audio, language: str, speak: Any) -> Voice | None:
    """The engine's voice for the timing, a man's for a low recording; None where it does not speak the language."""
    voices = [v for v in speak.voices() if language in v.languages]
    gender = "male" if 0 < pitch(recorded) < LOW else "female"
    return next((v for v in voices if v.gender == gender), voices[0] if voices else None)


def _reference(text: str, voice: Voice | None, style: Style, speak: Any) -> Utterance | None:
    """The text as the voice engine says it, as one utterance with exact times; None where it cannot."""
    if voice is None or not text.strip():
        return None
    try:
        parts = list(speak.speak(text, voice, style))
    except InputError as reason:  # nothing pronounceable in it, or a language whose text front end is not installed
        log.info("no phoneme times for %r: %s", text, reason)
        return None
    return join(parts, text)


def _pace(reference: Utterance, aligned: Utterance) -> float:
    """How much quicker the phonemes of a recording are than those of the reference, rests left aside."""
    said, took = (sum(p.end - p.start for p in u.phonemes) for u in (reference, aligned))
    return said / took if took > 0 and len(aligned.phonemes) >= ENOUGH else 1.0


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
