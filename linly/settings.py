"""One frozen set of settings: a flag wins over a LINLY_* variable, which wins over the default."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from linly.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"


@dataclass(frozen=True)
class Settings:
    """Settings of one installation. Every field can be set by the variable LINLY_<FIELD>."""

    weights: Path = ROOT / "weights"
    """folder of the model files"""
    library: Path = ROOT / "library"
    """folder of enrolled voices and portraits, and of jobs"""
    lang: str = "auto"
    """language of page and messages: auto, en or zh"""
    threads: int = 0
    """threads for the engines; 0 is all cores"""
    device: str = "auto"
    """auto takes a GPU where there is one and an engine has a use for it; or cpu, or cuda"""
    label: bool = True
    """draw the small visible "AI" label on every video"""
    max_characters: int = 20000
    """longest text of one render"""
    max_sound_minutes: float = 20
    """longest sound of one render"""
    token: str = ""
    """password of the page when it listens beyond this machine"""
    gguf: str = ""
    """language model of the engine `local`: a file, or the name of one in weights/gguf; empty takes what is there"""
    openai_url: str = ""
    """address of a server that speaks OpenAI's protocol, as http://127.0.0.1:11434/v1"""
    openai_model: str = ""
    """model to ask for there; empty takes the first that the server offers"""
    openai_key: str = field(default="", repr=False)
    """key for that server, if it wants one"""
    answers: str = ""
    """prepared answers of the engine `script`: a .txt, .csv or .json file; empty says what was asked"""


def load(**flags: Any) -> Settings:
    """Settings from the given flags (None means not given), then the environment, then the defaults."""
    values: dict[str, Any] = {}
    for one in fields(Settings):
        value = flags.get(one.name)
        if value is None:
            value = os.environ.get(f"LINLY_{one.name.upper()}")
        if value is not None:
            values[one.name] = _convert(one.name, type(one.default), value)
    return Settings(**values)


def _convert(name: str, kind: Any, value: Any) -> Any:
    try:
        if kind is bool and isinstance(value, str):
            return value.strip().lower() not in ("0", "no", "off", "false", "")
        if issubclass(kind, Path):
            return Path(value).expanduser()
        return kind(value)
    except ValueError as error:
        raise InputError(f"LINLY_{name.upper()} must be a {kind.__name__}, got {value!r}.") from error


def threads() -> int:
    """How many threads an engine should use: the setting, or the cores this process may run on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return load().threads or cores
