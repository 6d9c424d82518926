"""Whisper (Radford et al., 2022) through faster-whisper, int8 on the CPU: text, language and word times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from linly import settings
from linly.audio import is_silent, resample
from linly.contracts import Files
from linly.errors import EngineFailed
from linly.registry import engine
from linly.values import Audio, Floats, Span, Transcript

RATE = 16000
WINDOW = 120.0
"""seconds given to the model at once: spectrograms of a longer sound would take memory by the gigabyte"""
SEARCH = 15.0
"""the last seconds of a window, in whose quietest moment it is cut"""
PROMPTS = {"zh": "以下是普通话的句子，使用简体字和标点符号。"}
"""without it the model writes traditional characters and leaves out punctuation"""
SURE = 0.5
"""below this probability a detected language counts only among LIKELY"""
LIKELY = ("zh", "en")
REPEATS = 2.4
"""a text that zlib shrinks by more than this goes round in circles"""
_WIDE = {",": "，", "?": "？", "!": "！", ":": "：", ";": "；"}
QUICK, MORE = 10.0, 4.0
"""seconds that a quick look at a turn is padded to at least, and the silence after it. The model was taught on 30 s and
repeats itself where there is hardly any silence; with this much it makes no more mistakes than with all of it."""
TOKENS = 12
"""tokens that a second of speech takes at most; a Chinese character is up to two"""
FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")


@engine(
    "hear",
    "whisper",
    title="Whisper base",
    languages=("*",),
    can={"timings"},
    weights=("whisper-base",),
    packages=("faster_whisper", "wetext"),
    licence="MIT",
    needs_mb=450,
)
class Whisper:
    """Speech recognition in some hundred languages, Mandarin in simplified characters with punctuation."""

    def __init__(self, files: Files, device: str = "cpu") -> None:
        """Load from the local folder only. Raises EngineFailed if a file is missing or cannot be read."""
        folder = files["whisper-base"]
        for name in FILES:
            if not (folder / name).is_file():  # without the tokenizer faster-whisper would ask the network for it
                raise EngineFailed(f"Whisper lacks {name}: run `python -m linly weights pull whisper-base`.")
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        kind, _, index = device.partition(":")
        self._model: Any
        try:
            self._model = WhisperModel(
                str(folder),
                device=kind,
                device_index=int(index or 0),
                compute_type="int8" if kind == "cpu" else "int8_float16",
                cpu_threads=settings.threads(),
                local_files_only=True,
            )
        except (RuntimeError, OSError, ValueError) as error:
            raise EngineFailed(
                f"Whisper cannot be loaded ({error}): run `python -m linly weights pull whisper-base` again."
            ) from error
        self._batched: Any = BatchedInferencePipeline(model=self._model)

    def hear(self, audio: Audio, language: str = "auto") -> Transcript:
        """Words with times in seconds; sound of any length and rate, in windows, so memory stays flat.

        `language`: ISO 639-1 or "auto" (found once, from the first window with speech). Sound without speech gives
        empty text; its language is then `language`, or "" for "auto".
        """
        spoken = "" if language == "auto" else language
        words: list[Span] = []
        texts: list[str] = []
        if is_silent(audio):
            return Transcript("", spoken)
        for start, window in _windows(resample(audio, RATE).samples):
            if is_silent(Audio(window, RATE)):
                continue
            spoken = spoken or self._detect(window)
            if not spoken:
                continue
            for segment in self._segments(window, spoken):
                texts.append(_written(segment.text, spoken))
                words += [_word(w, window, start, spoken) for w in segment.words or () if w.word.strip()]
        return Transcript(_join(texts, spoken), spoken if texts or language != "auto" else "", _sorted(words))

    def quick(self, audio: Audio, language: str = "auto", rough: bool = False) -> Transcript:
        """A turn of a conversation, at most 30 s of it and without word times, in a third of the time of `hear`.

        The encoder sees some seconds of silence after the turn, not 30 s in all, and finds the language on the way.
        `rough`: greedy, for text that is shown while somebody still speaks. Sound without speech gives empty text.
        """
        if is_silent(audio):
            return Transcript("", "" if language == "auto" else language)
        samples = resample(audio, RATE).samples[: 30 * RATE]
        for seconds in (max(QUICK, len(samples) / RATE + MORE), 30.0):
            segment, spoken = self._decode(samples, seconds, language, 1 if rough else 5)
            if rough or segment.compression_ratio <= REPEATS:
                break
        told = "" if _invented(segment, spoken) else _written(segment.text, spoken)
        return Transcript(told, spoken if told or language != "auto" else "")

    def _decode(self, samples: Floats, seconds: float, language: str, beam: int) -> tuple[Any, str]:
        """What is said, as one of faster-whisper's segments, and the language, from features of so many seconds."""
        from faster_whisper.audio import pad_or_trim
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_compression_ratio

        model = self._model
        features = model.feature_extractor(samples)
        encoded = model.encode(pad_or_trim(features, min(3000, round(seconds * 100))))
        if language == "auto":
            found = {token[2:-2]: float(sure) for token, sure in model.model.detect_language(encoded)[0]}
            best = max(found, key=lambda code: found[code])
            language = best if found[best] >= SURE else max(LIKELY, key=lambda code: found.get(code, 0.0))
        tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language)
        known = tokenizer.encode(" " + PROMPTS[language]) if language in PROMPTS else []
        prompt = model.get_prompt(tokenizer, known, without_timestamps=True)
        most = len(prompt) + 20 + round(len(samples) / RATE * TOKENS)
        result = model.model.generate(
            encoded, [prompt], beam_size=beam, max_length=min(most, model.max_length),
            return_scores=True, return_no_speech_prob=True,
        )[0]  # fmt: skip
        tokens = result.sequences_ids[0]
        text = tokenizer.decode(tokens).strip()
        likely = result.scores[0] * len(tokens) / (len(tokens) + 1)
        return SimpleNamespace(
            text=text, no_speech_prob=result.no_speech_prob, avg_logprob=likely,
            compression_ratio=get_compression_ratio(text),
        ), language  # fmt: skip

    def _detect(self, window: Floats) -> str:
        """ISO 639-1 code of the language, "" if nobody speaks."""
        if not _speech(window):
            return ""
        language, sure, all_of_them = self._model.detect_language(window, vad_filter=True)
        if sure >= SURE:
            return str(language)
        probable = dict(all_of_them)
        return max(LIKELY, key=lambda code: float(probable.get(code, 0.0)))

    def _segments(self, window: Floats, language: str) -> Iterator[Any]:
        """What is said in one window, without what the model tends to invent where nobody speaks."""
        options: dict[str, Any] = {
            "language": language,
            "initial_prompt": PROMPTS.get(language),
            "beam_size": 5,
            "condition_on_previous_text": False,
            "word_timestamps": True,
            "vad_filter": True,
        }
        # The pieces that the voice detector leaves are decoded side by side, each once: some three times as quick as
        # the sequential way, which looks again at every short rest.
        pieces, _ = self._batched.transcribe(window, batch_size=4, without_timestamps=True, **options)
        for segment in pieces:
            if segment.compression_ratio <= REPEATS:
                yield from _believed([segment], language)
                continue
            import ctranslate2

            ctranslate2.set_random_seed(0)  # what follows draws at random; the same sound must give the same text
            first, last = segment.start, min(segment.end, len(window) / RATE)
            again, _ = self._model.transcribe(
                window, temperature=(0.2, 0.4, 0.6), best_of=1, clip_timestamps=[first, last],
                **{**options, "vad_filter": False},
            )  # fmt: skip
            yield from _believed(again, language)


