"""The living person: an unbroken stream, whatever is said into it and wherever it is stopped."""

from __future__ import annotations

import resource
import threading
import time
import tracemalloc
from pathlib import Path

import fakes
import numpy as np
import pytest

from linly import audio as sound
from linly import registry, stage
from linly.chat.pace import affordable, encoding
from linly.chat.person import RATE, Person
from linly.chat.played import heard
from linly.move.phonemes import Phonemes
from linly.values import CURVES, Audio, Frames, Portrait, Span, Style, Utterance

STYLE = Style(size="256")
EACH = RATE // STYLE.fps
MOUTH = [CURVES.index(name) for name in ("open", "jaw", "round", "spread", "tuck")]


class PoseDraw(fakes.FakeDraw):
    """Pictures that hold the pose they show, and the second of the stream that they were drawn for."""

    def __init__(self) -> None:
        self.slow = 0.0

    def draw(self, portrait, utterance, motion, style):
        def images():
            for row, (curves, head) in enumerate(zip(motion.curves, motion.head, strict=True)):
                time.sleep(self.slow)
                held = np.concatenate([curves, head, [utterance.start + row / motion.fps]]).astype(np.float32)
                image = np.zeros((64, 64, 3), np.uint8)
                image.reshape(-1)[: held.nbytes] = held.view(np.uint8)
                yield image

        return Frames((64, 64), motion.fps, len(motion), images())


def pose(tick) -> np.ndarray:
    """(len(CURVES) + 4,) what the picture holds."""
    return tick.image.reshape(-1)[: 4 * (len(CURVES) + 4)].view(np.float32)


@pytest.fixture
def person(monkeypatch):
    monkeypatch.setenv("LINLY_LABEL", "0")
    with Person(Phonemes({}), PoseDraw(), a_portrait(), STYLE) as made:
        yield made


def a_portrait() -> Portrait:
    return fakes.FakeDraw().prepare(np.full((64, 64, 3), 9, np.uint8), "face")


def resident() -> int:
    """Bytes of memory that this process really has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def said(text: str, seconds: float = 2.0, language: str = "en") -> Utterance:
    """Speech-like: a syllable every quarter of a second, a word each, at the voice's own rate."""
    words = text.split() if " " in text else list(text)
    ends = np.linspace(0, seconds, len(words) + 1)
    t = np.arange(round(seconds * 24000)) / 24000
    tone = 0.3 * np.sin(2 * np.pi * 180 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))
    spans = tuple(Span(w.strip(".,!?。，"), a, b) for w, a, b in zip(words, ends, ends[1:], strict=False))
    marks = tuple(
        Span(p, float(s.start + k * (s.end - s.start) / 3), float(s.start + (k + 1) * (s.end - s.start) / 3))
        for s in spans
        for k, p in enumerate(("w", "ɑ", "p"))
    )
    return Utterance(text, Audio(tone.astype(np.float32), 24000), language, spans, marks, "exact")


def pull(person: Person, count: int) -> list:
    return [person.next_tick() for _ in range(count)]


def pull_until(person: Person, state: str, most: int = 400) -> list:
    ticks = pull(person, 1)
    while ticks[-1].state != state:
        ticks += pull(person, 1)
        assert len(ticks) < most, f"never {state}"
        time.sleep(0.001)
    return ticks


def test_silence_lives_and_pictures_and_sound_stay_in_step(person):
    ticks = pull(person, 500)
    assert [tick.number for tick in ticks] == list(range(500))
    assert all(tick.samples.shape == (EACH,) and tick.state == "idle" and not tick.late for tick in ticks)
    assert not np.concatenate([tick.samples for tick in ticks]).any()
    poses = np.array([pose(tick) for tick in ticks])
    assert np.allclose(poses[:, -1], np.arange(500) / STYLE.fps, atol=1e-3)
    assert np.ptp(poses[:, len(CURVES)]) > 1.0  # the head turns
    assert (poses[:, CURVES.index("blink")] > 0.9).any() and np.ptp(poses[:, CURVES.index("breath")]) > 0.5
    assert not poses[:, CURVES.index("open")].any()
    assert np.abs(np.diff(poses[:, len(CURVES) : -1], axis=0)).max() < 0.4  # pieces join without a step


