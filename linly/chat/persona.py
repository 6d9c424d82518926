"""Who answers: a name, a role, a manner, facts, and the short instructions that a language model gets of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from linly.errors import InputError
from linly.settings import ASSETS
from linly.text.files import decode

FOLDER = ASSETS / "personas"


@dataclass(frozen=True)
class Persona:
    """Who answers. Made from a TOML file by `load`."""

    name: str = "Lin"
    role: str = ""
    """what it is and does, as "a guide of the city museum" """
    manner: str = ""
    """how it speaks, as "warm and calm" """
    language: str = "auto"
    """ISO 639-1 code, or "auto" to answer in the language of the question"""
    facts: tuple[str, ...] = ()
    """what it must not get wrong, a sentence each"""
    greeting: str = ""
    """what it says first"""
    voice: str = ""
    """name or file; empty for the one that fits the language"""
    portrait: str = ""
    """name or file; empty for the sample"""
    knowledge: str = ""
    """folder of documents that it knows; beside the persona's file, if it is no full path"""

    def introduction(self, language: str) -> str:
        """Who it is, in one sentence."""
        chinese = language == "zh"
        fits = bool(re.search("[\u4e00-\u9fff]", self.role)) == chinese  # a role in the other language is left out
        role = f"{self.role}{'，' if chinese else ', '}" if self.role and fits else ""
        if chinese:
            return f"我是{self.name}，{role}一个用Linly制作的数字人。"
        return f"I am {self.name}, {role}a digital person made with Linly."


def load(source: str | Path) -> Persona:
    """The persona of a TOML file, or a sample's by its name. Raises InputError with one sentence."""
    path = Path(source).expanduser()
    if not path.is_file() and re.fullmatch(r"[\w-]+", str(source)):
        path = FOLDER / f"{source}.toml"
    if not path.is_file():
        raise InputError(f"There is no persona {str(source)!r}: name a file, or one of {', '.join(samples())}.")
    try:
        found = tomllib.loads(decode(path.read_bytes(), path.name))
    except (OSError, ValueError) as error:
        raise InputError(f"The persona {path.name} cannot be read ({error}): write it as TOML.") from error
    persona = Persona(**_checked(found, path.name))
    folder = Path(persona.knowledge).expanduser()
    if persona.knowledge and not folder.is_absolute():
        persona = Persona(**{**vars(persona), "knowledge": str(path.parent / folder)})
    return persona