def _believed(segments: Iterable[Any], language: str) -> Iterator[Any]:
    """The segments without those that were invented or said the same once more."""
    last = ""
    for segment in segments:
        text = segment.text.strip()
        if text and text != last and not _invented(segment, language):
            yield segment
        last = text


def _speech(window: Floats) -> bool:
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    return bool(get_speech_timestamps(window, VadOptions(min_silence_duration_ms=500)))


def _invented(segment: Any, language: str) -> bool:
    """True for text that is not speech: improbable, endlessly repeated, or the prompt read back."""
    if segment.no_speech_prob > 0.6 and segment.avg_logprob < -0.8:
        return True
    if segment.avg_logprob < -1.6 or segment.compression_ratio > REPEATS:
        return True
    letters = re.sub(r"\W", "", segment.text)
    prompt = re.sub(r"\W", "", PROMPTS.get(language, ""))
    if len(letters) > 4 and letters in prompt:
        return True
    common = Counter(letters[i : i + 4] for i in range(len(letters) - 3)).most_common(1)
    return bool(common) and common[0][1] > max(6, len(letters) / 8)


def _windows(samples: Floats) -> Iterator[tuple[float, Floats]]:
    """(second, samples) pieces of at most WINDOW seconds, cut where the sound is quietest."""
    at = 0
    while at < len(samples):
        end = min(len(samples), at + int(WINDOW * RATE))
        if end < len(samples):
            block = RATE // 5
            search = samples[end - int(SEARCH * RATE) : end]
            power = np.square(search[: len(search) // block * block]).reshape(-1, block).mean(axis=1)
            end += (int(power.argmin()) * block + block // 2) - len(search)
        yield at / RATE, samples[at:end]
        at = end


def _written(text: str, language: str) -> str:
    """The model's text as it is written: in Mandarin, simplified characters and full-width marks after them."""
    text = text.strip()
    if language != "zh":
        return text
    from wetext.utils import preprocess

    simplified = preprocess(text, traditional_to_simple=True)
    return re.sub(r"(?<=[\u4e00-\u9fff])([,?!:;]) ?", lambda m: _WIDE[m[1]], simplified)


def _word(word: Any, window: Floats, start: float, language: str) -> Span:
    """A word's span in the whole sound, its start moved past silence: the model lets first words begin too early."""
    first, last = max(0.0, float(word.start)), max(0.0, float(word.end))
    block = RATE // 100
    inside = window[int(first * RATE) : int(last * RATE)]
    level = np.abs(inside[: len(inside) // block * block]).reshape(-1, block).max(axis=1, initial=0)
    if len(level) > 10:
        heard = np.flatnonzero(level > 0.06 * level.max())
        first += min(int(heard[0]), len(level) - 8) * 0.01 if len(heard) else 0.0
    return Span(_written(word.word, language), start + first, start + max(first, last))


def _join(texts: list[str], language: str) -> str:
    """Segments as one text: no blank between Chinese or Japanese characters."""
    glue = "" if language in ("zh", "ja", "yue") else " "
    return glue.join(t.strip() for t in texts)


def _sorted(words: list[Span]) -> tuple[Span, ...]:
    """The words without overlaps."""
    out: list[Span] = []
    for word in words:
        start = max(word.start, out[-1].end if out else 0.0)
        out.append(Span(word.text, start, max(start, word.end)))
    return tuple(out)
