"""Bad input with the real engines: one clear sentence, exit code 2, and nothing left behind."""

import json
import wave

import numpy as np
import pytest
from PIL import Image as Picture

from linly import video
from linly.cli import main
from linly.library import samples

pytestmark = pytest.mark.slow
SAMPLE = samples()[0].path


def photo(tmp_path, name="photo.png", picture=None, **options):
    path = tmp_path / name
    (picture or Picture.open(SAMPLE)).save(path, **options)
    return path


def sheet(tmp_path):
    """Two faces, one larger."""
    face = Picture.open(SAMPLE)
    both = Picture.new("RGB", (face.width * 3 // 2, face.height), "grey")
    both.paste(face, (0, 0))
    both.paste(face.resize((face.width // 2, face.height // 2)), (face.width, 0))
    return photo(tmp_path, picture=both)


def noise(tmp_path):
    grain = np.random.default_rng(0).integers(0, 255, (512, 512, 3), dtype=np.uint8)
    return photo(tmp_path, picture=Picture.fromarray(grain))


def truncated(tmp_path):
    path = tmp_path / "cut.jpg"
    path.write_bytes(SAMPLE.read_bytes()[:3000])
    return path


def renamed(tmp_path, name):
    path = tmp_path / name
    path.write_text("this is a text, whatever its name says\n" * 50)
    return path


def recording(tmp_path, seconds, level):
    path = tmp_path / "in.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        tone = (level * np.sin(np.arange(8000) * 0.3) * 32767).astype("<i2").tobytes()
        for _ in range(seconds):
            out.writeframes(tone)
    return path


def run(capsys, out, *arguments):
    code = main(["render", *map(str, arguments), "-o", str(out), "--json"])
    said = capsys.readouterr()
    return code, said.err.strip(), json.loads(said.out.splitlines()[-1])


BAD = [
    ("no face", lambda t: ["--text", "Hi.", "--portrait", noise(t)], "No face was found"),
    (
        "tiny",
        lambda t: ["--text", "Hi.", "--portrait", photo(t, picture=Picture.open(SAMPLE).resize((90, 90)))],
        "90x90",
    ),
    ("truncated", lambda t: ["--text", "Hi.", "--portrait", truncated(t)], "cut.jpg"),
    ("text as picture", lambda t: ["--text", "Hi.", "--portrait", renamed(t, "face.jpg")], "face.jpg"),
    ("no text", lambda t: ["--text", ""], "nothing to say"),
    ("only emoji", lambda t: ["--text", "😀🎉👍"], "nothing"),
    ("100 000 characters", lambda t: ["--text", "word " * 20000], "100,000 characters"),
    ("silent sound", lambda t: ["--audio", recording(t, 3, 0)], "silence"),
    ("an hour of sound", lambda t: ["--audio", recording(t, 3600, 0.3)], "minutes"),
    ("text as sound", lambda t: ["--audio", renamed(t, "talk.wav")], "talk.wav"),
    ("unknown voice", lambda t: ["--text", "Hi.", "--voice", "nobody_at_all"], "no voice called"),
    ("empty script", lambda t: ["--script", renamed(t, "a.docx")], "must be a .txt or .md"),
]


@pytest.mark.parametrize(("make", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_one_sentence_and_nothing_left(models, tmp_path, capsys, make, words):
    inputs, out = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    out.mkdir()
    code, said, result = run(capsys, out / "o.mp4", *make(inputs))
    assert code == 2 and said.startswith("linly: ") and "\n" not in said and "Traceback" not in said
    assert words in said and result["kind"] == "InputError"
    assert list(out.iterdir()) == []


def test_a_folder_that_is_not_there_and_one_that_takes_no_file(models, tmp_path, capsys):
    for out in (tmp_path / "missing" / "o.mp4", "/proc/o.mp4", tmp_path):
        code, said, _ = run(capsys, out, "--text", "Hi.")
        assert code == 2 and "\n" not in said, said


@pytest.mark.parametrize("name", ["; rm -rf x.mp4", "-dash.mp4", "新 文件 🎬.mp4", "a'b\"c$(d).mp4"])
def test_hostile_names_are_only_names(models, tmp_path, capsys, name):
    code, said, result = run(capsys, tmp_path / name, "--text", "Hi.", "--size", "256")
    assert code == 0, said
    assert [p.name for p in tmp_path.iterdir()] == [name] and result["video"] == str(tmp_path / name)


def test_several_faces_the_largest_talks_and_one_is_told(models, tmp_path, capsys):
    code, said, result = run(
        capsys, tmp_path / "o.mp4", "--text", "Hi.", "--size", "256", "--portrait", sheet(tmp_path)
    )
    assert code == 0 and "several faces" in said and result["portrait_report"]["faces"] == 2


def test_odd_pictures_work(models, tmp_path, capsys):
    """Transparent, grey, lying on its side by EXIF, and larger than a screen."""
    face = Picture.open(SAMPLE)
    side = Picture.Exif()
    side[0x0112] = 6
    clear = face.convert("RGBA")
    clear.putalpha(200)
    odd = {
        "clear.png": (clear, {}),
        "grey.png": (face.convert("L"), {}),
        "side.jpg": (face.rotate(90, expand=True), {"exif": side}),
        "huge.jpg": (face.resize((5000, 5000)), {}),
    }
    for name, (picture, options) in odd.items():
        path = photo(tmp_path, name, picture, **options)
        out = tmp_path / f"{path.stem}.mp4"
        code, said, result = run(capsys, out, "--text", "Hi.", "--size", "256", "--portrait", path)
        assert code == 0, said
        assert abs(result["portrait_report"]["roll"]) < 15, name
        assert max(video.probe(out).size) == 256
