"""Personas that users made: kept as they were written, apart from each other, with their documents."""

from __future__ import annotations

import os

import pytest

from linly.chat import persona as personas
from linly.chat.cast import FACTS, Cast
from linly.chat.persona import Persona
from linly.errors import InputError

ANN, BO = "a secret of Ann's", "../../etc"


@pytest.fixture
def cast(tmp_path) -> Cast:
    return Cast(tmp_path / "cast")


@pytest.mark.parametrize("name", [
    "Tina", "林老师", "../../up", "a/b", "con", "x" * 60, "\N{RIGHT-TO-LEFT OVERRIDE}gpj", "<script>", "; rm -rf ~",
    ".", 'say "hi"\\', "emoji \N{GRINNING FACE}", "two\nlines",
])  # fmt: skip
def test_any_name_and_any_words_come_back_as_they_were(cast, tmp_path, name):
    wish = Persona(
        name, role='a "teacher"\\', manner="warm\x7f\x01", language="zh", facts=("One.", "二\n三", "'''"),
        greeting="Hi [x] = 1", voice="af_heart", portrait="mei",
    )  # fmt: skip
    assert cast.save(ANN, wish) == name and cast.names(ANN) == [name]
    assert cast.load(ANN, name) == wish
    inside = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
    assert inside == {"cast"} and ANN not in str(list(tmp_path.rglob("*")))


def test_users_see_nothing_of_each_other(cast):
    cast.save(ANN, Persona("Tina"))
    assert not cast.names(BO) and not cast.names("")
    for user in (BO, ""):
        with pytest.raises(InputError, match="There is no persona"):
            cast.load(user, "Tina")
        with pytest.raises(InputError, match="your own"):
            cast.remove(user, "Tina")
    cast.erase(BO)
    assert cast.names(ANN) == ["Tina"]
    cast.erase(ANN)
    assert not cast.names(ANN)


def test_samples_are_there_for_everybody_and_stay_as_they_are(cast):
    sample = personas.samples()[0]
    assert cast.load("", sample) == cast.load(ANN, sample) == personas.load(sample)
    with pytest.raises(InputError, match="your own"):
        cast.remove(ANN, sample)
    cast.save(ANN, Persona(sample, role="mine"))
    assert cast.load(ANN, sample).role == "mine" and cast.load(BO, sample).role != "mine"
    with pytest.raises(InputError, match="There is no persona"):
        cast.load(ANN, str(personas.FOLDER / f"{sample}.toml"))  # a visitor names no files


@pytest.mark.parametrize(("persona", "why"), [
    (Persona(" "), "needs a name"), (Persona("x" * 61), "too long"), (Persona("A", role="r" * 301), "role is too long"),
    (Persona("A", facts=("f",) * (FACTS + 1)), "at most"),
])  # fmt: skip
def test_what_cannot_be_kept_is_said_and_the_old_one_stays(cast, persona, why):
    cast.save(ANN, Persona("A", role="old"))
    with pytest.raises(InputError, match=why):
        cast.save(ANN, persona)
    assert cast.load(ANN, "A").role == "old"
    with pytest.raises(InputError, match="keeps no name"):
        cast.save("", Persona("A"))


def test_a_save_that_breaks_off_leaves_the_old_one(cast, monkeypatch):
    cast.save(ANN, Persona("A", role="old"))
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match="disk is full"):
        cast.save(ANN, Persona("A", role="new"))
    monkeypatch.undo()
    assert cast.load(ANN, "A").role == "old" and cast.names(ANN) == ["A"]


def test_documents_belong_to_their_persona(cast, tmp_path, monkeypatch):
    monkeypatch.setenv("LINLY_LIBRARY", str(tmp_path / "library"))
    (tmp_path / "plants.txt").write_text("Plants turn light into sugar.")
    (tmp_path / "bad.pdf").write_bytes(b"not a pdf")
    with pytest.raises(InputError, match="Save the persona first"):
        cast.put(ANN, "Tina", tmp_path / "plants.txt")
    cast.save(ANN, Persona("Tina"))
    assert cast.knowledge(ANN, "Tina") is None
    name = cast.put(ANN, "Tina", tmp_path / "plants.txt")
    found = cast.knowledge(ANN, "Tina")
    assert found and [listed.name for listed in found.documents()] == [name]
    assert "sugar" in found.search("What do plants turn light into?")[0].text
    with pytest.raises(InputError):
        cast.put(ANN, "Tina", tmp_path / "bad.pdf")
    assert len(found.documents()) == 1
    cast.save(ANN, Persona("Tina", role="changed"))
    assert cast.knowledge(ANN, "Tina").documents()
    for wrong in ("../plants.txt", "nothing.txt"):
        with pytest.raises(InputError):
            cast.take_out(ANN, "Tina", wrong)
    cast.take_out(ANN, "Tina", name)
    assert not found.documents()
