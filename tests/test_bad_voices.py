"""Bad recordings, made here: each gets the right sentence or the right advice, and a good one gets none."""

from __future__ import annotations

import bad_voices as bad
import numpy as np
import pytest
import speakers

from linly import audio, enrolment, registry, shelf, voices
from linly.denoise import denoised
from linly.errors import InputError
from linly.speak import encoder as speaker
from linly.speech_check import examine
from linly.speech_words import ADVICE, REFUSED, in_chinese
from linly.values import Audio, Style, Voice

SAID = (
    "When I was young I walked along the river every morning. The water was clear and cold. My father told me stories"
    " about the fishermen who had lived there, and I believed every single word of them."
    " Nobody lives there today, but the river still runs."
)


@pytest.fixture(scope="module")
def speech(models) -> dict[str, Audio]:
    """Thirteen seconds each of a woman, a man and another woman."""
    engine = registry.open_engine("speak", "kokoro")
    told = {}
    for id_ in ("af_heart", "am_michael", "bf_emma"):
        voice = Voice(id=id_, name=id_, engine="kokoro")
        told[id_] = audio.concat(said.audio for said in engine.speak(SAID, voice, Style()))
    return told


@pytest.fixture(scope="module")
def her(speech) -> Audio:
    """As a good microphone in a quiet room would record it."""
    clean = speech["af_heart"]
    return bad.with_noise(clean, bad.white, 45)


@pytest.fixture(scope="module")
def windows(models):
    return speaker.opened().windows


def refusal(windows, sound: Audio) -> str:
    with pytest.raises(InputError) as error:
        report = examine(sound, windows).report
        pytest.fail(f"taken: {report}")
    return str(error.value)


COUNT = 8 * bad.RATE
REFUSALS = {
    "digital silence": (lambda h, s: audio.silence(8, bad.RATE), "silence"),
    "a muted microphone": (lambda h, s: bad.made(0.0005 * bad.white(COUNT)), "silence"),
    "white noise": (lambda h, s: bad.made(0.1 * bad.white(COUNT)), "only_noise"),
    "a fan": (lambda h, s: bad.made(0.1 * bad.brown(COUNT)), "only_noise"),
    "a mains hum": (lambda h, s: bad.made(0.1 * bad.hum(COUNT)), "only_noise"),
    "music": (lambda h, s: bad.made(0.1 * bad.chords(COUNT)), "only_music"),
    "knocking": (lambda h, s: bad.made(0.8 * bad.white(COUNT) * (np.arange(COUNT) % 20000 < 300)), "no_speech"),
    "one second": (lambda h, s: bad.first(h, 1.0), "too_short"),
    "two seconds": (lambda h, s: bad.first(h, 2.3), "too_short"),
    "two people in turns": (lambda h, s: bad.in_turns(s["af_heart"], s["am_michael"]), "several_speakers"),
    "a woman after a man": (lambda h, s: audio.concat([s["am_michael"], s["af_heart"]]), "several_speakers"),
    "two women": (lambda h, s: audio.concat([s["bf_emma"], s["af_heart"]]), "several_speakers"),
    "far too loud": (lambda h, s: bad.too_loud(h, 14), "broken"),
    "noise as loud as the voice": (lambda h, s: bad.with_noise(h, bad.white, 1), "too_noisy"),
    "a fan as loud as the voice": (lambda h, s: bad.with_noise(h, bad.brown, 0), "too_noisy"),
}
ADVISED = {
    "five seconds": (lambda h, s: bad.first(h, 5.5), "short"),
    "noise": (lambda h, s: bad.with_noise(h, bad.white, 9), "noisy"),
    "a fan behind": (lambda h, s: bad.with_noise(h, bad.brown, 9), "noisy"),
    "too loud": (lambda h, s: bad.too_loud(h, 2.5), "clipped"),
    "very quiet": (lambda h, s: bad.made(0.02 * s["af_heart"].samples), "quiet"),
    "8 kHz": (lambda h, s: audio.resample(h, 8000), "narrow"),
    "a telephone": (lambda h, s: bad.telephone(h), "narrow"),
    "a hall": (lambda h, s: bad.in_a_hall(h), "echo"),
    "music behind": (lambda h, s: bad.with_noise(h, bad.chords, 14), "music"),
    "a moment of another": (
        lambda h, s: audio.concat([h, h, bad.first(s["am_michael"], 3.2)]),
        "another_voice",
    ),
}


