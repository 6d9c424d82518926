"""Pocket TTS (Kyutai, int8) through sherpa-onnx: English in the voice of a short sample, quick on a plain CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from linly.contracts import Files
from linly.errors import InputError
from linly.registry import engine
from linly.speak import sherpa
from linly.text.language import detect
from linly.text.normalise import normalise
from linly.text.sentences import LONGEST, Sentence, seconds, sentences
from linly.values import Audio, Style, Utterance, Voice

TITLE = "Pocket TTS"
STEPS = 5
"""of flow matching for each frame"""
MOST_SECONDS = 20.0
"""of a sample: the first so many are used"""
FRAMES = 12.5
"""a second, that the model makes"""
_WHOLE = {
    "max_reference_audio_len": f"{MOST_SECONDS:.0f}",
    "min_char_in_sentence": "1000",
    "max_char_in_sentence": "1000",
}
"""The sample is used as far as it goes, and a sentence stays in one piece."""


@engine(
    "speak", "pocket", title="Pocket TTS (zero-shot)", languages=("en",), can={"clones"},
    weights=("pocket-tts", "pocket-tts-decoder"), packages=("sherpa_onnx", "av"), licence="CC-BY-4.0", needs_mb=500,
)  # fmt: skip
class Pocket:
    """A language model over continuous latents of a codec (Kyutai, "Pocket TTS", 2026). English only; the sample may be
    in any language and needs no transcript. It reads text by itself, so a pronunciation list does not reach it."""

    def __init__(self, files: Files, device: str = "cpu") -> None:
        folder, decoder = files["pocket-tts"], files["pocket-tts-decoder"]
        self._tts = sherpa.opened(
            TITLE,
            "pocket",
            lm_flow=str(folder / "lm_flow.int8.onnx"),
            lm_main=str(folder / "lm_main.int8.onnx"),
            encoder=str(folder / "encoder.onnx"),
            decoder=str(decoder / "decoder.onnx"),
            text_conditioner=str(folder / "text_conditioner.onnx"),
            vocab_json=str(folder / "vocab.json"),
            token_scores_json=str(folder / "token_scores.json"),
        )

    def voices(self) -> Sequence[Voice]:
        """None of its own: it speaks in the voice of a sample."""
        return ()

    def speak(self, text: str, voice: Voice, style: Style) -> Iterator[Utterance]:
        """One Utterance a sentence, at 24 kHz, timing "none". `voice` has a reference of 1 s or more.

        The model has one pace; another rate stretches its sound. Raises InputError for text with nothing to say, a
        language other than English or a voice without a reference, and EngineFailed if the model breaks.
        """
        language = detect(text) if style.language == "auto" else style.language
        if language != "en":
            raise InputError(f"{TITLE} speaks English, not {language!r}: choose another voice engine.")
        sample = sherpa.sample_of(voice, TITLE)
        sample = Audio(sample.samples[: round(MOST_SECONDS * sample.rate)], sample.rate)

        def pieces() -> Iterator[tuple[Sentence, str]]:
            for sentence in sentences(text, LONGEST):
                said = " ".join(normalise(sentence.text, language).split())
                if any(c.isalnum() for c in said):
                    yield sentence, said

        def say(said: str) -> Audio:
            # It ends a sentence by itself; where it does not, it would babble on for 40 s.
            most = round(FRAMES * (4 + 2.5 * seconds(said)))
            extra = {"max_frames": str(most), "seed": str(style.seed), **_WHOLE}
            made = sherpa.generate(TITLE, self._tts, said, sample, num_steps=STEPS, extra=extra)
            return stretched(made, style.rate)

        yield from sherpa.utterances(pieces(), say, language, style.rate)


def stretched(audio: Audio, rate: float) -> Audio:
    """The sound `rate` times as fast (0.5 to 2) at its own pitch, by overlap and add (FFmpeg's atempo)."""
    if rate == 1.0:
        return audio
    import av
    from av.filter import Graph

    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=audio.rate, layout="mono", time_base=Fraction(1, audio.rate))
    graph.link_nodes(source, graph.add("atempo", f"{rate:.4f}"), graph.add("abuffersink")).configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio.samples[None]), format="flt", layout="mono")
    frame.sample_rate, frame.pts = audio.rate, 0
    graph.push(frame)
    graph.push(None)
    out: list[np.ndarray] = []
    while True:
        try:
            out.append(graph.pull().to_ndarray().reshape(-1))
        except (av.error.EOFError, av.error.BlockingIOError):
            break
    return Audio(np.concatenate(out).astype(np.float32), audio.rate)
