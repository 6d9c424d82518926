"""Subtitles: short rows, cut where people pause, in time with the words; drawn so that they can be read."""

from __future__ import annotations

import json
import os
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from linly import overlay, subtitles
from linly.safety.label import NOTICE, Label
from linly.subtitles import CELLS, Burner, Line, lines, to_srt, to_vtt
from linly.values import Audio, Span, Utterance, VideoFile

RATE = 8000
ENGLISH = (
    "Good morning, everyone: today we will look at how a single portrait and a few seconds of voice become a person"
    " who talks, and why the mouth has to follow the phonemes exactly."
)
CHINESE = "大家好，今天我们来学习人工智能的基础知识，包括机器学习、深度学习和大语言模型的原理，以及它们在2024年的应用。"


def utterance(text: str, seconds: float = 8.0, words: list[str] | None = None, start: float = 0.0) -> Utterance:
    step = seconds / max(1, len(words or ()))
    spans = tuple(Span(word, n * step, (n + 1) * step) for n, word in enumerate(words or ()))
    return Utterance(text, Audio(np.zeros(round(seconds * RATE), np.float32), RATE), words=spans, start=start)


def width(row: str) -> float:
    return sum(CELLS / 18 if "\u2e80" <= c <= "\uffef" else 1 for c in row)


@pytest.mark.parametrize(
    "text", [ENGLISH, CHINESE, CHINESE + ENGLISH, "https://example.org/" + "x" * 200, CHINESE * 20]
)
def test_rows_are_short_and_lose_nothing(text: str) -> None:
    found = lines([utterance(text)])
    for line in found:
        rows = line.text.split("\n")
        assert len(rows) <= 2
        assert max(map(width, rows)) <= CELLS + 1e-6 + (CELLS / 18)  # a closing mark may hang over
    assert re.sub(r"\s", "", "".join(line.text for line in found)) == re.sub(r"\s", "", text)


def test_rows_are_cut_at_words_and_no_mark_starts_one() -> None:
    rows = [row for line in lines([utterance(ENGLISH), utterance(CHINESE)]) for row in line.text.split("\n")]
    words = set(ENGLISH.split())
    for row in rows:
        assert row[0] not in "，。、：；,.:;!?）"
        assert row == row.strip()
        if row.isascii():
            assert set(row.split()) <= words
    assert not any(row.endswith("2024") for row in rows)


def test_chinese_words_stay_whole() -> None:
    words = re.findall(
        "人工智能|基础|知识|机器|学习|深度|大语言模型|原理|应用|大家|今天|我们|.", re.sub("[，、。]", "", CHINESE)
    )
    rows = [row for line in lines([utterance(CHINESE, words=words)]) for row in line.text.split("\n")]
    text = "|".join(rows)
    for word in ("人工智能", "基础", "知识", "机器", "深度", "大语言模型", "原理", "应用"):
        assert word in text


def test_lines_appear_with_their_words_and_never_overlap() -> None:
    words = re.findall(r"[\w']+", ENGLISH)
    talk = [utterance(ENGLISH, 9.0, words), utterance("Thank you.", 1.0, ["Thank", "you"], start=9.0)]
    found = lines(talk)
    assert len(found) >= 3
    for before, after in pairwise(found):
        assert before.start < before.end <= after.start
    spoken = 0
    for line in found[:-1]:
        assert line.start == pytest.approx(talk[0].words[spoken].start, abs=0.01)
        spoken += len(re.findall(r"[\w']+", line.text))
    assert found[-1].text == "Thank you."
    assert found[-1].start == pytest.approx(9.0)


def test_numbers_that_are_spoken_otherwise_do_not_shift_the_rest() -> None:
    words = ["In", "nineteen", "eighty", "four", "it", "rained"]
    found = lines(
        [utterance("In 1984 it rained.", 6.0, words), utterance("Then sun.", 2.0, ["Then", "sun"], start=6.0)]
    )
    assert [line.start for line in found] == pytest.approx([0.0, 6.0])


def test_srt_and_vtt_text() -> None:
    found = [Line("a <b> & c\nd", 0.0, 1.5), Line("你好", 3661.001, 3662.9996)]
    assert to_srt(found) == (
        "1\n00:00:00,000 --> 00:00:01,500\na <b> & c\nd\n\n2\n01:01:01,001 --> 01:01:03,000\n你好\n"
    )
    vtt = to_vtt(found)
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\na &lt;b&gt; &amp; c\nd\n\n01:01:01.001 --> ")