def test_a_good_recording_is_taken_without_a_word(her, windows):
    found = examine(her, windows)
    assert found.report["advice"] == [] and found.report["score"] == 1.0 and found.report["ok"] is True
    assert found.report["speakers"] == 1 and found.report["music"] is False
    assert found.report["snr_db"] > 25 and found.report["clipping"] < 0.002 and found.report["bandwidth_hz"] > 7000
    assert 0.7 * her.seconds < found.report["speech_seconds"] <= her.seconds


@pytest.mark.parametrize("what", REFUSALS)
def test_what_holds_no_voice_is_refused_with_its_reason(her, speech, windows, what):
    spoil, key = REFUSALS[what]
    said = refusal(windows, spoil(her, speech))
    if key == "too_short":
        seconds = float(said.split("only ")[1].split()[0])
        assert said == REFUSED[key][0].format(speech=seconds, least=3)
        assert 0.5 < seconds < 2.4
    else:
        assert said == REFUSED[key][0]
    assert in_chinese(said) not in ("", said) and "{" not in in_chinese(said)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["allison", "carlo"])
def test_six_seconds_of_one_real_person_are_not_taken_for_two(who, windows):
    found = []
    for path in speakers.clips(who):
        whole = audio.load(path, max_seconds=60)
        cuts = range(0, len(whole.samples) - 6 * whole.rate, 3 * whole.rate)
        found += [examine(Audio(whole.samples[cut : cut + 6 * whole.rate], whole.rate), windows) for cut in cuts]
    assert len(found) >= 5 and [one.report["speakers"] for one in found] == [1] * len(found)


@pytest.mark.slow
def test_two_real_people_in_a_short_recording_are_found_out(windows):
    she, he = (audio.load(speakers.clips(who)[0], max_seconds=60) for who in ("allison", "carlo"))
    said = refusal(windows, audio.concat(Audio(one.samples[: 5 * one.rate], one.rate) for one in (she, he)))
    assert said == REFUSED["several_speakers"][0]


@pytest.mark.parametrize("what", ADVISED)
def test_what_could_be_better_is_advised(her, speech, windows, what):
    spoil, key = ADVISED[what]
    report = examine(spoil(her, speech), windows).report
    assert [one["key"] for one in report["advice"]] == [key], report
    assert 0 < report["score"] < 1
    assert report["advice"][0]["zh"].endswith("。") and "{" not in report["advice"][0]["en"] + report["advice"][0]["zh"]


def test_steady_noise_is_cleaned_and_clean_speech_left_alone(her, speech, windows):
    clean, judge = speech["af_heart"], speaker.opened()
    for noise in (bad.white, bad.brown):
        noisy = bad.with_noise(clean, noise, 9)
        better = denoised(noisy)
        assert len(better.samples) == len(noisy.samples)
        error = [bad.rms(x.samples - 0.6 * clean.samples) for x in (noisy, better)]
        assert error[1] < 0.6 * error[0]
        likeness = [speaker.similarity(judge.embed(x), judge.embed(clean)) for x in (noisy, better)]
        assert likeness[1] > likeness[0] + 0.02
        assert [a["key"] for a in examine(better, windows).report["advice"]] == []
    kept = denoised(her)
    assert bad.rms(kept.samples - her.samples) < 0.05 * bad.rms(her.samples)


