"""What the engines that sherpa-onnx runs have in common: they speak in the voice of a short sample, by sentences.

They take the sample anew with every sentence, so nothing is enrolled and a sample in one language speaks another. None
of them tells when it says what: the times of their utterances are "none".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from linly import audio as sound
from linly import settings
from linly.errors import EngineFailed, InputError
from linly.text.sentences import Sentence
from linly.values import Audio, Floats, Utterance, Voice

T = TypeVar("T")
RATE = 24000
"""hertz: what the models take and give"""
LEVEL = -21.0
"""dBFS of every sentence's speech, as the other voices have it"""
BEST = 8.0
"""seconds of a sample: more is slower with every sentence and hardly nearer"""
LEAST = 1.0
_LEAD, _TAIL = 0.08, 0.12
"""Seconds of the model's own sound kept before and after what can be heard."""
_SILENT = 0.004
"""Loudness (RMS of 10 ms, full scale 1) that counts as heard."""


def opened(title: str, name: str, **config: Any) -> Any:
    """sherpa-onnx's OfflineTts with one model on the CPU; `name` and `config` are the field of OfflineTtsModelConfig.

    Raises EngineFailed if it does not take the files.
    """
    import sherpa_onnx

    kinds = {"zipvoice": "OfflineTtsZipvoiceModelConfig", "pocket": "OfflineTtsPocketModelConfig"}
    try:
        one = getattr(sherpa_onnx, kinds[name])(**config)
        model = sherpa_onnx.OfflineTtsModelConfig(**{name: one}, num_threads=settings.threads(), provider="cpu")
        whole = sherpa_onnx.OfflineTtsConfig(model=model)
        if whole.validate():  # it says on standard error what is missing
            return sherpa_onnx.OfflineTts(whole)
    except (AttributeError, TypeError, RuntimeError) as error:
        version = getattr(sherpa_onnx, "__version__", "of unknown version")
        raise EngineFailed(f"{title} could not be opened by sherpa-onnx {version}: {error}") from error
    raise EngineFailed(f"{title} could not be opened: sherpa-onnx does not take its model files.")


def generate(title: str, tts: Any, text: str, sample: Audio, **fields: Any) -> Audio:
    """One sentence in the voice of `sample`. `fields` are those of sherpa-onnx's GenerationConfig.

    Raises EngineFailed if nothing came of it.
    """
    import sherpa_onnx

    config = sherpa_onnx.GenerationConfig()
    config.reference_audio = sample.samples.tolist()
    config.reference_sample_rate = sample.rate
    config.silence_scale = 1.0  # pauses as the model makes them; by itself it would shorten them to a fifth
    for field, value in fields.items():
        setattr(config, field, value)
    try:
        made = tts.generate(text, config)
    except RuntimeError as error:
        raise EngineFailed(f"{title} could not speak {text[:40]!r}: {error}") from error
    out = Audio(np.asarray(made.samples, np.float32).reshape(-1), int(made.sample_rate) or RATE)
    if sound.is_silent(out):
        raise EngineFailed(f"{title} made no sound of {text[:40]!r}: write it in other words, or try a longer sample.")
    return out


def sample_of(voice: Voice, title: str) -> Audio:
    """The person's own sound at RATE. Raises InputError if there is none, or too little."""
    if voice.reference is None:
        raise InputError(
            f"{title} speaks in the voice of a recording, and {voice.name!r} has none: choose one that was enrolled."
        )
    if voice.reference.seconds < LEAST or sound.is_silent(voice.reference):
        raise InputError(f"The sample of {voice.name!r} is too short for {title}: record 3 to 10 seconds of speech.")
    return sound.resample(voice.reference, RATE)


def best_clip(clips: Iterable[tuple[Audio, str, str]]) -> tuple[Audio, str]:
    """Of a person's clips (sound, what is said, language) the one to speak from, with what is said: whole words, and
    nearest to BEST seconds. Raises InputError if in none of them anything is said."""
    said = [(audio, text) for audio, text, _ in clips if text.strip()]
    if not said:
        raise InputError("Nobody knows what is said in this recording: type it in, or record a few sentences anew.")
    return min(said, key=lambda one: abs(one[0].seconds - BEST))


def utterances(
    pieces: Iterable[tuple[Sentence, T]], say: Callable[[T], Audio], language: str, rate: float
) -> Iterator[Utterance]:
    """Each piece said, cut to the speech, levelled and followed by a pause; the last one knows that it is.

    Raises InputError if there is no piece.
    """
    coming = iter(pieces)
    piece = next(coming, None)
    if piece is None:
        raise InputError("There is nothing to say in this text: write some words or numbers.")
    while piece is not None:
        following = next(coming, None)
        sentence, how = piece
        whole = _cut(say(how))
        rest = _pause(sentence) / rate**0.5 - _TAIL
        if rest > 0:
            whole = sound.concat([whole, sound.silence(rest, whole.rate)])
        yield Utterance(sentence.text, whole, language, last=following is None)
        piece = following


def _cut(audio: Audio) -> Audio:
    """Without the silence before and after what is heard, levelled."""
    level = sound.level(audio, LEVEL)
    step = level.rate // 100
    heard = np.flatnonzero([rms > _SILENT for rms in _loudness(level.samples, step)])
    begin = max(0, int(heard[0]) * step - round(_LEAD * level.rate)) if len(heard) else 0
    end = (int(heard[-1]) + 1) * step + round(_TAIL * level.rate) if len(heard) else len(level.samples)
    return sound.fade(Audio(level.samples[begin:end], level.rate), 0.005, 0.015)


def _loudness(samples: Floats, step: int) -> Sequence[float]:
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    return list(np.sqrt(np.mean(whole**2, axis=1)))


def _pause(sentence: Sentence) -> float:
    """Seconds of rest after a sentence."""
    if sentence.last:
        return 0.55
    mark = sentence.text.rstrip("”」』)）\"' ")[-1:]
    return {",": 0.2, "，": 0.2, "、": 0.2, ";": 0.28, "；": 0.28, ":": 0.28, "：": 0.28, "…": 0.45}.get(mark, 0.36)
