"""A language model on this machine: llama.cpp through xllamacpp, any GGUF, asked for a few tokens at a time."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from linly import settings, weights
from linly.contracts import Files
from linly.errors import EngineFailed, EngineUnavailable, InputError
from linly.registry import engine

MODELS = ("qwen2.5-1.5b", "qwen2.5-coder-0.5b")
"""In weights.toml, best first: the first that is here is taken where no file was chosen."""
CONTEXT = 2048
"""tokens of one conversation; reading more takes a small machine minutes"""
CONVERSATIONS = 2
"""whose beginnings are kept read at once"""
ANSWER = 220
"""tokens of the longest answer: about a minute of speech"""
STEPS = (2, 4, 6, 8)
"""Tokens that are asked for at once, the first time, the second..: the first word early, then less overhead."""
SAMPLING = {"temperature": 0.6, "top_p": 0.9, "top_k": 40, "repeat_penalty": 1.1, "repeat_last_n": 96}
Turns = list[dict[str, str]]


@engine(
    "think", "local", title="llama.cpp on this machine", languages=("zh", "en", "*"), can={"answers"},
    packages=("xllamacpp",), licence="MIT", needs_mb=900,
)  # fmt: skip
class Local:
    """Any instruct GGUF: the file of LINLY_GGUF, else the one in weights/gguf, else a model of the manifest.

    Nothing runs between two pieces: the next few tokens are written when somebody asks for them, from a cache of
    all before: voice and face have the cores meanwhile, and an answer that is given up costs nothing more.
    """

    def __init__(self, files: Files, device: str = "cpu") -> None:
        import xllamacpp

        path = chosen()
        if path is None:
            raise EngineUnavailable(self.why_not())
        self._name = path.parent.name if path.name == "model.gguf" else path.name
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx, params.n_parallel = CONTEXT * CONVERSATIONS, CONVERSATIONS
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings.threads()
        params.cpuparams.poll = params.cpuparams_batch.poll = 0  # who waits leaves the cores to voice and face
        params.n_gpu_layers = 999 if device.startswith("cuda") else 0
        params.ctx_shift, params.cache_ram_mib, params.verbosity = False, 0, -1
        params.api_keys = [secrets.token_urlsafe(32)]  # the library opens a port on loopback: nobody else is let in
        try:
            self._server: Any = xllamacpp.Server(params)
        except Exception as error:  # its exceptions share no base class
            raise EngineFailed(
                f"llama.cpp cannot read the language model {path.name}: fetch it again, or choose another GGUF."
            ) from error
        self._seeds = random.Random()

    @staticmethod
    def why_not() -> str:
        """Empty if there is a model, else one sentence on how to get one. Raises InputError for a file that is none."""
        if chosen() is not None:
            return ""
        return (
            f"There is no language model here ({weights.describe(MODELS[-1])}, or any other): run"
            f" `python -m linly weights pull {MODELS[-1]}`, or put a .gguf file into the folder gguf of the weights,"
            " or name one in LINLY_GGUF."
        )

    def close(self) -> None:
        """Give the memory back."""
        self._server = None

    def think(self, turns: Sequence[Mapping[str, str]]) -> Iterator[str]:
        """The reply to `turns`, a few tokens a piece. The oldest turns are left out where all would be too long.

        Raises InputError if there is nothing to answer, EngineFailed if the model breaks.
        """
        asked = fitting(turns)
        said, seed, left = "", self._seeds.getrandbits(31), ANSWER
        for step in range(ANSWER):
            tokens = min(left, STEPS[min(step, len(STEPS) - 1)])
            asked, whole, ended = self._more(asked, said, tokens, seed + step)
            left -= tokens
            if new := whole[len(said) :]:
                said = whole
                yield new
            if ended or left <= 0:
                return

    def read(self, turns: Sequence[Mapping[str, str]]) -> None:
        """Read `turns` and answer nothing: who goes on from them next is answered sooner. Raises as `think` does."""
        self._more(fitting(turns), "", 1, 0)

    def _more(self, asked: Turns, said: str, tokens: int, seed: int) -> tuple[Turns, str, bool]:
        """The turns that fit, what is said with `tokens` more, and whether the answer is whole."""
        while True:
            told = [*asked, {"role": "assistant", "content": said}] if said else asked
            reply = self._ask({"messages": told, "max_tokens": tokens, "seed": seed, **SAMPLING})
            if "choices" in reply:
                choice = reply["choices"][0]
                # A character of several tokens may be cut: it is written anew, whole, the next time.
                whole = (choice["message"].get("content") or "").rstrip("\ufffd")
                if not whole.startswith(said):
                    raise EngineFailed(f"The language model {self._name} lost its thread: ask again.")
                return asked, whole, choice["finish_reason"] != "length"
            error = reply.get("error", reply)
            if "context" not in str(error.get("type", "")) + str(error.get("message", "")):
                raise EngineFailed(f"The language model {self._name} failed: {error.get('message', 'no reason given')}")
            asked = shorter(asked)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._server is None:
            raise EngineFailed("The language model was closed: start the conversation again.")
        request["chat_template_kwargs"] = {"enable_thinking": False}
        try:
            reply: dict[str, Any] = self._server.handle_chat_completions(request)
        except Exception as error:  # its exceptions share no base class
            if "context" in str(error):
                return {"error": {"type": "context"}}
            raise EngineFailed(f"The language model {self._name} failed: {error}") from error
        return reply


def chosen() -> Path | None:
    """The model file to load; None if there is none. Raises InputError for one that was named and cannot be used."""
    here = settings.load()
    if here.gguf:
        path = Path(here.gguf).expanduser()
        path = path if path.is_file() else here.weights / "gguf" / here.gguf
        if not path.is_file():
            raise InputError(f"LINLY_GGUF names {here.gguf!r}, which is no file, nor one in {here.weights / 'gguf'}.")
        return _checked(path)
    own = sorted((here.weights / "gguf").glob("*.gguf"))
    if len(own) > 1:
        names = ", ".join(path.name for path in own)
        raise InputError(f"There are several models in {own[0].parent} ({names}): name one in LINLY_GGUF.")
    if own:
        return _checked(own[0])
    return next((weights.folder(name) / "model.gguf" for name in MODELS if weights.ready(name)), None)


def _checked(path: Path) -> Path:
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise InputError(f"{path.name} is no GGUF file: choose a language model in llama.cpp's format.")
    return path


def fitting(turns: Sequence[Mapping[str, str]], tokens: int = CONTEXT - ANSWER) -> Turns:
    """`turns` without the oldest that would not fit into `tokens`, by a careful guess; what is first said stays."""
    kept = [{"role": turn["role"], "content": turn["content"]} for turn in turns]
    if not kept or kept[-1]["role"] != "user" or not kept[-1]["content"].strip():
        raise InputError("There is nothing to answer: ask something.")
    while sum(8 + len(turn["content"].encode()) // 3 for turn in kept) > tokens:
        kept = shorter(kept)
    return kept


def shorter(turns: Turns) -> Turns:
    """Without the oldest turn and its answer, the instructions kept; else with the longest text cut by half."""
    first = 1 if turns[0]["role"] == "system" else 0
    if len(turns) - first > 1:
        after = next((i for i in range(first + 1, len(turns)) if turns[i]["role"] == "user"), len(turns) - 1)
        return turns[:first] + turns[after:]
    longest = max(range(len(turns)), key=lambda i: len(turns[i]["content"]))
    cut = dict(turns[longest])
    half = max(1, len(cut["content"]) // 2)
    cut["content"] = cut["content"][:half] if cut["role"] == "system" else cut["content"][-half:]
    return [*turns[:longest], cut, *turns[longest + 1 :]]
