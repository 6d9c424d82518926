"""A recording takes over exact times from a reference; a long one is cut into sentences without losing a sample."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from linly.align import align, anchors, split_transcript
from linly.align_features import pitch
from linly.audio import load
from linly.clock import Clock
from linly.recording import join, timed
from linly.values import Audio, Span, Style, Transcript, Utterance

RATE = 16000
FORMANTS = {
    "ɑ": (730, 1090),
    "i": (270, 2290),
    "u": (300, 870),
    "ɛ": (530, 1840),
    "o": (570, 840),
    "s": (),
    "m": (250, 1000),
}


def spoken(symbols: str, each: list[float], pitch: float = 120.0, lead: float = 0.2, noise: float = 0.001) -> Utterance:
    """A buzz through the formants of each symbol; "_" is silence."""
    rng = np.random.default_rng(1)
    pieces, spans, at = [np.zeros(int(lead * RATE))], [], lead
    for symbol, length in zip(symbols.split(), each, strict=True):
        t = np.arange(round(length * RATE)) / RATE
        if symbol == "_":
            pieces.append(np.zeros(len(t)))
        else:
            if symbol == "s":
                wave = np.diff(rng.normal(0, 0.05, len(t) + 1))
            else:
                k = np.arange(1, int(7000 / pitch))
                gain = sum(1 / (1 + ((k * pitch - f) / 90) ** 2) for f in FORMANTS[symbol]) + 0.003
                gain = gain * (0.4 if symbol == "m" else 1.0)
                wave = 0.1 * (gain[:, None] * np.sin(2 * np.pi * pitch * k[:, None] * t)).sum(0)
            pieces.append(wave)
            spans.append(Span(symbol, at, at + len(t) / RATE))
        at += len(t) / RATE
    sound = np.concatenate([*pieces, np.zeros(int(lead * RATE))])
    sound = np.clip(sound + rng.normal(0, noise, len(sound)), -1, 1).astype(np.float32)
    return Utterance("said", Audio(sound, RATE), "en", tuple(spans[:1]), tuple(spans), "exact")


SAID = "m ɑ s i m u _ s ɛ m o s ɑ i u _ m i s ɑ"


def test_times_move_to_where_the_recording_says_it() -> None:
    rng = np.random.default_rng(3)
    count = len(SAID.split())
    reference = spoken(SAID, [0.12] * count)
    recording = spoken(SAID, list(rng.uniform(0.07, 0.24, count)), pitch=170, lead=0.7, noise=0.004)
    aligned = align(recording.audio, reference)
    assert aligned.timing == "aligned" and aligned.audio is recording.audio and len(aligned.phonemes) == count - 2
    pairs = list(zip(aligned.phonemes, recording.phonemes, strict=True))
    error = np.array([abs(a.start - b.start) for a, b in pairs] + [abs(a.end - b.end) for a, b in pairs])
    plain = np.array([abs(r.start - b.start) for r, b in zip(reference.phonemes, recording.phonemes, strict=True)])
    assert error.mean() < 0.025 < plain.mean() and error.max() < 0.12


def test_a_pause_that_the_reference_lacks_belongs_to_no_phoneme() -> None:
    reference = spoken("m ɑ s i m u", [0.15] * 6)
    recording = spoken("m ɑ s _ i m u", [0.15, 0.15, 0.15, 0.8, 0.15, 0.15, 0.15])
    aligned = align(recording.audio, reference).phonemes
    pause = (recording.phonemes[2].end, recording.phonemes[3].start)
    covered = sum(max(0.0, min(p.end, pause[1]) - max(p.start, pause[0])) for p in aligned)
    assert covered < 0.12


def errors(aligned: Utterance, true: Utterance) -> np.ndarray:
    """(n, 2) seconds between the starts and the ends."""
    pairs = zip(aligned.phonemes, true.phonemes, strict=True)
    return np.array([(abs(a.start - b.start), abs(a.end - b.end)) for a, b in pairs])


@pytest.mark.parametrize("rest", [0.8, 3.0])
def test_a_long_rest_within_a_sentence_does_not_draw_the_sounds_after_it_along(rest: float) -> None:
    reference = spoken(SAID.replace("_ ", ""), [0.12] * 18)
    recording = spoken("m ɑ s i m _ u s ɛ m o s ɑ i u m i s ɑ", [0.14] * 5 + [rest] + [0.14] * 13, pitch=170)
    found = errors(align(recording.audio, reference), recording)
    assert np.percentile(found, 90) < 0.08 and np.median(found) < 0.03


def test_noise_at_15_db_keeps_the_times() -> None:
    reference = spoken(SAID, [0.12] * 20)
    recording = spoken(SAID, [0.15] * 20, pitch=150)
    sound = recording.audio.samples
    noise = np.random.default_rng(5).normal(0, np.sqrt(np.mean(sound**2)) * 10 ** (-15 / 20), len(sound))
    noisy = Audio(np.clip(sound + noise, -1, 1).astype(np.float32), RATE)
    found = errors(align(noisy, reference), recording)
    assert np.median(found) < 0.03 and np.percentile(found, 90) < 0.08


def test_words_that_the_recogniser_heard_become_anchors_and_others_do_not() -> None:
    said = [Span("Movable", 0.1, 0.5), Span("metal", 0.5, 0.9), Span("letters.", 0.9, 1.3)]
    heard = [Span(" movable", 2.1, 2.5), Span(" metal,", 2.6, 2.9), Span(" lettuce", 3.0, 3.4)]
    assert anchors(said, heard) == [(0.1, 2.1), (0.5, 2.6), (0.9, 3.0)]
    assert anchors(said, [Span("nothing", 0.0, 1.0)]) == [] == anchors(said, ())
    chinese = [Span("今天", 0.0, 0.4), Span("我们", 0.4, 0.8)], [Span("今", 1.0, 1.2), Span("天我们", 1.2, 2.0)]
    assert anchors(*chinese) == [(0.0, 1.0)]


@pytest.mark.parametrize("hertz", [95.0, 125.0, 210.0, 300.0])
def test_pitch_is_heard(hertz: float) -> None:
    heard = pitch(spoken(SAID, [0.15] * 20, pitch=hertz).audio)
    assert abs(heard / hertz - 1) < 0.05
    assert pitch(Audio(np.zeros(RATE, np.float32), RATE)) == 0.0


def test_memory_grows_with_the_length_not_with_its_square() -> None:
    peaks = []
    for times in (6, 12):
        reference, recording = (spoken(" ".join([SAID] * times), [each] * 20 * times) for each in (0.12, 0.15))
        tracemalloc.start()
        align(recording.audio, reference)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2.6 * peaks[0] and peaks[1] < 60e6


def test_nothing_to_align_gives_no_times() -> None:
    reference = spoken("m ɑ", [0.2, 0.2])
    silent = Audio(np.zeros(RATE, np.float32), RATE)
    assert align(silent, reference).timing == "none" and not align(silent, reference).phonemes
    bare = Utterance("", reference.audio)
    assert align(reference.audio, bare).timing == "none"


@pytest.mark.parametrize("scale", [0.3, 3.5])
def test_very_fast_and_very_slow_recordings_still_give_ordered_times(scale: float) -> None:
    reference = spoken(SAID, [0.12] * 20)
    recording = spoken(SAID, [0.12 * scale] * 20)
    aligned = align(recording.audio, reference)
    starts = [p.start for p in aligned.phonemes]
    assert starts == sorted(starts) and aligned.phonemes[-1].end <= recording.audio.seconds


def tiled(pieces: list[tuple[str, float, float]], seconds: float) -> bool:
    joints = all(a[2] == b[1] for a, b in itertools.pairwise(pieces))
    return pieces[0][1] == 0 and pieces[-1][2] == seconds and joints and all(p[2] > p[1] for p in pieces)


def words(text: str, each: float = 0.3, gap: float = 0.02, start: float = 0.3, rest: float = 0.4) -> list[Span]:
    out, at = [], start
    for word in text.split():
        out.append(Span(word, at, at + each))
        at += each + (rest if word[-1] in ".?!" else gap)
    return out


def sounding(spans: list[Span], seconds: float) -> Audio:
    sound = np.zeros(round(seconds * RATE), np.float32)
    for s in spans:
        sound[int(s.start * RATE) : int(s.end * RATE)] = 0.2
    return Audio(sound, RATE)


def test_sentences_tile_the_sound_and_are_cut_in_silence() -> None:
    text = "It was good. Was it not? Yes, I think so."
    spans = words(text)
    sound = sounding(spans, spans[-1].end + 0.8)
    pieces = split_transcript(Transcript(text, "en", tuple(spans)), sound)
    assert [p[0] for p in pieces] == ["It was good.", "Was it not?", "Yes, I think so."]
    assert tiled(pieces, sound.seconds)
    for _, _, cut in pieces[:-1]:
        assert sound.samples[int(cut * RATE)] == 0


def test_long_sentences_are_cut_and_no_word_is_lost() -> None:
    text = " ".join(f"word{i}{',' if i % 9 == 8 else ''}" for i in range(140)) + "."
    spans = words(text)
    sound = sounding(spans, spans[-1].end + 0.2)
    pieces = split_transcript(Transcript(text, "en", tuple(spans)), sound)
    assert tiled(pieces, sound.seconds) and max(e - s for _, s, e in pieces) < 13
    assert " ".join(p[0] for p in pieces) == text


def test_chinese_text_gets_no_blanks() -> None:
    text = "大家好。今天我们学习。"
    parts = ["大家", "好。", "今天", "我们", "学习。"]
    spans = [Span(w, 0.3 * i, 0.3 * i + 0.28) for i, w in enumerate(parts)]
    pieces = split_transcript(Transcript(text, "zh", tuple(spans)), sounding(spans, 2.0))
    assert [p[0] for p in pieces] == ["大家好。", "今天我们学习。"]


def test_music_before_and_after_speech_stays_in_the_video() -> None:
    spans = words("Hello there.", start=15.0)
    sound = Audio(np.random.default_rng(0).normal(0, 0.05, RATE * 40).astype(np.float32), RATE)
    pieces = split_transcript(Transcript("Hello there.", "en", tuple(spans)), sound)
    assert tiled(pieces, 40.0) and "Hello there." in [p[0] for p in pieces]
    said = next(p for p in pieces if p[0])
    assert 14 < said[1] < 15 and said[2] < 17


@pytest.mark.parametrize("seconds", [0.01, 3.0, 31.0])
def test_sound_without_words_is_one_silent_text_or_several(seconds: float) -> None:
    sound = Audio(np.zeros(round(seconds * RATE), np.float32), RATE)
    pieces = split_transcript(Transcript("", "en"), sound)
    assert tiled(pieces, sound.seconds) and all(p[0] == "" for p in pieces) and max(e - s for _, s, e in pieces) <= 12


TEXTS = {
    "en": (
        "The quick brown fox jumps over the lazy dog.",
        "Please call me back before five o'clock, or send a short message.",
        "She sells fresh bread, cheese and apples at the corner shop.",
        "I never thought that this would happen so early in the morning.",
        "We measured the temperature twice; both times it was too high.",
        "Could you tell me where the nearest railway station is?",
        "Good ideas often come when nobody is looking for them.",
        "My brother bought a big blue boat, but he cannot swim.",
        "The judge paused for a while, then read the letter aloud.",
        "Every child in the village knows the story of the old bridge.",
        "It takes patience, practice and a bit of luck.",
        "Thank you very much for watching, and see you next week!",
    ),
    "zh": (
        "今天天气很好，我们一起去公园散步吧。",
        "请把这份文件发给我，谢谢你的帮助。",
        "他昨天晚上工作到很晚，所以今天起得比较迟。",
        "这家餐厅的牛肉面非常好吃，价格也不贵。",
        "火车站离这里大概有三公里，走路要半个小时。",
        "科学家发现了一种新的材料，它又轻又结实。",
        "妈妈给我买了一双红色的鞋子，我特别喜欢。",
        "你能不能告诉我，图书馆几点钟关门？",
        "春天来了，山上的桃花都开了。",
        "学习一门语言需要耐心，也需要每天练习。",
        "老师让我们把课文读三遍，然后回答问题。",
        "这座古老的城市，有着悠久的历史和文化。",
    ),
}
VOICES = {
    "en": ("af_heart", "am_michael", "af_bella", "am_fenrir"),
    "zh": ("zf_xiaoxiao", "zm_yunjian", "zf_xiaoyi", "zm_yunxi"),
}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_known_times_of_another_voice_and_pace_are_found(models, language) -> None:
    from linly import registry

    kokoro = registry.open_engine("speak", "kokoro")
    by_id = {v.id: v for v in kokoro.voices()}
    voices, rates, clean, noisy = VOICES[language], (1.0, 0.8, 1.25), [], []
    rng = np.random.default_rng(0)
    for n, text in enumerate(TEXTS[language]):
        # Another voice, of the other sex in every second case, at another pace.
        pairs = ((voices[n % 4], rates[n % 3]), (voices[(n + 1 + n // 4 % 2) % 4], rates[(n + 1) % 3]))
        recording, reference = (
            join(list(kokoro.speak(text, by_id[voice], Style(language=language, rate=rate))), text)
            for voice, rate in pairs
        )
        clean.append(errors(align(recording.audio, reference), recording))
        sound = recording.audio.samples
        hiss = rng.normal(0, np.sqrt(np.mean(sound**2)) * 10 ** (-15 / 20), len(sound))
        noisy.append(
            errors(align(Audio((sound + hiss).astype(np.float32), recording.audio.rate), reference), recording)
        )
    for found in (np.concatenate(clean), np.concatenate(noisy)):
        assert np.median(found) <= 0.040 and np.mean(found <= 0.080) >= 0.90, (np.median(found), np.mean(found <= 0.08))


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_speech_without_times_gets_them_while_it_is_spoken(models, language) -> None:
    """A man's quick speech with its times taken away; those that have theirs keep them."""
    from linly import registry

    kokoro = registry.open_engine("speak", "kokoro")
    man = next(v for v in kokoro.voices() if v.id == VOICES[language][1])
    style = Style(language=language, rate=1.2)
    said = [u for text in TEXTS[language][:5] for u in kokoro.speak(text, man, style)]
    bare = [Utterance(u.text, u.audio, u.language, last=u.last) for u in said[1:]]
    clock = Clock()
    first, *others = timed([said[0], *bare], style, kokoro, clock)
    assert first is said[0] and clock.so_far()["align"] > 0
    assert [u.timing for u in others] == ["aligned"] * len(bare) and [u.last for u in others] == [b.last for b in bare]
    assert all(u.audio is b.audio for u, b in zip(others, bare, strict=True))
    found = np.concatenate([errors(one, true) for one, true in zip(others, said[1:], strict=True)])
    assert np.median(found) <= 0.040 and np.mean(found <= 0.080) >= 0.90, (np.median(found), np.mean(found <= 0.08))