def test_speech_begins_at_once_and_every_sample_is_heard(person):
    pull(person, 40)
    first, second = said("A word or two"), said("and some more of it.", 1.37)
    person.say(first, more=True)
    person.say(second)
    time.sleep(0.1)
    ticks = pull_until(person, "speaking")
    assert len(ticks) <= 6
    ticks += pull_until(person, "idle")
    begun = [(tick.number, tick.begins.text) for tick in ticks if tick.begins]
    assert [text for _, text in begun] == [first.text, second.text]
    assert begun[1][0] - begun[0][0] == 50  # straight on: two seconds later
    stream = np.concatenate([tick.samples for tick in ticks if tick.number >= begun[0][0]])
    for number, utterance in zip((0, 50 * EACH), (first, second), strict=True):
        whole = sound.resample(utterance.audio, RATE).samples
        assert np.array_equal(stream[number : number + len(whole)], whole)


def test_no_joint_shows_wherever_speech_begins_or_is_stopped(person):
    ticks = []
    for turn in range(12):
        ticks += pull(person, 20 + turn)
        person.listening(turn % 3 == 1)
        person.thinking(turn % 3 == 2)
        ticks += pull(person, 15)
        person.say(said("what a lot of words to say"), more=turn % 2 == 0)
        ticks += pull(person, 17 + 7 * turn)
        if turn % 4 != 3:
            person.stop()
    states = {tick.state for tick in ticks}
    assert states == {"idle", "listening", "thinking", "speaking", "pausing"}
    poses = np.array([pose(tick) for tick in ticks])
    steps = np.abs(np.diff(poses, axis=0))
    joints = [k for k in range(1, len(ticks)) if ticks[k].state != ticks[k - 1].state]
    within = sorted({n for k in joints for n in range(k - 1, min(k + 12, len(steps)))})
    outside = np.setdiff1d(np.arange(len(steps)), within)
    head = slice(len(CURVES), len(CURVES) + 3)
    assert steps[within, head].max() <= 1.3 * steps[outside, head].max()
    assert steps[within][:, MOUTH].max() <= 1.3 * steps[outside][:, MOUTH].max()
    for name in ("brow", "smile", "breath", "gaze_x"):
        assert steps[within][:, CURVES.index(name)].max() < 0.16, name


