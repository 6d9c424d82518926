"""Who answers: files, instructions, and never somebody else's product."""

import pytest

from linly.chat.persona import Persona, in_character, instructions, load, samples
from linly.errors import InputError


def guarded(text, persona=None, language="en", size=1):
    return "".join(
        in_character((text[i : i + size] for i in range(0, len(text), size)), persona or Persona(), language)
    )


@pytest.mark.parametrize("name", samples())
def test_every_sample_can_be_loaded_and_told(name):
    persona = load(name)
    for language in ("zh", "en"):
        told = instructions(persona, language)
        assert persona.name in told and "Linly" in told and len(told) < 700
        assert all(fact.rstrip(".。") in told for fact in persona.facts)


def test_a_persona_is_read_from_a_file(tmp_path):
    file = tmp_path / "guide.toml"
    file.write_text(
        'name = "阿明"\nlanguage = "zh"\nfacts = ["博物馆九点开门"]\nknowledge = "papers"\n', encoding="utf-8"
    )
    persona = load(file)
    assert persona.facts == ("博物馆九点开门",) and persona.knowledge == str(tmp_path / "papers")
    assert "阿明" in instructions(persona, "en") and "用中文" in instructions(persona, "en")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nme = 'x'", "nme"),
        ("name = 3", "name must be"),
        ("facts = 'x'", "facts"),
        ("name = ' '", "name"),
        ("x", "TOML"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(tmp_path, text, words):
    (tmp_path / "p.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        load(tmp_path / "p.toml")
    with pytest.raises(InputError, match="no persona"):
        load("nobody-at-all")


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("written", "language"),
    [
        ("Hello. I am ChatGPT, made by OpenAI. How are you?", "en"),
        ("Sure, I'm Qwen, created by Alibaba Cloud. How are you?", "en"),
        ("As an AI language model developed by Google I know much.", "en"),
        ("我是由OpenAI开发的人工智能助手。有什么可以帮你？", "zh"),
        ("你好！我是通义千问，来自阿里云。", "zh"),
    ],
)
def test_a_claim_to_be_another_product_becomes_the_introduction(written, language, size):
    said = guarded(written, language=language, size=size)
    assert Persona().introduction(language) in said
    assert not any(name in said for name in ("ChatGPT", "OpenAI", "Qwen", "Alibaba", "Google", "通义", "阿里"))


def test_a_false_yes_goes_with_the_claim():
    assert guarded("Yes, I am ChatGPT.") == "I am Lin, a digital person made with Linly."
    assert guarded("是的，我由OpenAI开发。", language="zh") == "我是Lin，一个用Linly制作的数字人。"


@pytest.mark.parametrize(
    "written",
    [
        "I'm not ChatGPT, I'm Lin.",
        "I like maps. Google makes some.",
        "我不是ChatGPT。",
        "OpenAI是一家公司。",
        "I am glad. Are you?",
    ],
)
def test_what_is_true_is_left_alone(written):
    assert guarded(written) == written
    assert guarded("I am a guide at Google.", Persona(role="a guide at Google")) == "I am a guide at Google."


@pytest.mark.parametrize("size", [1, 4, 100])
@pytest.mark.parametrize(
    "language, text",
    [
        ("en", "Windows was developed by Microsoft. I like it."),
        ("en", "Yes, Google was founded in 1998."),
        ("zh", "安卓系统由谷歌开发。我觉得腾讯的微信很好用。"),
    ],
)
def test_what_others_made_may_be_said(language, text, size):
    assert guarded(text, None, language, size) == text
