"""The whole road with the default models, judged by ear (transcribed back) and by eye (mouth re-detected)."""

import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, SHARED
from speech_cases import error_rate

from linly import registry, video
from linly.audio import load
from linly.pipeline import RenderJob, render
from linly.values import Style

pytestmark = pytest.mark.slow

TEXTS = {
    "en": "Maybe Peter bought five big apples for my mother. We moved the blue boat before the film began.",
    "zh": "爸爸妈妈买了八本书，放在明明的房间里。飞机从北方飞来，大家都抬头看。",
}


@pytest.fixture(scope="module")
def rendered(models, tmp_path_factory):
    """Both languages, once: report, timing and the video's path."""
    folder = tmp_path_factory.mktemp("rendered")
    made = {}
    for language, text in TEXTS.items():
        out = folder / f"{language}.mp4"
        report = render(RenderJob(out, text=text, sidecar=True))
        made[language] = (report, json.loads(out.with_suffix(".json").read_text(encoding="utf-8")))
    return made


@pytest.mark.parametrize("language", TEXTS)
def test_the_words_are_heard_again(rendered, language):
    report, _ = rendered[language]
    heard = registry.open_engine("hear", "whisper").hear(load(report.video, max_seconds=60, rate=16000), language)
    assert error_rate(TEXTS[language], heard.text, language) <= 0.1, heard.text


@pytest.mark.parametrize("language", TEXTS)
def test_sound_and_picture_end_together(rendered, language):
    made = video.probe(rendered[language][0].video)
    assert abs(made.seconds - made.audio_seconds) < 1 / made.fps and made.size == (512, 512)


@pytest.fixture(scope="module")
def openings(rendered):
    """Gap between the lips on every frame of the finished files, in eye spans, by the landmark model."""
    from face_measure import measure_openings

    return {language: measure_openings(report.video) for language, (report, _) in rendered.items()}


@pytest.mark.parametrize("language", TEXTS)
def test_lips_meet_on_p_b_m(rendered, openings, language):
    """On at least one frame of 95 % of all p, b and m the gap is below 0.15 of the 90th percentile."""
    _, timing = rendered[language]
    gap = openings[language]
    wide = np.percentile(gap, 90)
    assert wide > 0.05, "the mouth hardly opens"
    met = []
    for utterance in timing["utterances"]:
        for phoneme in utterance["phonemes"]:
            if phoneme["text"][0] in "pbm":
                first, last = int(phoneme["start"] * 25) - 1, int(np.ceil(phoneme["end"] * 25)) + 1
                met.append(gap[max(first, 0) : last + 1].min() < 0.15 * wide)
    assert len(met) >= 8 and np.mean(met) >= 0.95, f"{sum(met)} of {len(met)}"


@pytest.mark.parametrize("language", TEXTS)
def test_mouth_rests_at_both_ends_and_in_pauses(rendered, openings, language):
    _, timing = rendered[language]
    gap, ends = openings[language], 0.2 * np.percentile(openings[language], 90)
    assert gap[0] < ends and gap[-1] < ends
    phonemes = [p for u in timing["utterances"] for p in u["phonemes"]]
    for before, after in itertools.pairwise(phonemes):
        if after["start"] - before["end"] > 0.35:
            middle = round((after["start"] + before["end"]) / 2 * 25)
            assert gap[middle] < ends, f"open in the pause at {middle / 25:.2f} s"


def test_same_seed_same_video_other_seed_other_motion(models, tmp_path):
    def frames(seed):
        out = tmp_path / f"{seed}.mp4"
        render(RenderJob(out, text="Good morning.", style=Style(seed=seed, size="256")))
        return np.stack(list(video.read_frames(out))).astype(int)

    first, again, other = frames(1), frames(1), frames(2)
    assert np.array_equal(first, again) and np.abs(first - other).max() > 20


@pytest.mark.parametrize(
    ("name", "words"),
    [("zh_aishell_S0724_W0121", "地产"), ("en_ljspeech_LJ001_0001", "printing")],
)
def test_a_real_recording_drives_the_face(models, tmp_path, name, words):
    sound = SHARED / "data" / "speech" / f"{name}.wav"
    if not sound.is_file():
        pytest.skip("the shared speech recordings are not beside this checkout")
    out = tmp_path / "o.mp4"
    report = render(RenderJob(out, audio=sound, sidecar=True, style=Style(size="256")))
    timing = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    said = "".join(u["text"] for u in timing["utterances"]).lower()
    assert words in said and report.seconds == pytest.approx(load(sound, max_seconds=60).seconds, abs=0.05)
    assert {u["timing"] for u in timing["utterances"] if u["text"].strip()} == {"aligned"}


def test_memory_does_not_grow_with_the_script(models, tmp_path):
    """Peak memory of a process that renders four times the text stays within a few percent."""
    peaks, out = [], str(tmp_path / "o.mp4")
    for times in (2, 8):
        text = TEXTS["zh"] * times
        done = subprocess.run(
            [sys.executable, "-m", "linly", "render", "--text", text, "--size", "256", "--json", "-o", out],
            capture_output=True, text=True, cwd=ROOT, check=True,
        )  # fmt: skip
        peaks.append(json.loads(done.stdout.splitlines()[-1])["peak_rss_mb"])
    assert peaks[1] < 1.15 * peaks[0] + 50, peaks
