"""The Chat tab's folded parts as plain functions: who answers, what is remembered, in both languages."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from linly import registry
from linly.chat import memory as memories
from linly.chat.memory import shared
from linly.chat.phrases import Phrases
from linly.ui import chat, chat_room, persona, remembered
from linly.ui.messages import translated
from linly.ui.strings import text

ANN, BO = "ann's secret", "bo's secret"


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch):
    monkeypatch.setenv("LINLY_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "jobs"))
    yield tmp_path
    memories._opened.cache_clear()


def form(name: str, **more: str) -> list[str]:
    values = {
        "name": name,
        "role": "",
        "manner": "",
        "greeting": "",
        "language": "auto",
        "facts": "",
        "face": "",
        "voice": "",
    }
    return list((values | more).values())


def talk(user: str, *said: str) -> str:
    kept = shared().diary(user, "Lin")
    id_ = kept.start()
    for n, words in enumerate(said):
        kept.add(id_, "assistant" if n % 2 else "user", words)
    return id_


def test_a_persona_is_made_in_the_form_and_chosen(library):
    shown, said = persona.saved("en", ANN, *form("Tina", role="a guide", facts="One.\n\nTwo.", voice="af_heart"))
    assert shown["value"] == "Tina" and ("Tina", "Tina") in shown["choices"] and "good" in said
    assert ("Tina", "Tina") not in persona.choices(BO)
    name, role, *_, language, facts, _, _, _, _ = persona.picked("en", ANN, "Tina")
    assert (name, role, language, facts) == ("Tina", "a guide", "auto", "One.\nTwo.")
    who, knows = chat_room.find(ANN, "Tina")
    assert who.voice == "af_heart" and knows is None
    shown, _ = persona.removed("zh", ANN, "Tina")
    assert shown["value"] == persona.USUAL["zh"] and ("Tina", "Tina") not in shown["choices"]


def test_who_has_chosen_nobody_gets_one_of_the_page_s_language():
    assert persona.entered("zh", ANN, "lin")["value"] == "xiaolin"
    assert persona.entered("en", ANN, "xiaolin")["value"] == "lin"
    assert persona.entered("zh", ANN, "teacher")["value"] == "teacher"


def test_documents_are_listed_with_what_is_wrong(library):
    persona.saved("en", ANN, *form("Tina"))
    (library / "zoo.txt").write_text("The old elephant is called Bo.")
    said, listed, which, _ = persona.put("en", ANN, "Tina", str(library / "zoo.txt"))
    assert "zoo.txt" in said and "zoo.txt" in listed and which["value"] == "zoo.txt" and which["visible"]
    (library / "bad.pdf").write_bytes(b"nothing")
    with pytest.raises(gr.Error):
        persona.put("zh", ANN, "Tina", str(library / "bad.pdf"))
    _, listed, which, _ = persona.taken_out("en", ANN, "Tina", "zoo.txt")
    assert "zoo" not in listed and not which["visible"]


@pytest.mark.parametrize(("lang", "words"), [("en", "needs a name"), ("zh", "需要一个名字")])
def test_what_cannot_be_saved_is_a_toast_in_the_page_s_language(lang, words):
    with pytest.raises(gr.Error, match=words):
        persona.saved(lang, ANN, *form(" "))
    with pytest.raises(gr.Error):
        persona.saved(lang, "", *form("Tina"))


def test_what_is_remembered_is_shown_mended_and_erased():
    talk(ANN, "My name is Ann.", "Hello Ann.")
    _, facts, talks, *_ = remembered.shown("en", ANN, "lin")
    [(label, fact)] = facts["choices"]
    assert label == "Name: Ann" and len(talks["choices"]) == 1
    assert remembered.chosen(ANN, "lin", fact) == "Ann"
    _, said, facts, *_ = remembered.mended("zh", ANN, "lin", fact, "Anna")
    assert facts["choices"][0][0] == "名字: Anna" and text("zh", "memory_edited") in said
    remembered.told("en", ANN, "lin", "Her dog is called Rex")
    _, _, facts, *_ = remembered.forgotten("en", ANN, "lin", fact)
    assert [label for label, _ in facts["choices"]] == ["Note: Her dog is called Rex"]
    for wrong in (None, 999):
        with pytest.raises(gr.Error):
            remembered.forgotten("en", ANN, "lin", wrong)
    with pytest.raises(gr.Error):
        remembered.forgotten("en", BO, "lin", facts["choices"][0][1])  # not theirs


def test_a_conversation_is_read_taken_along_gone_on_with_and_deleted():
    id_ = talk(ANN, "What is <b>light</b>?", "It is energy.")
    page, verbs, file = remembered.read("en", ANN, "lin", id_)
    assert "&lt;b&gt;light" in page and "It is energy." in page and verbs["visible"]
    assert "It is energy." in Path(file["value"]).read_text(encoding="utf-8")
    assert remembered.resumed("en", id_)[0] == id_
    with pytest.raises(gr.Error):
        remembered.read("en", BO, "lin", id_)
    said, _, talks, *_ = remembered.deleted("en", ANN, "lin", id_)
    assert text("en", "memory_deleted") in said and not talks["visible"]


def test_who_wants_to_be_forgotten_is_and_nobody_else():
    talk(ANN, "My name is Ann.")
    talk(BO, "My name is Bo.")
    persona.saved("en", ANN, *form("Tina"))
    Phrases(shared()).said(ANN, "Good morning")
    remembered.erased("en", ANN, "lin")
    assert not persona.cast().names(ANN) and not shared().diary(ANN, "Lin").conversations()
    assert not Phrases(shared()).recent(ANN)
    assert "Bo" in str(remembered.shown("en", BO, "lin")) and "Ann" not in str(remembered.shown("en", ANN, "lin"))


def test_nobody_is_told_that_nothing_is_kept():
    said, *rest = remembered.shown("en", "", "lin")
    assert text("en", "memory_nobody") in said and not rest[0]["visible"]
    with pytest.raises(gr.Error):
        remembered.erased("zh", "", "lin")


def test_without_a_language_model_the_tab_offers_one(fake_engines):
    words, button, _ = list(chat.prepared("zh"))[-1]
    assert button["visible"] and "bad" in words
    registry.engine("think", "mine", title="Mine", can={"answers"})(type("B", (), {
        "__init__": lambda self, files=None, device="": None, "think": lambda self, turns: iter(["Yes."]),
    }))  # fmt: skip
    words, button, voices = list(chat.prepared("en"))[-1]
    assert not button["visible"] and "good" in words and len(voices["choices"]) > 2


def test_the_live_picture_s_sentence_is_there_in_chinese():
    said = "At 512 pixels this machine makes 14 pictures a second beside speaking, not 25;"
    said += " the live picture is 512 pixels at 12 a second."
    assert "14" in translated(said, "zh") and "pictures" not in translated(said, "zh")