def test_files_by_their_ending(tmp_path: Path) -> None:
    talk = [utterance("Hello  \n\n there --> you", 2.0)]
    assert subtitles.write(talk, tmp_path / "a.srt").read_text("utf-8").count("\n\n") == 0
    assert subtitles.write(talk, tmp_path / "a.vtt").read_text("utf-8").startswith("WEBVTT")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.srt", "a.vtt"]
    with pytest.raises(ValueError, match=r"\.srt or \.vtt"):
        subtitles.write(talk, tmp_path / "a.txt")


def test_the_sidecar_counts_from_the_start_of_the_video(tmp_path: Path) -> None:
    talk = [utterance("One.", 2.0, ["One"]), utterance("Two.", 1.0, ["Two"], start=2.0)]
    made = VideoFile(tmp_path / "a.mp4", 3.0, 25, (64, 64), 75, 3.0)
    data = json.loads(subtitles.write_sidecar(talk, made, tmp_path / "a.json").read_text("utf-8"))
    assert (data["fps"], data["seconds"]) == (25, 3.0)
    assert data["utterances"][1]["words"] == [{"text": "Two", "start": 2.0, "end": 3.0}]
    assert [u["timing"] for u in data["utterances"]] == ["none", "none"]


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (1080, 1080), (576, 1024), (1024, 576)])
def test_burnt_lines_stay_inside_the_lower_part(size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    found = lines([utterance(ENGLISH)])
    Burner(size, overlay.latin_font(20)).apply(image, found, 0.5)
    changed = np.argwhere((image != 90).any(2))
    (top, left), (bottom, right) = changed.min(0), changed.max(0)
    assert top > 0.6 * size[1]
    assert bottom < 0.98 * size[1]
    assert 0.01 * size[0] < left
    assert right < 0.99 * size[0]
    assert abs((left + right) / 2 - size[0] / 2) < 0.03 * size[0]
    assert image.max() > 240  # white letters
    assert image.min() < 30  # dark outline


def test_only_the_line_of_that_time_is_drawn() -> None:
    burner = Burner((256, 256), overlay.latin_font(20))
    found = [Line("first", 1.0, 2.0), Line("second", 3.0, 4.0)]
    drawn = {}
    for seconds in (0.5, 1.0, 1.9, 2.0, 3.5, 4.1):
        image = np.full((256, 256, 3), 90, np.uint8)
        burner.apply(image, found, seconds)
        drawn[seconds] = image
    assert [s for s, image in drawn.items() if (image != 90).any()] == [1.0, 1.9, 3.5]
    assert np.array_equal(drawn[1.0], drawn[1.9])
    assert not np.array_equal(drawn[1.0], drawn[3.5])


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (1080, 608)])
def test_the_label_is_readable_in_its_corner_and_touches_nothing_else(size: tuple[int, int]) -> None:
    for grey in (0, 128, 255):
        image = np.full((size[1], size[0], 3), grey, np.uint8)
        label = Label(size, "en")
        label.apply(image)
        changed = np.argwhere((image != grey).any(2))
        (top, left), (bottom, right) = changed.min(0), changed.max(0)
        assert bottom - top >= 0.05 * min(size)
        assert right < size[0]
        assert left > size[0] / 2
        assert bottom < size[1] / 4
        area = image[top : bottom + 1, left : right + 1]
        assert int(area.max()) - int(area.min()) > 80
    assert label.text == "AI-generated"


def test_the_notice_speaks_both_languages() -> None:
    assert "AI-generated" in NOTICE
    assert "合成" in NOTICE


@pytest.fixture
def chinese_font() -> None:
    if os.environ.get("LINLY_NO_MODELS") == "1":
        pytest.skip("LINLY_NO_MODELS=1: this test needs the subtitle font")
    from linly import weights

    if not weights.ready(overlay.FONT):
        weights.pull([overlay.FONT])


def test_chinese_letters_are_real_letters(chinese_font: None) -> None:
    """A font without Chinese draws the same box for every character."""
    font = overlay.chinese_font(40)
    shapes = {bytes(font.getmask(char)) for char in "合成你好视频"}
    assert len(shapes) == 6
    image = np.full((256, 256, 3), 90, np.uint8)
    Burner((256, 256)).apply(image, lines([utterance(CHINESE)]), 0.5)
    assert image.max() > 240
    assert Label((512, 512), "zh").text == "AI 合成"