def samples() -> tuple[str, ...]:
    """Names of the personas that come with Linly."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def _checked(found: dict[str, Any], name: str) -> dict[str, Any]:
    known = [one.name for one in fields(Persona)]
    for key, value in found.items():
        if key not in known:
            raise InputError(f"{name}: a persona has no {key!r}; it has {', '.join(known)}.")
        kind = list if key == "facts" else str
        if not isinstance(value, kind) or (kind is list and not all(isinstance(fact, str) for fact in value)):
            raise InputError(f"{name}: {key} must be {'a list of sentences' if kind is list else 'a text'}.")
    if not found.get("name", "Lin").strip():
        raise InputError(f"{name}: a persona needs a name.")
    return {**found, "facts": tuple(found.get("facts", ()))}


def instructions(persona: Persona, language: str) -> str:
    """What a language model is told, in Chinese or English: short enough for a small one to follow.

    language: ISO 639-1 code of the question; the persona's own wins.
    """
    language = language if persona.language == "auto" else persona.language
    if language == "zh":
        facts = "".join(f"{fact.rstrip('。')}。" for fact in persona.facts)
        return (
            f"{_you(persona.introduction('zh'))}"
            f"{f'说话方式：{persona.manner}。' if persona.manner else ''}"
            "像聊天一样用中文回答，只说一到三句短句，不用列表、符号和表情。不知道就说不知道。"
            f"{f'记住：{facts}' if facts else ''}"
            f"别人问你是谁、谁开发了你，就回答：“{persona.introduction('zh')}”不要说是别的公司开发了你。"
        )
    tongue = {"en": " in English"}.get(language, " in the language of the question")
    facts = " ".join(f"{fact.rstrip('.')}." for fact in persona.facts)
    return (
        f"{_you(persona.introduction('en'))} {f'Your manner: {persona.manner}. ' if persona.manner else ''}"
        f"Answer{tongue}, as in a conversation: one to three short sentences, no lists, no symbols, no emoji."
        f" If you do not know, say so. {f'Remember: {facts} ' if facts else ''}"
        f'Asked who you are or who made you, say: "{persona.introduction("en")}"'
        " Never say that another company made you."
    )


def _you(introduction: str) -> str:
    return introduction.replace("I am", "You are", 1).replace("我是", "你是", 1)


_MAKERS = re.compile(
    r"Open\s?AI|Chat\s?GPT|\bGPT(?:-?\d\w*)?\b|Qwen|Tongyi|通义|千问|阿里(?:云|巴巴)?|Alibaba|Anthropic|\bClaude\b|Google|谷歌|"
    r"Gemini|\bGemma\b|\bBard\b|DeepSeek|深度求索|Microsoft|微软|Copilot|\bMeta\b|\bLlama\b|Mistral|百度|文心|Baidu|讯飞|"
    r"Moonshot|\bKimi\b|智谱|ChatGLM|腾讯|Tencent|混元|字节|豆包|华为|盘古|\bSiri\b|\bAlexa\b|Amazon|\bApple\b",
    re.I,
)
_NOT = re.compile(r"\b(?:not|never|no|neither|nor)\b|n['’]t\b|不|没|非", re.I)
_SELF = re.compile(
    r"\byes,? I\b|是的?，我|对，我|"
    r"\b(?:I['’]m|I am|I was|I have been|I['’]ve been|my (?:name|creators?|makers?|developers?)|as an? (?:AI|large"
    r"|artificial|language))\b|我(?!觉得|想|认为|知道|听说|喜欢|建议|推荐)|作为|本人",
    re.I,
)
_BEGUN = re.compile(
    r"(?:\b(?:I(?:['’]\w*)?(?:\s+have)?|my|as(?:\s+an?)?)(?:\s+[A-Za-z'’]*)?|\b[A-Za-z'’]+|\byes,?\s*|作|本|是的?，?|对，?)$",
    re.I,
)
"""What could go on to one of these."""
_ENDS = re.compile(r"[。！？!?\n]|\.(?=\s)")


def in_character(pieces: Iterable[str], persona: Persona, language: str) -> Iterator[str]:
    """`pieces` without a claim to be somebody else's product: such a sentence becomes the persona's introduction.

    A sentence is held back only from where it begins to speak of the speaker; all else goes through at once. Names that
    the persona's own role or facts hold are its own affair.
    """
    own = " ".join((persona.name, persona.role, *persona.facts)).casefold()
    waiting, told = "", False
    for piece in pieces:
        waiting += piece
        while waiting:
            found = _SELF.search(waiting)
            if found is None:
                half = _BEGUN.search(waiting)
                cut = half.start() if half else len(waiting)
                if cut:
                    yield waiting[:cut]
                waiting = waiting[cut:]
                break
            if found.start():
                yield waiting[: found.start()]
                waiting = waiting[found.start() :]
            end = _ENDS.search(waiting)
            if end is None:
                break
            sentence, waiting = waiting[: end.end()], waiting[end.end() :]
            if not _claims(sentence, own):
                yield sentence
            elif not told:
                told = True
                yield persona.introduction(language)
    if _claims(waiting, own):
        waiting = "" if told else persona.introduction(language)
    if waiting:
        yield waiting


def _claims(sentence: str, own: str) -> bool:
    """Whether a sentence about the speaker names another maker or product as its own."""
    if not _SELF.search(sentence):
        return False
    for part in re.split(r"[,，;；]|\bbut\b|而是|但", sentence):
        names = [name for name in _MAKERS.findall(part) if name.casefold() not in own]
        if names and not _NOT.search(part):
            return True
    return False
