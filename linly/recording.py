"""Phoneme times for sound that came without: a recording, heard by the ASR engine, or the speech of an engine that does
not tell when it says what. An engine that does tell speaks the same words once, just for the timing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
REST = 0.6
"""seconds after the last word of a text whose end nobody knew beforehand"""
ENOUGH = 10
"""phonemes that tell a recording's pace"""


def utterances(
    recorded: Audio, engines: Mapping[str, Any], style: Style, clock: Clock, tell: Progress
) -> Iterator[Utterance]:
    """Cut a recording into sentences that together are exactly its sound, with phoneme times where they can be had.

    engines: hear, and time, a speak engine that tells when it says what. In a language that it cannot speak the timing
    stays "none" and loudness drives the mouth.
    """
    tell("hear", 0.0)
    with clock("hear"):
        transcript = engines["hear"].hear(sound.resample(recorded, 16000), style.language)
    tell("hear", 1.0)
    language = transcript.language or "en"
    cuts = split_transcript(transcript, recorded)
    guide = _Guide(recorded, Style(language=language), engines["time"])
    for number, (text, start, end) in enumerate(cuts, 1):
        piece, last = _slice(recorded, start, end), number == len(cuts)
        words = _within(transcript.words, start, end)
        with clock("align"):
            timed = guide.timed(text, piece, words)
        yield replace(timed or Utterance(text, piece, language, words=words), last=last)


def spoken(pieces: Iterable[str], speak: Any, voice: Voice | None, style: Style) -> Iterator[Utterance]:
    """A text that is still being written, each piece spoken as soon as it is there; then the face comes to rest.

    Pieces without a letter or a figure are passed over. Raises InputError if nothing is left.
    """
    said: Utterance | None = None
    for piece in pieces:
        if any(character.isalnum() for character in piece):
            for said in speak.speak(piece, voice, style):
                yield replace(said, last=False)
    if said is None:
        raise InputError("There is nothing to say: the answer was empty.")
    yield Utterance("", sound.silence(REST, said.audio.rate), said.language, timing="exact", last=True)


def timed(said: Iterable[Utterance], style: Style, speak: Any, clock: Clock) -> Iterator[Utterance]:
    """The utterances with phoneme times from `speak`, which tells when it says what; those that have their own, and
    those that it cannot say, pass as they are. style: what they were spoken with."""
    guide: _Guide | None = None
    for utterance in said:
        if utterance.timing != "none":
            yield utterance
            continue
        with clock("align"):
            guide = guide or _Guide(utterance.audio, replace(style, language=utterance.language), speak)
            aligned = guide.timed(utterance.text, utterance.audio)
        yield replace(aligned, last=utterance.last) if aligned else utterance


class _Guide:
    """The same words from an engine with exact times, in a voice about as high and, from the second sentence on, at the
    speaker's pace: the nearer the two are, the better dynamic time warping lays one on the other."""

    def __init__(self, sample: Audio, style: Style, speak: Any) -> None:
        """sample: some of the sound that is to be timed."""
        self._speak, self._style = speak, style
        voices = [v for v in speak.voices() if style.language in v.languages]
        gender = "male" if 0 < pitch(sample) < LOW else "female"
        self._voice = next((v for v in voices if v.gender == gender), voices[0] if voices else None)

    def timed(self, text: str, piece: Audio, words: Sequence[Span] = ()) -> Utterance | None:
        """The piece with times ("aligned"); None where the engine cannot say the text. words: as they were heard."""
        reference = self._reference(text)
        if reference is None:
            return None
        aligned = align(piece, reference, words)
        rate = min(max(self._style.rate * _pace(reference, aligned), 0.6), 1.6)
        self._style = replace(self._style, rate=rate)
        return aligned

    def _reference(self, text: str) -> Utterance | None:
        if self._voice is None or not text.strip():
            return None
        try:
            parts = list(self._speak.speak(text, self._voice, self._style))
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
