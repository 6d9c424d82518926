"""What a viewer would notice of the motion: closures, rounding, rest, joints, blinks, liveliness."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from linly.errors import InputError
from linly.move import idle
from linly.move.loudness import Loudness
from linly.move.phonemes import Phonemes
from linly.move.visemes import visemes
from linly.values import CURVES, Audio, FaceMotion, Span, Style, Utterance, frame_count

RATE = 24000
STEP = 0.355
"""fastest change of `open` from one frame to the next at 25 fps and expression 1"""


def concat(motions: Sequence[FaceMotion]) -> FaceMotion:
    """One motion after the other."""
    curves, head = (np.concatenate([getattr(m, part) for m in motions]) for part in ("curves", "head"))
    return FaceMotion(motions[0].fps, curves, head, motions[0].names)


def say(phonemes: str, each: float = 0.09, lead: float = 0.1, text: str = "", start: float = 0.0) -> Utterance:
    """An utterance from blank-separated phonemes; "_N" is a pause of N seconds. Even noise stands for speech."""
    spans, at = [], lead
    for symbol in phonemes.split():
        if symbol.startswith("_"):
            at += float(symbol[1:])
            continue
        spans.append(Span(symbol, at, at + each))
        at += each
    sound = np.zeros(round((at + lead) * RATE), np.float32)
    rng = np.random.default_rng(0)
    for span in spans:
        a, b = int(span.start * RATE), int(span.end * RATE)
        sound[a:b] = rng.normal(0, 0.1, b - a)
    return Utterance(text, Audio(np.clip(sound, -1, 1), RATE), "en", (), tuple(spans), "exact", start)


def move(utterance: Utterance, **style: object) -> FaceMotion:
    return Phonemes({}).move(utterance, Style(**style))  # type: ignore[arg-type]


def within(motion: FaceMotion, name: str, start: float, end: float) -> np.ndarray:
    """The curve on the frames that show any of the stretch."""
    first, last = int(start * motion.fps), int(np.ceil(end * motion.fps))
    return motion.curve(name)[first : max(last, first + 1)]


TALK = "h ə l oʊ b ɑ b m aɪ m ʌ m p ʊ t ð ə b l u b ʊ k ə b ʌ v f a f _0.5 w iː s eɪ t u n aɪ s b ɔɪ z"


@pytest.mark.parametrize("fps", [24, 25, 30, 60])
@pytest.mark.parametrize("each", [0.03, 0.05, 0.09, 0.16])
def test_lips_meet_on_every_bilabial_and_touch_teeth_on_every_labiodental(fps: int, each: float) -> None:
    utterance = say(TALK, each)
    motion = move(utterance, fps=fps)
    assert len(motion) == frame_count(utterance.audio.seconds, fps)
    for p in utterance.phonemes:
        open_, press = (within(motion, n, p.start, p.end) for n in ("open", "press"))
        if p.text in ("p", "b", "m"):
            assert ((open_ <= 0.02) & (press > 0.5)).any(), p
        if p.text in ("f", "v"):
            assert ((within(motion, "tuck", p.start, p.end) > 0.7) & (open_ < 0.2)).any(), p


@pytest.mark.parametrize("expression", [0.0, 0.5, 1.0, 2.0])
def test_closures_stay_closures_at_any_expression(expression: float) -> None:
    utterance = say(TALK)
    motion = move(utterance, expression=expression)
    for p in utterance.phonemes:
        if p.text in ("p", "b", "m"):
            shut = within(motion, "open", p.start, p.end) <= 0.02
            assert (shut & (within(motion, "press", p.start, p.end) > 0.5)).any(), p


def test_rounding_begins_before_the_vowel_and_neighbours_take_their_part() -> None:
    utterance = say("ɑ s t uː s t ɑ")
    motion = move(utterance, fps=60)
    vowel = next(p for p in utterance.phonemes if p.text == "uː")
    plain = move(say("ɑ s t iː s t ɑ"), fps=60)
    before = int((vowel.start - 0.06) * 60)
    assert motion.curve("round")[before] > 0.2 > plain.curve("round")[before] + 0.1
    assert within(motion, "round", vowel.start, vowel.end).max() > 0.7


@pytest.mark.parametrize("consonant", ["t", "d", "n", "s", "l"])
def test_a_quick_consonant_between_open_vowels_is_seen(consonant: str) -> None:
    utterance = say(f"b ɑ {consonant} ɑ b", 0.1)
    spans = list(utterance.phonemes)
    spans[2] = Span(consonant, spans[2].start + 0.03, spans[2].end - 0.03)
    motion = move(Utterance("", utterance.audio, "en", (), tuple(spans), "exact"))
    peak = min(within(motion, "open", p.start, p.end).max() for p in (spans[1], spans[3]))
    assert within(motion, "open", spans[2].start, spans[2].end).min() < 0.7 * peak


def test_the_mouth_rests_in_pauses_and_at_both_ends() -> None:
    utterance = say("h ɑ l ɑ _0.4 s ɑ s ɑ _1.6 m ɑ", lead=0.3)
    motion = move(utterance)
    opening, talk = motion.curve("open"), motion.curve("talk")
    assert opening[0] == 0 and opening[-1] == 0
    for first, second in zip(utterance.phonemes, utterance.phonemes[1:], strict=False):
        if second.start - first.end > 0.3:
            assert (within(motion, "open", first.end + 0.12, second.start - 0.12) == 0).all()
    assert talk.min() == 1, "a photo's open mouth would show in the pause"
    assert within(motion, "open", 0.3, 0.6).max() > 0.4


def test_sound_that_dies_away_within_its_phoneme_rests_too() -> None:
    utterance = say("h ɑ ɑ ɑ", 0.2)
    sound = utterance.audio.samples.copy()
    sound[int(0.45 * RATE) :] = 0
    quiet = Utterance("", Audio(sound, RATE), "en", (), utterance.phonemes, "exact")
    assert (within(move(quiet), "open", 0.58, 0.9) == 0).all()


def test_sentences_join_without_a_jump() -> None:
    first = say(TALK, text="Hello, Bob!")
    second = say("ɑ m aʊ θ ɹ aʊ n d", text="A mouth?", start=frame_count(first.audio.seconds, 25) / 25)
    whole = concat([move(first, emotion="auto"), move(second, emotion="auto")])
    steps = np.abs(np.diff(whole.curves, axis=0))[len(move(first)) - 1]
    limits = {"blink": 0.55, "gaze_x": 0.2, "gaze_y": 0.2, "jaw": 0.25, "round": 0.25, "spread": 0.25}
    for name, step in zip(CURVES, steps, strict=True):
        assert step <= (STEP if name == "open" else limits.get(name, 0.05)), name
    turns = np.abs(np.diff(whole.head, axis=0)).max(axis=1)
    assert turns[len(move(first)) - 1] < 0.2 and turns.max() < 0.9


def test_idle_is_a_function_of_the_time_in_the_talk_not_of_the_sentence() -> None:
    long, short = move(say("h ɑ _6 h ɑ", start=3.0)), move(say("h ɑ _2 h ɑ", start=3.0))
    for name in ("blink", "gaze_x", "gaze_y"):
        np.testing.assert_allclose(long.curve(name)[: len(short)], short.curve(name), atol=1e-6)


def test_the_same_seed_gives_the_same_motion_and_another_seed_another() -> None:
    one, two, other = (move(say(TALK), seed=s) for s in (5, 5, 6))
    assert (one.curves == two.curves).all() and (one.head == two.head).all()
    assert np.abs(one.head - other.head).max() > 0.5


def test_expression_and_head_scale_the_motion() -> None:
    sizes = [float(move(say(TALK), expression=e).curve("open").mean()) for e in (0, 0.5, 1, 1.5, 2)]
    assert all(a < b for a, b in itertools.pairwise(sizes)) and sizes[0] < 0.25 * sizes[2]
    swings = [float(np.ptp(move(say("h ɑ _9 h ɑ"), head=h).head)) for h in (0, 0.5, 1, 2)]
    assert swings[0] == 0 and all(a < b for a, b in itertools.pairwise(swings)) and swings[3] <= 12


def test_lips_brows_and_gaze_grow_with_every_step_of_expression_and_the_head_with_its_own() -> None:
    utterance = say("h ɑ l oʊ w iː b u m _8 s iː w u m ɑ", text="Really?", start=3.0)
    steps = (0, 0.5, 1, 1.5, 2)
    for emotion in ("neutral", "surprised", "happy", "sad"):
        moved = [move(utterance, expression=e, emotion=emotion) for e in steps]
        for name in ("open", "jaw", "round", "spread", "brow", "gaze_x", "gaze_y", "smile"):
            sizes = [float(np.abs(m.curve(name)).mean()) for m in moved]
            if emotion != "neutral" or name != "smile":
                assert all(a < b for a, b in itertools.pairwise(sizes)), (emotion, name, sizes)
    still = move(utterance, head=0, emotion="sad")
    assert np.abs(still.head).max() == 0 and np.abs(still.curve("breath")).max() == 0
    turned = [float(np.abs(move(utterance, head=h).head).max()) for h in steps]
    assert all(a < b for a, b in itertools.pairwise(turned)) and turned[-1] <= 6


def test_a_talk_begins_and_ends_at_the_photo_s_pose() -> None:
    from dataclasses import replace

    for emotion in ("auto", "happy", "sad"):
        first = move(say(TALK, text="I am very happy!"), emotion=emotion)
        last = move(replace(say(TALK, text="I am very happy!", start=7.0), last=True), emotion=emotion)
        for motion, frame in ((first, 0), (last, -1)):
            assert np.abs(motion.head[frame]).max() == 0
            for name in ("smile", "brow", "blink", "gaze_x", "gaze_y", "breath", "open"):
                assert motion.curve(name)[frame] == 0, name
        for motion in (first, last):
            assert np.abs(np.diff(motion.head, axis=0)).max() < 0.9
            assert np.abs(np.diff(motion.curve("smile"))).max() < 0.1
        assert np.abs(first.head[30:]).max() > 0.5 < np.abs(last.head[:-30]).max()


def test_no_blink_is_cut_by_the_end_of_a_talk() -> None:
    from dataclasses import replace

    moment = idle.blink_times(30, 0)[3]
    for end in np.arange(moment - 0.2, moment + 0.4, 0.04):
        utterance = replace(say("h ɑ _3 h ɑ", start=end - 3.56), last=True)
        lids = move(utterance, emotion="neutral").curve("blink")
        assert lids[-1] == 0 and np.abs(np.diff(lids)).max() <= 0.6


@pytest.mark.parametrize("fps", [24, 25, 30])
@pytest.mark.parametrize("seconds", [3.0, 6.0, 11.3])
def test_an_idle_loop_has_no_joint(fps: int, seconds: float) -> None:
    for seed in range(4):
        motion = idle.loop(seconds, Style(fps=fps, seed=seed))
        assert len(motion) == frame_count(seconds, fps)
        around = np.concatenate([motion.head, motion.head[:2]])
        turns = np.abs(np.diff(around, 2, axis=0)).max(axis=1)
        assert turns[-2:].max() <= turns[:-2].max() + 1e-6 and np.abs(motion.head[0]).max() < 1e-6
        for name in ("brow", "breath", "blink", "gaze_x"):
            curve = np.append(motion.curve(name), motion.curve(name)[0])
            assert curve[0] == 0 and abs(curve[-1] - curve[-2]) <= np.abs(np.diff(curve[:-1])).max() + 1e-6
        assert motion.curve("talk").max() == 0 and motion.curve("open").max() == 0
        assert np.ptp(motion.head) > 1 and (seconds < 6 or motion.curve("blink").max() > 0.8)
    assert np.abs(idle.loop(6, Style(head=0)).head).max() == 0


def test_emotions_show() -> None:
    smile = {e: float(move(say(TALK), emotion=e).curve("smile").mean()) for e in ("happy", "neutral", "sad")}
    assert smile["happy"] > smile["neutral"] + 0.2 > smile["sad"] + 0.4
    assert (
        move(say(TALK), emotion="surprised").curve("brow").mean()
        > 0.3
        > -0.1
        > move(say(TALK), emotion="serious").curve("brow").mean()
    )


def test_blinks_come_as_often_as_in_people_and_shut_the_eyes() -> None:
    for seed in range(5):
        lids = idle.blink((np.arange(25 * 300) + 0.5) / 25, seed)
        peaks = [(a, b) for a, b in _runs(lids > 0.05)]
        assert 8 * 5 <= len(peaks) <= 25 * 5
        assert all(lids[a:b].max() >= 0.9 for a, b in peaks)
        gaps = np.diff(idle.blink_times(300, seed))
        assert gaps.min() >= 2 and gaps.max() <= 6


def test_the_head_is_alive_and_does_not_twitch() -> None:
    head = idle.sway((np.arange(25 * 120) + 0.5) / 25, 0)
    assert 1.5 < np.ptp(head[:, 0]) / 2 < 6 and np.abs(np.diff(head, axis=0)).max() < 0.25


@pytest.mark.parametrize(
    ("symbol", "check"),
    [
        ("ˈɑː", lambda v: v[0].open == 1),
        ("t͡ʃ", lambda v: len(v) == 1 and v[0].round > 0.3),
        ("pʰ", lambda v: v[0].contact == "lips"),
        ("aɪ", lambda v: len(v) == 2),
        ("ɹ̩", lambda v: v[0].vowel),
        ("ɑ̃", lambda v: v[0].open == 1),
        ("a↘", lambda v: len(v) == 1),
        ("kʷ", lambda v: v[0].round >= 0.7),
        ("ʈʂʰ", lambda v: len(v) == 1),
        ("ж", lambda v: len(v) == 1),
        (",", lambda v: v == ()),
        ("", lambda v: v == ()),
    ],
)
def test_any_ipa_symbol_has_a_viseme(symbol: str, check) -> None:  # type: ignore[no-untyped-def]
    assert check(visemes(symbol))


def test_text_without_phoneme_times_is_refused_with_advice() -> None:
    with pytest.raises(InputError, match="loudness"):
        move(Utterance("hello", Audio(np.zeros(RATE, np.float32), RATE)))


def test_a_tenth_of_a_second_of_nothing_is_still_a_motion() -> None:
    empty = Utterance("", Audio(np.zeros(100, np.float32), RATE))
    for engine in (Phonemes({}), Loudness({})):
        assert len(engine.move(empty, Style())) == 1


def syllables(seconds: float, rate: float = 4.0, lead: float = 0.0) -> Utterance:
    """A voice-like buzz that swells `rate` times a second, after `lead` seconds of silence, with silence at the end."""
    t = np.arange(round(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * 150 * k * t) / k for k in range(1, 25))
    wave = 0.08 * buzz * np.clip(np.sin(np.pi * rate * t), 0, 1) ** 2 * (t < seconds - 0.6)
    return Utterance("", Audio(np.concatenate([np.zeros(round(lead * RATE)), wave]).astype(np.float32), RATE))


def test_loudness_follows_the_sound_and_is_shut_in_silence() -> None:
    motion = Loudness({}).move(syllables(5.0, lead=1.0), Style())
    opening = motion.curve("open")
    assert (opening[:22] == 0).all() and (opening[-11:] == 0).all() and opening.max() > 0.5
    t = (np.arange(len(motion)) + 0.5) / 25
    wanted = np.where((t > 1) & (t < 5.4), np.clip(np.sin(np.pi * 4 * (t - 1)), 0, 1) ** 2, 0)
    lags = range(-4, 5)
    r = [np.corrcoef(np.roll(wanted, k), opening)[0, 1] for k in lags]
    assert max(r) > 0.7 and abs(lags[int(np.argmax(r))]) <= 1
    silent = Loudness({}).move(Utterance("", Audio(np.zeros(3 * RATE, np.float32), RATE)), Style())
    assert silent.curve("open").max() == 0


def test_loudness_of_shifted_sound_is_the_shifted_motion() -> None:
    early, late = (Loudness({}).move(syllables(4.0, lead=s), Style()).curve("open") for s in (0.4, 0.8))
    np.testing.assert_allclose(late[10 : len(early)], early[: len(early) - 10], atol=0.05)


def test_loudness_tells_dark_from_bright() -> None:
    t = np.arange(RATE * 2) / RATE
    dark = 0.2 * (np.sin(2 * np.pi * 300 * t) + 0.4 * np.sin(2 * np.pi * 700 * t))
    rng = np.random.default_rng(0)
    hiss = np.diff(rng.normal(0, 0.1, RATE * 2 + 1))
    moved = [Loudness({}).move(Utterance("", Audio(x.astype(np.float32), RATE)), Style()) for x in (dark, hiss)]
    (round_a, spread_a), (round_b, spread_b) = ([m.curve(n)[15:35].mean() for n in ("round", "spread")] for m in moved)
    assert round_a > round_b + 0.3 and spread_b > spread_a + 0.2


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(int), [0]))))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


SENTENCES = (
    "Bob, my mum, put the blue book above the table before breakfast. Every family should have five minutes a day!",
    "妈妈买苹果，爸爸发福。你觉得这个办法怎么样？我们明天一起去北京。",
)


@pytest.mark.slow
@pytest.mark.parametrize("text", SENTENCES)
def test_real_speech_moves_like_a_person(models, text: str) -> None:
    from linly import registry

    kokoro = registry.open_engine("speak", "kokoro")
    voice = next(v for v in kokoro.voices() if ("zh" if "妈" in text else "en") in v.languages)
    closures = shut = 0
    openings = []
    for utterance in kokoro.speak(text, voice, Style()):
        motion = move(utterance)
        openings.append(motion.curve("open"))
        assert motion.curve("open")[0] == motion.curve("open")[-1] == 0
        for p in utterance.phonemes:
            if p.text[:1] in ("p", "b", "m"):
                closures += 1
                meets = within(motion, "open", p.start, p.end) <= 0.02
                shut += bool((meets & (within(motion, "press", p.start, p.end) > 0.5)).any())
    opening = np.concatenate(openings)
    p90 = float(np.percentile(opening, 90))
    assert closures >= 5 and shut == closures
    assert 0.5 < p90 < 0.85 and np.abs(np.diff(opening)).max() <= 0.85 * p90
