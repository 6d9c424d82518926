"""From recordings of a person to what a voice is made of: read, cleaned, checked, understood."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from linly import audio as sound
from linly import registry
from linly.denoise import denoised
from linly.errors import InputError
from linly.speak import encoder as speaker
from linly.speak.sherpa import best_clip
from linly.speech_check import cut_out, examine
from linly.speech_words import advice
from linly.text.align import align
from linly.text.language import detect
from linly.values import Audio, Floats, Progress, Span, Transcript, Voice

MOST_SECONDS = 600.0
"""of all files of a person together"""
MOST_FILES = 20
BETWEEN = 0.4
"""seconds of silence between files"""
LONGEST_CLIP = 14.0
"""seconds of a clip, for engines that learn from clips; cut at a pause between words"""
Clip = tuple[Audio, str, str]
"""sound, what is said in it, and in which language (ISO 639-1)"""


@dataclass(frozen=True, eq=False)
class Sample:
    """What is known of a person's voice before any engine has made something of it."""

    speech: Audio
    """24 kHz, levelled, long pauses shortened"""
    before: Audio | None
    """the same before it was cleaned of noise; None where it was not"""
    transcript: Transcript
    """what is said; times in `speech`, or no times where the text was given and the words were not found"""
    embedding: Floats
    """(256,) who speaks, by the speaker encoder"""
    report: dict[str, Any]
    """that of speech_check, with text, language and files"""


def check(
    paths: Sequence[str | os.PathLike[str]],
    *,
    denoise: bool = False,
    text: str = "",
    progress: Progress | None = None,
) -> Sample:
    """Read recordings of one person, find and measure the speech, and understand it. Nothing is kept.

    text: what is said, where the person knows better than the recogniser. progress: told "read", "check", "hear" and
    the fraction done; may raise Cancelled. Raises InputError, one sentence with advice, for what cannot be used.
    """
    tell = progress or (lambda stage, fraction: None)
    tell("read", 0.0)
    raw = _joined([Path(path) for path in paths])
    encoder = speaker.opened()
    tell("check", 0.1)
    clean = denoised(raw) if denoise else raw
    checked = examine(clean, encoder.windows)
    embedding = encoder.embed(checked.speech)
    tell("hear", 0.4)
    transcript = understood(checked.speech, text)
    report = {
        **checked.report,
        "files": len(paths),
        "language": transcript.language,
        "text": transcript.text,
        "denoised": denoise,
    }
    if not transcript.text:
        report["advice"] = [*report["advice"], *advice(["no_words"])]
    before = cut_out(raw, checked.spans) if denoise else None
    tell("hear", 1.0)
    return Sample(checked.speech, before, transcript, embedding, report)


def understood(speech: Audio, text: str = "") -> Transcript:
    """What is said: by the recogniser, or, where `text` is given, that text with the recogniser's times."""
    heard: Transcript = registry.open_engine("hear", registry.default("hear")).hear(speech)
    text = " ".join(text.split())
    if not text:
        return heard
    return Transcript(text, detect(text), _placed(text, heard))


def _placed(text: str, heard: Transcript) -> tuple[Span, ...]:
    """The words of a text at the times where the recogniser heard their likes."""
    spoken = " ".join(word.text.strip() for word in heard.words)
    begins = np.cumsum([0, *(len(word.text.strip()) + 1 for word in heard.words)])
    words: list[Span] = []
    done = 0
    for begin, _, _, written in align(text, spoken):
        if written <= done:
            continue
        word = heard.words[int(np.searchsorted(begins, begin, side="right")) - 1]
        start = max(word.start, words[-1].end if words else 0.0)
        words.append(Span(text[done:written].strip(), start, max(start, word.end)))
        done = written
    if words and text[done:].strip():
        last = words.pop()
        words.append(Span(f"{last.text} {text[done:].strip()}", last.start, last.end))
    return tuple(words)


def clips(speech: Audio, transcript: Transcript) -> list[Clip]:
    """The speech in pieces of at most LONGEST_CLIP seconds with the words of each; all of it as one where nothing is
    known of the words' times."""
    words = transcript.words
    if not words or speech.seconds <= LONGEST_CLIP:
        return [(speech, transcript.text, transcript.language)]
    glue = "" if transcript.language in ("zh", "ja", "yue") else " "
    out: list[Clip] = []
    first, begin = 0, 0.0
    while first < len(words):
        fitting = [i for i in range(first, len(words)) if words[i].end - begin <= LONGEST_CLIP] or [first]
        last = fitting[-1]
        if last < len(words) - 1:  # of the places in the second half, the one with the longest pause
            later = [i for i in fitting if words[i].end - begin > LONGEST_CLIP / 2] or [last]
            last = max(later, key=lambda i: words[i + 1].start - words[i].end)
        end = speech.seconds if last == len(words) - 1 else (words[last].end + words[last + 1].start) / 2
        cut = Audio(speech.samples[round(begin * speech.rate) : round(end * speech.rate)], speech.rate)
        out.append((cut, glue.join(w.text.strip() for w in words[first : last + 1]), transcript.language))
        first, begin = last + 1, end
    return out


def cloned(sample: Sample, name: str, engine: str) -> Voice:
    """The person as an engine takes it that clones from any sound: a piece of the sample, and its words."""
    own, text = best_clip(clips(sample.speech, sample.transcript))
    language = sample.transcript.language
    return Voice(
        id=name, name=name, engine=engine, languages=(language,) if language else (), reference=own, transcript=text,
        tier="zeroshot",
    )  # fmt: skip


def _joined(paths: Sequence[Path]) -> Audio:
    """All recordings one after the other, as loud as the loudest, at the highest of their rates."""
    if not paths:
        raise InputError("There is no recording: give one or more sound files of the person.")
    if len(paths) > MOST_FILES:
        raise InputError(f"There are {len(paths)} recordings: at most {MOST_FILES} can be used at once.")
    left, parts = MOST_SECONDS, []
    for path in paths:
        if left < 1:
            raise InputError(f"The recordings are too long: at most {MOST_SECONDS / 60:g} minutes in all can be used.")
        parts.append(sound.load(path, max_seconds=left))
        left -= parts[-1].seconds
    if len(parts) == 1:
        return parts[0]
    heard = [part for part in parts if not sound.is_silent(part)] or parts[:1]
    rate, top = max(part.rate for part in heard), max(sound.loudness(part).speech for part in heard)
    out: list[Audio] = []
    for part in heard:
        gain = np.float32(10 ** ((top - sound.loudness(part).speech) / 20))
        out += [sound.resample(Audio(part.samples * gain, part.rate), rate), sound.silence(BETWEEN, rate)]
    return sound.concat(out[:-1])
