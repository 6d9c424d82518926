"""ZipVoice (distilled, int8) through sherpa-onnx: Chinese and English in the voice of a short sample, on a CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from linly.contracts import Files
from linly.errors import InputError
from linly.registry import engine
from linly.speak import sherpa
from linly.speak.zipvoice_tokens import tokens, vocabulary
from linly.text.language import detect
from linly.text.sentences import LONGEST, Sentence, sentences
from linly.values import Audio, Style, Utterance, Voice

TITLE = "ZipVoice"
LANGUAGES = ("zh", "en")
STEPS = 4
"""of flow matching: what the model was distilled for"""
MOST_SECONDS = 20.0
"""of a sample: the model says it again, silently, with every sentence"""
_WHOLE = {"min_words_in_sentence": "1000", "max_words_in_sentence": "1000"}
"""A sentence stays in one piece: sherpa-onnx would cut it at its commas, and again every 20 words."""


@engine(
    "speak", "zipvoice", title="ZipVoice (zero-shot)", languages=LANGUAGES, can={"clones"},
    weights=("zipvoice", "vocos-24khz"), packages=("sherpa_onnx", "misaki", "jieba", "pypinyin", "wetext"),
    licence="Apache-2.0", needs_mb=700,
)  # fmt: skip
class ZipVoice:
    """Flow matching on a Zipformer (Zhu et al., "ZipVoice", 2025). It must know what is said in the sample.

    The noise that it starts from cannot be chosen: the same text sounds a little different each time.
    """

    def __init__(self, files: Files, device: str = "cpu") -> None:
        folder = files["zipvoice"]
        self._known = vocabulary(folder / "tokens.txt")
        self._tts = sherpa.opened(
            TITLE,
            "zipvoice",
            tokens=str(folder / "tokens.txt"),
            encoder=str(folder / "encoder.int8.onnx"),
            decoder=str(folder / "decoder.int8.onnx"),
            vocoder=str(files["vocos-24khz"] / "vocos_24khz.onnx"),
        )

    def voices(self) -> Sequence[Voice]:
        """None of its own: it speaks in the voice of a sample."""
        return ()

    def speak(self, text: str, voice: Voice, style: Style) -> Iterator[Utterance]:
        """One Utterance a sentence, at 24 kHz, timing "none". `voice` has a reference of 1 to 20 s and its transcript,
        in Chinese or English, whichever the text is in.

        Raises InputError for text with nothing to say, another language or a voice without these, and EngineFailed if
        the model breaks.
        """
        language = detect(text) if style.language == "auto" else style.language
        if language not in LANGUAGES:
            raise InputError(f"{TITLE} speaks Chinese and English, not {language!r}: choose another voice engine.")
        sample = sherpa.sample_of(voice, TITLE)
        spoken = self._prompt(voice, sample)

        def pieces() -> Iterator[tuple[Sentence, tuple[str, list[str]]]]:
            for sentence in sentences(text, LONGEST * min(1.0, style.rate)):
                if said := self._tokens(sentence.text, language, style.lexicon, sentence.stressed):
                    yield sentence, (sentence.text, said)

        def say(piece: tuple[str, list[str]]) -> Audio:
            return sherpa.generate(
                TITLE, self._tts, piece[0], sample, tokens=[spoken, piece[1]], reference_text=voice.transcript,
                speed=style.rate, num_steps=STEPS, extra=_WHOLE,
            )  # fmt: skip

        yield from sherpa.utterances(pieces(), say, language, style.rate)

    def _prompt(self, voice: Voice, sample: Audio) -> list[str]:
        """What is said in the sample, as tokens."""
        if sample.seconds > MOST_SECONDS:
            raise InputError(
                f"The sample of {voice.name!r} lasts {sample.seconds:.0f} s: {TITLE} takes up to {MOST_SECONDS:.0f} s,"
                " with exactly the words that are said in it."
            )
        language = detect(voice.transcript)
        spoken = self._tokens(voice.transcript, language) if language in LANGUAGES else []
        if not spoken:
            raise InputError(
                f"{TITLE} must know what is said in the sample of {voice.name!r}, in Chinese or English: type it in."
            )
        return spoken

    def _tokens(
        self,
        text: str,
        language: str,
        lexicon: Sequence[tuple[str, str]] = (),
        stress: Sequence[tuple[int, int]] = (),
    ) -> list[str]:
        return [token for token in tokens(text, language, lexicon, stress) if token in self._known]