def test_stop_silences_throws_away_and_says_what_was_heard(person):
    pull(person, 10)
    person.say(said("one two three four five six seven eight.", 4.0), more=True)
    person.say(said("never heard."))
    pull_until(person, "speaking")
    pull(person, 51)  # of four seconds, 2.08 are out
    stopped = person.stop()
    assert stopped.text == "one two three four" and stopped.seconds == pytest.approx(2.08)
    after = pull(person, 80)
    assert after[0].stopped and not any(tick.stopped for tick in after[1:])
    fading = after[0].samples
    assert np.abs(fading[: EACH // 16]).max() > 0.05 and not fading[RATE // 100 :].any()
    assert not np.concatenate([tick.samples for tick in after[1:]]).any()
    mouth = np.array([pose(tick)[MOUTH].max() for tick in after])
    assert not mouth[5:].any()  # shut within 200 ms
    assert all(tick.state == "idle" and not tick.begins for tick in after[1:])
    assert person.stop().text == ""  # nothing was being said
    person.say(said("again"))
    assert pull_until(person, "speaking")[-1].begins.text == "again"
    assert person.stop().text == ""  # stopped in its first 40 ms


def test_a_late_clause_is_a_pause_not_a_cut(person):
    person.say(said("and then", 1.0), more=True)
    pull_until(person, "speaking")
    ticks = pull_until(person, "pausing")
    ticks += pull(person, 20)
    assert abs(pose(ticks[-1])[CURVES.index("gaze_x")]) > 0.1  # the eyes wander while words are looked for
    person.say(said("it ended.", 1.0))
    pull_until(person, "speaking")
    assert person.stop().text == "and then"
    person.say(said("to be continued", 0.5), more=True)
    pull_until(person, "pausing")
    assert person.answering
    person.over()
    pull_until(person, "idle")
    assert not person.answering
    assert person.stop().text == ""


def test_a_listener_nods(person):
    pull(person, 60)
    resting = np.array([pose(tick)[len(CURVES) + 1] for tick in pull(person, 200)])
    person.listening(True)
    pull_until(person, "listening")
    attending = np.array([pose(tick)[len(CURVES) + 1] for tick in pull(person, 200)])
    assert np.diff(attending).min() < 2 * np.diff(resting).min()  # quicker dips than swaying makes
    person.listening(False)
    assert pull_until(person, "idle")


def test_late_pictures_are_counted_and_sound_goes_on(monkeypatch):
    monkeypatch.setenv("LINLY_LABEL", "0")
    draw = PoseDraw()
    with Person(Phonemes({}), draw, a_portrait(), STYLE) as person:
        utterance = said("one two three four five six seven eight.", 4.0)
        person.say(utterance)
        ticks = pull_until(person, "speaking")
        draw.slow = 0.2
        ticks += [person.next_tick(timeout=0.04) for _ in range(30)]
        assert 15 < person.late == sum(tick.late for tick in ticks)
        draw.slow = 0.0
        time.sleep(0.3)
        ticks += pull(person, 20)
        begun = next(k for k, tick in enumerate(ticks) if tick.begins)
        stream = np.concatenate([tick.samples for tick in ticks[begun:]])
        assert np.array_equal(stream, sound.resample(utterance.audio, RATE).samples[: len(stream)])
        # In step again, to within the few pictures that a busy machine may leave out.
        assert pose(ticks[-1])[-1] == pytest.approx(ticks[-1].number / STYLE.fps, abs=5.5 / STYLE.fps)


def test_a_machine_too_slow_shows_fewer_pictures_in_their_time(monkeypatch):
    monkeypatch.setenv("LINLY_LABEL", "0")
    draw = PoseDraw()
    with Person(Phonemes({}), draw, a_portrait(), STYLE) as person:
        pull(person, 5)
        draw.slow = 1.5 / STYLE.fps
        behind, begun = [], time.perf_counter()
        for count in range(75):
            time.sleep(max(0.0, begun + count / STYLE.fps - time.perf_counter()))
            tick = person.next_tick(timeout=0.01)
            behind.append(tick.number - pose(tick)[-1] * STYLE.fps)
        assert len(set(np.round(np.arange(75) - behind))) > 10  # it still moves
        assert np.median(behind) < 2.5 and np.median(behind[40:]) < 2.5  # and never falls further behind the sound
        assert person.late > 20


def test_what_drawing_raises_reaches_whoever_pulls():
    class Broken(fakes.FakeDraw):
        def draw(self, *given):
            raise MemoryError("no room for pictures")

    with Person(Phonemes({}), Broken(), a_portrait(), STYLE) as person, pytest.raises(MemoryError):
        person.next_tick()


def test_every_picture_is_labelled_unless_that_is_switched_off(monkeypatch):
    for label, corner in (("1", True), ("0", False)):
        monkeypatch.setenv("LINLY_LABEL", label)
        with Person(Phonemes({}), fakes.FakeDraw(), a_portrait(), STYLE) as person:
            assert all(bool(tick.image[:20, 20:].any()) == corner for tick in pull(person, 3))


def test_long_silence_takes_no_memory_and_leaves_no_thread(monkeypatch):
    monkeypatch.setattr("linly.chat.person.LAP", 20.0)  # the clock of idle motion starts anew several times
    before = threading.active_count()
    with Person(Phonemes({}), fakes.FakeDraw(), a_portrait(), STYLE) as person:
        pull(person, 600)
        tracemalloc.start()
        pull(person, 300)
        first = tracemalloc.get_traced_memory()[0]
        pull(person, 3000)
        grown = tracemalloc.get_traced_memory()[0] - first
        tracemalloc.stop()
        assert grown < 500_000 + 8 * RATE * 4
        assert person.seconds == pytest.approx(3900 / STYLE.fps)
    assert threading.active_count() <= before


@pytest.mark.slow
def test_real_engines_keep_memory_flat_and_the_face_moves(models):
    draw, move = registry.open_engine("draw", "warp"), registry.open_engine("move", "phonemes")
    with Person(move, draw, stage.staged(draw, "", None, STYLE), STYLE) as person:
        one = pull(person, 100)
        person.say(said("what a lot of words to say"))
        pull(person, 150)
        used = resident()
        for _ in range(800):  # not kept: a picture takes 200 kB
            person.next_tick()
        assert resident() - used < 20e6
        other = pull(person, 1)[0]
    assert one[0].image.shape == (*person.size[::-1], 3)
    assert np.abs(one[0].image.astype(int) - other.image).mean() > 0.3


@pytest.mark.parametrize(("utterance", "seconds", "text"), [
    (said("one two three.", 3.0), 3.0, "one two three."),
    (said("one two, three.", 3.0), 2.1, "one two,"),
    (said("one two three.", 3.0), 0.2, ""),
    (said("我很高兴。", 2.5, "zh"), 1.3, "我很高"),
    (Utterance("no times are known here", Audio(np.zeros(24000, np.float32), 24000)), 0.5, "no times"),
    (Utterance("没有人知道时间", Audio(np.zeros(24000, np.float32), 24000)), 0.5, "没有人"),
])  # fmt: skip
def test_what_was_heard_ends_with_the_last_word_played(utterance, seconds, text):
    assert heard([(utterance, seconds)]).text == text


def test_clauses_heard_are_joined_as_they_are_written():
    one, two = said("well, yes", 1.0), said("of course.", 1.0)
    assert heard([(one, 1.0), (two, 1.0)]).text == "well, yes of course."
    assert heard([(said("你好，", 1.0, "zh"), 1.0), (said("我是老师。", 1.0, "zh"), 1.0)]).text == "你好，我是老师。"


class Laborious(fakes.FakeDraw):
    """Takes so many milliseconds for each picture of a size."""

    def __init__(self, **milliseconds: float) -> None:
        self.milliseconds = milliseconds

    def draw(self, portrait, utterance, motion, style):
        def images():
            for _ in range(len(motion)):
                time.sleep(self.milliseconds[f"at_{style.size}"] / 1000)
                yield np.zeros((64, 64, 3), np.uint8)

        return Frames((64, 64), motion.fps, len(motion), images())


@pytest.mark.parametrize(("wish", "milliseconds", "given"), [
    (("512", 25), {"at_512": 1}, ("512", 25)),
    (("720", 25), {"at_720": 60, "at_512": 5}, ("512", 25)),
    (("512", 25), {"at_512": 30}, ("512", 20)),
    (("512", 25), {"at_512": 90, "at_256": 5}, ("256", 25)),
    (("512", 30), {"at_512": 90, "at_256": 41}, ("256", 15)),
])  # fmt: skip
def test_a_machine_that_cannot_keep_up_is_asked_for_less_and_told_so(wish, milliseconds, given):
    style = Style(size=wish[0], fps=wish[1])
    pace = affordable(Phonemes({}), Laborious(**milliseconds), a_portrait(), style)
    assert (pace.style.size, pace.style.fps) == given
    assert bool(pace.says) == (wish != given)
    assert pace.says == "" or (f"{given[0]} pixels at {given[1]}" in pace.says and pace.says.count(".") == 1)


def test_what_is_shown_counts_and_what_nobody_can_keep_is_admitted():
    pace = affordable(
        Phonemes({}), Laborious(at_256=1), a_portrait(), Style(size="256"), lambda image: time.sleep(0.08)
    )
    assert (pace.style.size, pace.style.fps) == ("256", 12) and "late" in pace.says
    encode = encoding()
    assert encode(np.zeros((64, 64, 3), np.uint8)) and encode(np.full((64, 64, 3), 99, np.uint8))