NOT_SOUND = "is not a sound file, or damaged; give a wav, mp3, m4a, flac or ogg file, or a video."
FILES = {
    "nothing": (lambda t, h: bad.written(t, "a.wav", b""), "a.wav is empty (0 bytes); export or copy it again."),
    "a text": (lambda t, h: bad.written(t, "a.wav", b"not a sound\n" * 90), f"a.wav {NOT_SOUND}"),
    "a play list": (lambda t, h: bad.written(t, "a.mp3", b"#EXTM3U\nfile:///etc/passwd\n"), f"a.mp3 {NOT_SOUND}"),
    "random bytes": (lambda t, h: bad.written(t, "a.ogg", bad.rng().bytes(5000)), f"a.ogg {NOT_SOUND}"),
    "a film without sound": (lambda t, h: bad.film(t, None), "film.mp4 has no sound track; give a file with sound."),
    "a folder": (lambda t, h: t, "is a folder; give a sound or video file."),
    "not there": (lambda t, h: t / "no.wav", "no.wav; check the name."),
    "no numbers": (
        lambda t, h: bad.wav_of_floats(t, float("nan")),
        "floats.wav is damaged: it holds values that are not numbers; export it again.",
    ),
    "a constant": (lambda t, h: bad.wav_of_floats(t, 0.0), REFUSED["silence"][0]),
    "2 GB claimed, one second there": (
        lambda t, h: bad.wav_that_claims(t, bad.first(h, 1.2), 2_000_000_000), "seconds of speech in this recording",
    ),
    "eleven minutes": (
        lambda t, h: audio.write_wav(audio.silence(661, 8000), t / "long.wav"),
        "long.wav is too long: at most 10 minutes of sound can be used; cut it into parts.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_what_is_no_recording_gets_one_sentence(models, her, tmp_path, what):
    make, words = FILES[what]
    with pytest.raises(InputError) as error:
        enrolment.check([make(tmp_path, her)])
    said = str(error.value)
    assert words in said and said.endswith(".") and "\n" not in said
    assert said.startswith(("There", "No ")) or said.endswith(words)


def test_odd_files_that_hold_speech_are_taken(models, her, tmp_path):
    short = bad.first(her, 6)
    whole = bad.wav_that_claims(tmp_path, short, 2_000_000_000)
    for path in (whole, bad.film(tmp_path, short), bad.stereo(tmp_path, short)):
        sample = enrolment.check([path])
        assert 4 < sample.report["speech_seconds"] < 6.5 and "river" in sample.transcript.text


@pytest.mark.parametrize(
    "name", ["--help.wav", "a\nb.wav", "$(reboot).wav", "%s%n.wav", "声音 ✓.wav", "concat:a|b.wav"]
)
def test_file_names_mean_nothing(models, her, tmp_path, name):
    path = audio.write_wav(bad.first(her, 6), tmp_path / "a.wav").rename(tmp_path / name)
    assert enrolment.check([path]).report["ok"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "The voice needs a name: give it one, in any language."),
        ("../../etc", "which a name cannot hold"),
        ("a/b", "The name 'a/b' holds '/', which a name cannot hold: use letters, digits and spaces."),
        ("a\0b", "which a name cannot hold"),
        (".hidden", "The name '.hidden' cannot be used: begin with a letter or a digit, and end with no dot."),
        ("-o", "The name '-o' cannot be used: begin with a letter or a digit, and end with no dot."),
        ("con", "The name 'con' is one that Windows keeps for itself: choose another."),
        ("x" * 61, "is too long: at most 60 characters."),
        ("\u202egnp", "which a name cannot hold"),
    ],
)
def test_hostile_names_are_refused(name, words, tmp_path):
    with pytest.raises(InputError) as error:
        voices.add(name, [tmp_path / "none.wav"], consent="I agree.")
    assert words in str(error.value) and shelf.key("Anna Lin") == "anna_lin"


def test_too_many_and_none(models, tmp_path):
    with pytest.raises(InputError, match="There is no recording: give one or more sound files of the person"):
        enrolment.check([])
    with pytest.raises(InputError, match="There are 21 recordings: at most 20 can be used at once"):
        enrolment.check([tmp_path / "a.wav"] * 21)


def test_every_sentence_has_its_chinese():
    for english, chinese in (*ADVICE.values(), *REFUSED.values()):
        assert english.endswith(".") and chinese.endswith("。") and english.isascii() != chinese.isascii()
    said = REFUSED["too_short"][0].format(speech=1.94, least=3)
    assert in_chinese(said) == "录音里只有 1.9 秒语音：至少需要 3 秒，十秒以上更好。"
    assert in_chinese("Something else.") == ""
