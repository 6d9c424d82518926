"""Enrolled voices: kept, found, spoken with, taken elsewhere and forgotten; never mixed up."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import speakers

from linly import audio, cli, enrolment, library, registry, voice_store, voices
from linly.enrolment import Sample
from linly.errors import Cancelled, InputError
from linly.speak import closest, encoder
from linly.values import Audio, Span, Style, Transcript

AGREED = "I agree that my voice is used in this test."


@pytest.fixture(scope="module")
def people(models) -> dict[str, tuple[list[Path], Sample]]:
    """Recordings and samples of a woman and a man, checked once."""
    paths = {name: speakers.clips(name)[:1] for name in ("allison", "carlo")}
    return {name: (path, enrolment.check(path)) for name, path in paths.items()}


@pytest.fixture
def kept(people, monkeypatch):
    """Allison and Carlo enrolled; the search for the closest voice is done once and remembered."""
    for name, (paths, sample) in people.items():
        remembered(monkeypatch, name, sample)
        voices.add(name.title(), paths, consent=AGREED, sample=sample)
    return people


FOUND: dict[str, closest.Closest] = {}
SEARCH = closest.closest


def remembered(monkeypatch, name: str, sample: Sample) -> None:
    if name not in FOUND:
        engine = registry.open_engine("speak", "kokoro")
        FOUND[name] = SEARCH(engine, encoder.opened(), sample.embedding, sample.transcript.language)

    def nearest(engine, judge, person, language="en", progress=None):
        return max(FOUND.values(), key=lambda found: float(person @ embedding(found)))

    monkeypatch.setattr(closest, "closest", nearest)


def embedding(found: closest.Closest):
    return np.mean([closest.stock()[id_] for id_ in found.stock], axis=0)


def test_the_closest_voice_is_like_the_person_and_not_like_another(people, monkeypatch):
    for name, (_, sample) in people.items():
        remembered(monkeypatch, name, sample)
    assert FOUND["allison"].gender == "female" and FOUND["carlo"].gender == "male"
    for name, other in (("allison", "carlo"), ("carlo", "allison")):
        found, sample = FOUND[name], people[name][1]
        assert found.features.shape == (510, 1, 256) and 1 <= len(found.stock) <= 2
        stranger = encoder.similarity(embedding(found), people[other][1].embedding)
        assert found.similarity > 0.65 and found.similarity > stranger + 0.05
        best = max(encoder.similarity(sample.embedding, one) for one in closest.stock().values())
        assert found.similarity > best - 0.1


def test_every_stock_voice_is_known(models):
    ids = {voice.id for voice in registry.open_engine("speak", "kokoro").voices()}
    assert set(closest.stock()) == ids and len(ids) == 54
    for one in closest.stock().values():
        assert one.shape == (256,) and np.linalg.norm(one) == pytest.approx(1, abs=0.01)


def test_what_is_kept_can_be_found_and_says_why_it_is_used(kept):
    assert voices.names() == ["Allison", "Carlo"] and voices.called("ALLISON") == "Allison"
    assert voices.load("nobody") is None and voices.called("no/body") == ""
    known = voices.info("allison")
    assert known["tier"] == "closest" and "nearest stock voice" in known["why_en"] and known["why_zh"]
    assert known["consent"] == AGREED and known["report"]["speech_seconds"] > 5 and known["stock"]
    voice = voices.load("Allison")
    assert voice is voices.load("allison"), "an engine meets the same object again"
    assert voice.tier == "closest" and voice.similarity == known["similarity"] and voice.changes is None
    assert voice.reference.rate == 24000 and voice.consent["text"] == AGREED
    assert audio.load(voices.reference("Allison"), max_seconds=99).seconds == pytest.approx(voice.reference.seconds)
    assert voices.picture("Allison").read_bytes().startswith(b"\x89PNG") and voices.before("Allison") is None
    with pytest.raises(InputError, match="no enrolled voice called 'Alison': did you mean Allison"):
        voices.info("Alison")


def test_names_and_consent_are_asked_for(kept, people):
    paths, sample = people["allison"]
    with pytest.raises(InputError, match="must agree"):
        voices.add("Third", paths, consent="  ", sample=sample)
    with pytest.raises(InputError, match="already a voice called 'allison'"):
        voices.add("allison", paths, consent=AGREED, sample=sample)
    with pytest.raises(InputError, match="no way 'best' to make a voice"):
        voices.add("Third", paths, consent=AGREED, tier="best", sample=sample)
    assert voices.names() == ["Allison", "Carlo"]


def test_what_is_stopped_leaves_nothing(people, monkeypatch):
    def stop(stage, fraction):
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        voices.add("Stopped", people["allison"][0], consent=AGREED, progress=stop)
    assert voices.names() == [] and not list(voice_store.place().glob("*"))


def test_a_voice_gets_another_name_and_is_forgotten(kept):
    before = voices.load("Carlo")
    assert voices.rename("carlo", "Il Professore 教授") == "Il Professore 教授"
    after = voices.load("il professore 教授")
    assert after.name == "Il Professore 教授" and np.array_equal(after.features, before.features)
    assert voices.load("Carlo") is None
    with pytest.raises(InputError, match="already a voice called 'Allison'"):
        voices.rename("Il Professore 教授", "Allison")
    voices.rename("Allison", "ALLISON")
    voices.remove("Il Professore 教授")
    assert voices.names() == ["ALLISON"] and [p.name for p in voice_store.place().iterdir()] == ["allison"]


def test_a_fitted_voice_is_chosen_by_itself_and_can_be_unchosen(kept):
    closest_one = voices.load("Carlo")
    changes = {"/decoder/x.weight": np.ones((3, 2), np.float16), "style": np.zeros(256, np.float32)}
    voices.set_fitted("Carlo", closest_one.features, changes, {"similarity": 0.91, "error": 0.0})
    fitted = voices.load("Carlo")
    assert fitted.tier == "fitted" and fitted.similarity == 0.91 and list(fitted.changes) == list(changes)
    assert np.array_equal(fitted.changes["/decoder/x.weight"], changes["/decoder/x.weight"])
    assert "fitted to this person" in voices.info("Carlo")["why_en"] and "taken" not in voices.info("Carlo")["why_en"]
    assert voices.load("Carlo", "closest") is closest_one and voices.load("Allison").changes is None
    voices.choose("Carlo", "closest")
    assert voices.load("Carlo").tier == "closest" and "You chose it" in voices.info("Carlo")["why_en"]
    voices.choose("Carlo", "")
    with pytest.raises(InputError, match="not 'fitted' yet"):
        voices.choose("Allison", "fitted")
    with pytest.raises(InputError, match="not 'fitted' yet"):
        voices.load("Allison", "fitted")


def test_the_user_reads_where_less_of_a_fitting_is_taken(kept):
    changes = {"style": np.zeros(256, np.float32)}
    scores = {"similarity": 0.91, "taken_en": 1.0, "taken_zh": 0.5}
    voices.set_fitted("Carlo", voices.load("Carlo").features, changes, scores)
    known = voices.info("Carlo")
    assert known["why_en"].endswith("In Chinese 50% of it is taken, so that every word is understood.")
    assert known["why_zh"].endswith("说中文时只用其 50%，以保证字字听清。")


def test_an_engine_that_clones_takes_anybodys_sample(kept, monkeypatch):
    class Cloning:
        def voices(self):
            return ()

    monkeypatch.setattr(registry, "name_of", lambda engine: "zipvoice")
    voice = library.find_voice(Cloning(), "carlo", "it")
    sample = kept["carlo"][1]
    assert (voice.engine, voice.tier, voice.name, voice.features) == ("zipvoice", "zeroshot", "Carlo", None)
    assert voice.transcript and voice.transcript in sample.transcript.text
    assert voice.reference is not None and 1 < voice.reference.seconds <= enrolment.LONGEST_CLIP
    with pytest.raises(InputError, match=r"ZipVoice .* choose an enrolled voice or a sound file"):
        library.find_voice(Cloning(), "", "it")


def test_what_an_engine_made_is_made_again_when_it_changes(kept, monkeypatch):
    old = voices.load("Allison")
    monkeypatch.setattr(closest, "VERSION", closest.VERSION + 1)
    new = voices.load("Allison")
    assert new is not old and np.array_equal(new.features, old.features)
    assert len(list(voice_store.folder_of("allison").glob("closest-*"))) == 1


def test_a_voice_travels_as_one_file(kept, tmp_path):
    file = voices.export("Allison", tmp_path / "allison.zip")
    with pytest.raises(InputError, match="already a voice called 'Allison'"):
        voices.import_(file)
    assert voices.import_(file, "Zoë") == "Zoë"
    there, here = voices.load("Allison"), voices.load("Zoë")
    assert np.array_equal(there.features, here.features) and here.name == "Zoë" and here.similarity == there.similarity
    assert voices.info("Zoë")["consent"] == AGREED
    with pytest.raises(InputError, match=r"exported as a \.zip file"):
        voices.export("Allison", tmp_path / "allison.exe")


def zipped(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as box:
        for name, data in entries.items():
            box.writestr(name, data)
    return path


@pytest.mark.parametrize("extra", ["../evil.txt", "/etc/evil", "heard-1/../../evil", "C:\\evil", "run.py", "a.pkl"])
def test_nothing_but_a_voice_is_taken_in(kept, tmp_path, extra):
    with zipfile.ZipFile(voices.export("Allison", tmp_path / "a.zip")) as box:
        entries = {name: box.read(name) for name in box.namelist()}
    with pytest.raises(InputError, match=r"evil\.zip is not a voice that Linly exported"):
        voices.import_(zipped(tmp_path / "evil.zip", **entries, **{extra: b"x"}), "Evil")
    assert voices.load("Evil") is None and not (tmp_path / "evil.txt").exists()


def test_a_damaged_or_poisoned_file_is_refused(kept, tmp_path):
    with zipfile.ZipFile(voices.export("Allison", tmp_path / "a.zip")) as box:
        entries = {name: box.read(name) for name in box.namelist()}
    about = json.loads(entries["about.json"])
    for change in ({"consent": ""}, {"originals": ["../../x"]}, {"name": 7}):
        spoilt = {**entries, "about.json": json.dumps({**about, **change}).encode()}
        with pytest.raises(InputError, match="not a voice"):
            voices.import_(zipped(tmp_path / "b.zip", **spoilt), "Bad")
    (tmp_path / "c.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:5000])
    with pytest.raises(InputError, match="not a voice"):
        voices.import_(tmp_path / "c.zip", "Bad")
    style = next(name for name in entries if name.endswith("style.npy"))
    pickled = io.BytesIO()
    np.save(pickled, np.array([{"a": 1}], dtype=object))
    voices.import_(zipped(tmp_path / "d.zip", **{**entries, style: pickled.getvalue()}), "Bad")
    with pytest.raises(InputError, match="'bad' is damaged on disk: remove it and add it again"):
        voices.load("Bad")
    voices.remove("Bad")


def test_two_people_at_once_never_get_each_others_voice(people, monkeypatch):
    """Both enrol and speak at the same moment, several times; what each says is like itself."""
    for name, (_, sample) in people.items():
        remembered(monkeypatch, name, sample)
    gate, engine = threading.Barrier(2), registry.open_engine("speak", "kokoro")

    def enrol_and_speak(name: str) -> list[Audio]:
        paths, sample = people[name]
        gate.wait()
        voices.add(name, paths, consent=AGREED, sample=sample)
        said = []
        for _ in range(2):
            gate.wait()
            voice = library.find_voice(engine, name, "en")
            assert voice.name == name
            spoken = engine.speak("The morning is bright, and we walk to the river.", voice, Style())
            said.append(audio.concat(u.audio for u in spoken))
        return said

    with ThreadPoolExecutor(2) as both:
        said = dict(zip(people, both.map(enrol_and_speak, people), strict=True))
    judge = encoder.opened()
    for name, other in (("allison", "carlo"), ("carlo", "allison")):
        for sound in said[name]:
            own, theirs = (encoder.similarity(judge.embed(sound), people[who][1].embedding) for who in (name, other))
            assert own > theirs + 0.1
        assert np.array_equal(said[name][0].samples, said[name][1].samples)


def test_two_of_one_name_at_once_are_one(people, monkeypatch):
    for name, (_, sample) in people.items():
        remembered(monkeypatch, name, sample)
    gate = threading.Barrier(2)

    def enrol(name: str) -> str:
        gate.wait()
        try:
            voices.add("Same", people[name][0], consent=AGREED + name, sample=people[name][1])
            return name
        except InputError as error:
            assert "already a voice called 'Same'" in str(error)
            return ""

    with ThreadPoolExecutor(2) as both:
        won = [name for name in both.map(enrol, people) if name]
    assert len(won) == 1 and voices.info("Same")["consent"] == AGREED + won[0]
    kept = voices.load("Same")
    assert np.array_equal(kept.features, FOUND[won[0]].features)


def test_long_speech_is_cut_between_words():
    words = tuple(Span(f"w{i}", i * 0.5, i * 0.5 + 0.4) for i in range(100))
    words = tuple(replace(w, start=w.start + 0.5 * (i >= 20), end=w.end + 0.5 * (i >= 20)) for i, w in enumerate(words))
    speech = Audio(np.zeros(52 * 24000, np.float32), 24000)
    cut = enrolment.clips(speech, Transcript(" ".join(w.text for w in words), "en", words))
    assert cut[0][1].split()[-1] == "w19", "cut where the pause is"
    assert " ".join(text for _, text, _ in cut).split() == [w.text for w in words]
    assert all(sound.seconds <= 14.5 for sound, _, _ in cut)
    assert sum(len(sound.samples) for sound, _, _ in cut) == len(speech.samples)


def run(*arguments: str, capsys) -> dict:
    code = cli.main([*arguments, "--json"])
    out = capsys.readouterr()
    assert code == 0, out.err
    return json.loads(out.out.splitlines()[-1])


@pytest.mark.slow
def test_the_verb_from_adding_to_removing(people, tmp_path, capsys):
    recording = str(people["allison"][0][0])
    added = run("voice", "add", "Ann", recording, "--consent", AGREED, "--text", "This is what I say.", capsys=capsys)
    assert {"seconds", "speech_seconds", "snr_db", "clipping", "speakers", "similarity", "advice"} <= set(added)
    assert added["tier"] == "closest" and added["text"] == "This is what I say." and added["similarity"] > 0.6
    assert [v["name"] for v in run("voice", "list", capsys=capsys)["voices"]] == ["Ann"]
    test = run("voice", "test", "Ann", "-o", str(tmp_path / "ann.wav"), capsys=capsys)
    assert audio.load(test["file"], max_seconds=60).seconds == pytest.approx(test["seconds"], abs=0.1)
    run("voice", "rename", "Ann", "Anna", capsys=capsys)
    run("voice", "export", "Anna", str(tmp_path / "anna.zip"), capsys=capsys)
    run("voice", "remove", "Anna", capsys=capsys)
    assert run("voice", "import", str(tmp_path / "anna.zip"), capsys=capsys) == {"imported": "Anna"}
    assert any(v["id"] == "Anna" for v in run("voices", capsys=capsys)["voices"])
    out = tmp_path / "talk.mp4"
    for wish in ("Anna", recording):
        made = run("render", "--text", "Hello.", "--voice", wish, "--size", "256", "-o", str(out), capsys=capsys)
        assert made["voice"] == ("Anna" if wish == "Anna" else Path(recording).stem) and out.stat().st_size > 10_000
    assert voices.names() == ["Anna"], "a file's voice is not kept"
