"""Sources of lectures: what is read of which file, and one sentence for each that will not do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path

import decks
import pytest

from linly.batch import marks, readers, slides, subtitled
from linly.batch.values import Options
from linly.errors import InputError


def read(path, tmp_path, **options):
    talks, problems = readers.talks([path], Options(**options), tmp_path / "work")
    assert not problems, problems
    return talks


def said(talk) -> list[str]:
    return [line.text or f"({line.pause:g})" for line in talk.lines]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_scripts_in_any_encoding(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes("植物需要阳光。它们也需要水，所以我们每天浇水。".encode(encoding))
    assert said(read(tmp_path / "a.txt", tmp_path)[0]) == ["植物需要阳光。", "它们也需要水，所以我们每天浇水。"]


def test_a_deck_is_its_notes_and_its_slides(tmp_path):
    deck = decks.pptx(tmp_path / "d.pptx", [("植物", "光合作用", "第一页。还是第一页。"), ("Water", "x", "")])
    [talk] = read(deck, tmp_path)
    assert talk.title == "植物" and talk.heads == ("植物", "Water") and len(talk.slides) == 2
    assert [(line.text, line.slide) for line in talk.lines] == [("第一页。", 1), ("还是第一页。", 1), ("", 2)]
    assert all(path.is_file() for path in talk.slides)
    assert any("Slide 2 has no notes" in warning for warning in talk.warnings)


def test_a_pdf_is_told_by_the_script_beside_it(tmp_path):
    deck = decks.pdf(tmp_path / "p.pdf", 3)
    (tmp_path / "p.md").write_text("One.\n\nTwo. Still two.\n\nThree.")
    [talk] = read(deck, tmp_path)
    assert [(line.text, line.slide) for line in talk.lines] == [
        ("One.", 1), ("Two.", 2), ("Still two.", 2), ("Three.", 3)
    ]  # fmt: skip
    (tmp_path / "p.md").write_text("One. [slide] Two. [slide 1] One again. [slide 9]")
    [talk] = read(deck, tmp_path)
    assert [line.slide for line in talk.lines] == [1, 2, 1]
    assert talk.warnings == ("[slide 9] cannot be done, and is left out.",)


@pytest.fixture(scope="session")
def foreign(tmp_path_factory):
    """The decks that python-pptx is tested with, made by PowerPoint and others, out of its source archive."""
    folder = tmp_path_factory.mktemp("foreign")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "-q", "-d", str(folder)]
    done = subprocess.run(
        [*command, f"python-pptx=={metadata.version('python-pptx')}"], capture_output=True, check=False
    )
    archives = list(folder.glob("*.tar.gz"))
    if done.returncode or not archives:
        pytest.skip("pip cannot fetch the source of python-pptx here")
    with tarfile.open(archives[0]) as archive:
        decks_in_it = [member for member in archive.getmembers() if member.name.endswith(".pptx")]
        archive.extractall(folder, decks_in_it, filter="data")
    return {path.stem: path for path in folder.rglob("*.pptx")}


@pytest.mark.slow
def test_decks_that_others_made(foreign, tmp_path):
    assert len(foreign) > 40
    talks, problems = readers.talks(sorted(foreign.values()), Options(), tmp_path / "work")
    assert {talk.name for talk in talks} == {"ph-inherit-props", "prs-notes", "sld-notes"}  # the ones with notes
    assert all("has no speaker notes" in problem.says or "no slides" in problem.says for problem in problems)
    chinese = shutil.copy(foreign["txt-font-typeface"], tmp_path / "汉字.pptx")
    (tmp_path / "汉字.txt").write_text("这一页上写着汉字。", encoding="gb18030")
    [talk] = read(Path(chinese), tmp_path)
    assert said(talk) == ["这一页上写着汉字。"] and re.search("[\u4e00-\u9fff]", slides.document(Path(chinese))[0].text)


def test_subtitles_keep_their_times():
    text = "1\r\n00:00:01,500 --> 00:00:02,000\r\n<i>Hello</i>\r\nthere.\r\n\r\n"
    text += "2\r\n01:00:00,000 --> 01:00:01,000\r\nBye.\r\n"
    assert subtitled.cues(text) == [(1.5, "Hello there."), (3600.0, "Bye.")]
    assert subtitled.cues("WEBVTT\n\nid\n00:03.250 --> 00:04.000 align:left\nA &lt; b\n") == [(3.25, "A < b")]


def test_a_table_is_a_talk_a_row_with_its_own_options(tmp_path):
    (tmp_path / "beside.txt").write_text("From a file.")
    rows = decks.xlsx(
        tmp_path / "t.xlsx",
        ("标题", "文稿", "语速", "layout"),
        ("A", "Hi.", 1.2, "audio"),
        ("B", "beside.txt", None, None),
    )
    one, two = read(rows, tmp_path, rate=0.9)
    assert (one.title, one.options.rate, one.options.layout) == ("A", 1.2, "audio")
    assert (said(two), two.options.rate) == (["From a file."], 0.9)
    (tmp_path / "bad.csv").write_text("title,script,rate\nA,Hi.,9\n")
    _, [problem] = readers.talks([tmp_path / "bad.csv"], Options(), tmp_path / "work")
    assert problem.says == "bad.csv, row 2: rate must be between 0.5 and 2, got 9."


def test_marks_are_orders_and_other_brackets_are_text():
    script = marks.read(
        "Hi. [pause 1.5] [emotion happy] Good *news* [1]. [speaker Bo voice=zm_yunxi portrait=bo] 你好。"
        "[停顿] [say 重庆 = chong2 qing4] 重庆。 [speaker Anna] [noise] Yes. [emotion great] No."
    )
    lines = [(line.text, line.pause, line.emotion, line.voice) for line in script.lines]
    assert lines[:3] == [("Hi.", 0.0, "", ""), ("", 1.5, "", ""), ("Good *news* [1].", 0.0, "happy", "")]
    assert ("你好。", 0.0, "happy", "zm_yunxi") in lines and ("", 1.0, "happy", "zm_yunxi") in lines
    assert script.lines[-1].lexicon == (("重庆", "chong2 qing4"),)
    assert script.lines[-1].voice == "Anna"
    assert script.warnings == [
        "[noise] is no mark, and is read as text.", "[emotion great] cannot be done, and is left out."
    ]  # fmt: skip


def test_thirty_files_good_and_bad(tmp_path):
    good, bad = decks.mixed(tmp_path / "all")
    assert len(list((tmp_path / "all").iterdir())) == 30
    talks, problems = readers.talks([tmp_path / "all"], Options(), tmp_path / "work")
    assert sorted(talk.name for talk in talks) == sorted(good)
    assert sorted(problem.source for problem in problems) == sorted(bad)
    for problem in problems:
        assert problem.says.endswith(".") and problem.says.count(". ") == 0 and "Traceback" not in problem.says
    inside = [path.resolve() for path in (tmp_path / "work").rglob("*")]
    assert all(path.is_relative_to((tmp_path / "work").resolve()) for path in inside)
    assert not (tmp_path / "escape.txt").exists()


@pytest.mark.parametrize("name", ["../x", "a/b\\c", "x" * 300, "图" * 100, ".", "con", "a\nb\x00"])
def test_names_of_files_are_our_own(name):
    given = readers.named(name)
    assert (
        len(given.encode()) <= 121
        and "/" not in given
        and "\\" not in given
        and given.isprintable()
        and given.strip(".")
    )


def test_an_option_that_cannot_be_is_told():
    with pytest.raises(InputError, match="layout must be one of"):
        Options(layout="sideways")
    with pytest.raises(InputError, match="There is no option 'colour'"):
        Options().given({"colour": "red"})
