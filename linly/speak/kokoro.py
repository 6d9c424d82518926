"""Kokoro-82M (ONNX, int8): Chinese and English speech on a plain CPU with the phoneme times of the model itself."""

from __future__ import annotations

import functools
import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from linly import audio as sound
from linly import settings
from linly.contracts import Files
from linly.errors import EngineFailed, InputError
from linly.registry import engine
from linly.speak.fit_store import shifted, taken
from linly.speak.sessions import HOP, Sessions, pitch_map, synthesise
from linly.text.g2p import phonemise
from linly.text.ipa import PAUSES, known, timed
from linly.text.language import detect
from linly.text.sentences import LONGEST, Sentence, sentences, shorten
from linly.text.words import Pronunciation
from linly.values import Audio, Floats, Span, Style, Utterance, Voice

RATE = 24000
"""hertz"""
MOST_SYMBOLS = 500
"""the model takes 510; the style of a voice is a table of as many rows"""
LEVEL = -21.0
"""dBFS of every sentence's speech, so that sentences and voices are equally loud"""
_LANGUAGES = {"a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja", "p": "pt", "z": "zh"}
_FIRST = ("af_heart", "zf_xiaoxiao", "ef_dora", "ff_siwis", "hf_alpha", "if_sara", "jf_alpha", "pf_dora")
"""The default of each language, listed first."""
_EARLY = 0.05
"""Seconds by which the model's sound comes before the frames that it lays out: found by sliding the energy above 5 kHz
over the frames of sibilants (45 to 65 ms in ten voices of both languages, at rates 1 and 1.7)."""
_LEAD, _TAIL = 0.08, 0.12
"""Seconds of the model's own sound kept before the first and at most after the last phoneme."""
_FASTEST = 1.0
"""Rate beyond which the model swallows syllables: its sound is squeezed instead."""
_SILENT = 0.004
"""Loudness (RMS of 10 ms, full scale 1) under which a tail has died away."""


@dataclass(frozen=True, eq=False)
class _Spoken:
    """By whom and how something is said."""

    session: Future[Any]
    table: Floats
    """(510, 256) styles"""
    pitch: tuple[float, float]
    """gain and factor"""
    rate: float