@pytest.mark.slow
def test_a_real_recording_agrees_with_the_recogniser(models, speech) -> None:
    from linly import registry

    recording = load(speech / "en_ljspeech_LJ001_0005.wav", max_seconds=60)
    kokoro = registry.open_engine("speak", "kokoro")
    voice = next(v for v in kokoro.voices() if v.id == "af_heart")
    text = (
        "the invention of movable metal letters in the middle of the fifteenth century"
        " may justly be considered as the invention of the art of printing."
    )
    aligned = align(recording, next(iter(kokoro.speak(text, voice, Style(language="en")))))
    heard = registry.open_engine("hear", "whisper").hear(recording, "en").words
    where = {w.text.strip(" .,").lower(): w for w in aligned.words}
    both = [(where[h.text.strip(" .,")], h) for h in heard if h.text.strip(" .,") in where]
    both = [(a, h) for a, h in both if sum(w.text == h.text for w in heard) == 1]
    assert len(both) >= 8
    # Whisper ends words a tenth of a second early throughout; beside that constant the two must agree.
    late = np.array([a.end - h.end for a, h in both])
    assert abs(np.median(late)) < 0.16 and np.median(np.abs(late - np.median(late))) < 0.06
    assert max(abs(a.start - h.start) for a, h in both) < 0.6