@engine(
    "speak", "kokoro", title="Kokoro-82M", languages=("zh", "en", *[c for c in _LANGUAGES.values() if c not in "zhen"]),
    can={"timings", "voices", "pitch"}, weights=("kokoro", "kokoro-voices"),
    packages=("onnxruntime", "misaki", "jieba", "pypinyin", "wetext"), licence="Apache-2.0", needs_mb=500,
)  # fmt: skip
class Kokoro:
    """StyleTTS 2 with 54 voices (hexgrad, Kokoro-82M). Times are the frames that it laid out, moved by _EARLY."""

    def __init__(self, files: Files, device: str = "cpu") -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # Two sentences at once, each on its share of the cores, take less than one after the other on all of them,
        # whose threads would wait for each other at every step of the model. But never on one core each: the first
        # clause of an answer, which somebody waits for, would take twice as long, and a long text gains a tenth by it.
        side_by_side = min(2, settings.threads())
        options.intra_op_num_threads = max(side_by_side, settings.threads() // side_by_side)
        self._pool = ThreadPoolExecutor(side_by_side, thread_name_prefix="linly-speak")
        self._ahead = side_by_side
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_mem_pattern = False  # every sentence has another length
        self._run = onnxruntime.RunOptions()
        self._run.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")  # give back after each sentence
        self._styles_folder = files["kokoro-voices"]
        providers = ["CPUExecutionProvider"]
        if device.startswith("cuda") and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            providers.insert(0, "CUDAExecutionProvider")
            self._run = onnxruntime.RunOptions()
        options.log_severity_level = 3  # a fitted voice leaves numbers unused, which is no news
        # Graphs are optimised in a thread of their own, while the portrait is prepared; who speaks first waits for it.
        self._sessions = Sessions(
            files["kokoro"] / "model.onnx",
            lambda model: onnxruntime.InferenceSession(model, options, providers=providers),
            self._pool,
        )

    def close(self) -> None:
        """Stop the speaking threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def voices(self) -> Sequence[Voice]:
        """All voices of the folder, each language's default first."""
        ids = [path.stem for path in self._styles_folder.glob("*.bin")]
        order = sorted(ids, key=lambda id_: (_FIRST.index(id_) if id_ in _FIRST else len(_FIRST), id_))
        return [_voice(id_) for id_ in order if re.fullmatch(r"[a-z][fm]_\w+", id_) and id_[0] in _LANGUAGES]

    def speak(self, text: str, voice: Voice, style: Style) -> Iterator[Utterance]:
        """One Utterance a sentence, at 24 kHz. The language is that of the text, whatever the voice's own is.

        A voice with features ((510, 1, 256) float32, a blend of styles for instance) is spoken with those, and one
        with changes by the model that fitting made of this one.
        Raises InputError for text with nothing to say, an unknown voice or a language that cannot be read, and
        EngineFailed if the model breaks.
        """
        language = detect(text) if style.language == "auto" else style.language
        share = taken(voice.changes, language)
        said_by = _Spoken(
            self._sessions.of(voice.changes, share),
            shifted(self._style(voice), voice.changes, share),
            pitch_map(voice.changes, share, style.pitch),
            style.rate,
        )
        accent = {"b": "gb", "z": "zh"}.get(voice.id[:1], "us") if voice.features is None else "us"
        coming: deque[Future[Utterance]] = deque()
        try:
            for sentence in sentences(text, LONGEST * min(1.0, style.rate)):
                for piece in _read(sentence, language, accent, style.lexicon):
                    coming.append(self._pool.submit(self._say, *piece, said_by, language))
                    if len(coming) > self._ahead:
                        yield coming.popleft().result()
            if not coming:
                raise InputError("There is nothing to say in this text: write some words or numbers.")
            while len(coming) > 1:
                yield coming.popleft().result()
            yield replace(coming.popleft().result(), last=True)
        finally:
            for one in coming:
                one.cancel()

    def _say(self, sentence: Sentence, said: Pronunciation, by: _Spoken, language: str) -> Utterance:
        samples, frames = self._synthesise(said.symbols, by)
        tempo = max(1.0, by.rate / _FASTEST)
        if tempo > 1:
            samples = sound.faster(Audio(samples, RATE), tempo).samples
        return _utterance(sentence, said, samples, HOP / RATE / tempo, frames, language, by.rate)

    def _synthesise(self, symbols: str, by: _Spoken) -> tuple[Floats, list[int]]:
        """Sound (n,) at RATE and each symbol's frames, the model's silence before and after included: n = HOP x sum."""
        session = by.session.result()
        try:
            return synthesise(
                session,
                symbols,
                by.table[min(len(symbols), len(by.table) - 1)],
                min(by.rate, _FASTEST),
                by.pitch,
                self._run,
            )
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise EngineFailed(f"Kokoro could not speak a sentence of {len(symbols)} sounds: {error}") from error

    def _style(self, voice: Voice) -> Floats:
        """(510, 256) style table of a voice."""
        if voice.features is not None:
            if voice.features.size % 256 or voice.features.size < 256:
                raise InputError(f"The voice {voice.name!r} does not fit Kokoro: its features must be (510, 1, 256).")
            return voice.features.astype(np.float32).reshape(-1, 256)
        path = self._styles_folder / f"{voice.id}.bin"
        if not re.fullmatch(r"\w+", voice.id) or not path.is_file():
            raise InputError(
                f"Kokoro has no voice {voice.id!r}: choose one of those that `python -m linly voices` lists."
            )
        return np.fromfile(path, np.float32).reshape(-1, 256)


def _read(
    sentence: Sentence, language: str, accent: str, lexicon: Sequence[tuple[str, str]]
) -> Iterator[tuple[Sentence, Pronunciation]]:
    """How a sentence is pronounced, in pieces that the model takes at once; nothing where there is nothing to say."""
    said = _clean(phonemise(sentence.text, language, accent, lexicon, sentence.stressed))
    if not said.words:
        return
    if len(said.symbols) <= MOST_SYMBOLS:
        yield sentence, said
        return
    pieces = list(shorten(sentence.text, LONGEST * 0.6 * MOST_SYMBOLS / len(said.symbols)))
    if len(pieces) < 2:
        raise InputError(f"A word is too long to say: {sentence.text[:40]!r}…; write it with spaces.")
    for i, piece in enumerate(pieces):
        yield from _read(Sentence(piece, sentence.last and i == len(pieces) - 1), language, accent, lexicon)


@functools.cache
def _voice(id_: str) -> Voice:
    gender = "female" if id_[1] == "f" else "male"
    return Voice(
        id=id_, name=id_[3:].replace("_", " ").title(), engine="kokoro", languages=(_LANGUAGES[id_[0]],), gender=gender
    )


def _clean(said: Pronunciation) -> Pronunciation:
    """Without symbols that the model does not have."""
    if known(said.symbols) == said.symbols:
        return said
    words = tuple(
        replace(word, begin=len(known(said.symbols[: word.begin])), end=len(known(said.symbols[: word.end])))
        for word in said.words
    )
    return Pronunciation(known(said.symbols), tuple(word for word in words if word.end > word.begin))


def _utterance(
    sentence: Sentence, said: Pronunciation, samples: Floats, frame: float, frames: list[int], language: str,
    rate: float,
) -> Utterance:  # fmt: skip
    """Sound cut to the speech, levelled and followed by a pause; spans moved along with it. frame: seconds of one."""
    edges = np.concatenate([[0], np.cumsum(frames)]) * frame  # of the pad, each symbol, the pad
    sounded = [i for i, symbol in enumerate(said.symbols) if symbol not in PAUSES and symbol != " "]
    first, last = float(edges[1 + sounded[0]]), float(edges[2 + sounded[-1]])
    begin = max(0, round((first - _LEAD) * RATE))
    end = _died_away(samples, round(last * RATE))
    whole = sound.fade(Audio(samples[begin:end], RATE), 0.005, 0.015)
    whole = sound.level(whole, LEVEL)
    rest = _pause(said.symbols, sentence.last) / rate**0.5 - (end / RATE - last)
    if rest > 0:
        whole = sound.concat([whole, sound.silence(rest, RATE)])
    offset = begin / RATE + _EARLY * frame * RATE / HOP
    phonemes = timed(said.symbols, frames[1:-1], frame, float(edges[1]))
    words = [
        Span(word.text, max(0.0, float(edges[1 + word.begin]) - offset), float(edges[1 + word.end]) - offset)
        for word in said.words
    ]
    return Utterance(
        text=sentence.text, audio=whole, language=language, words=tuple(words), timing="exact",
        phonemes=tuple(Span(p.text, max(0.0, p.start - offset), p.end - offset) for p in phonemes),
    )  # fmt: skip


def _died_away(samples: Floats, last: int) -> int:
    """Where the sound after the last phoneme (at sample `last`) has died away, at most _TAIL seconds on."""
    step = RATE // 100
    for at in range(last, min(len(samples), last + round(_TAIL * RATE)), step):
        if np.sqrt(np.mean(samples[at : at + step] ** 2)) < _SILENT:
            return min(len(samples), at + step)
    return min(len(samples), last + round(_TAIL * RATE))


def _pause(symbols: str, paragraph: bool) -> float:
    """Seconds from the last phoneme to the end of the sentence's sound."""
    if paragraph:
        return 0.55
    mark = symbols.rstrip("”)")[-1:]
    return {",": 0.2, ";": 0.28, ":": 0.28, "…": 0.45}.get(mark, 0.36)
