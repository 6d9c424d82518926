"""A language model behind OpenAI's protocol: vLLM, Ollama, LM Studio, llama.cpp's server, or a cloud."""

from __future__ import annotations

import queue
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from linly import settings
from linly.contracts import Files
from linly.errors import EngineFailed, EngineUnavailable, InputError
from linly.registry import engine

CONNECT, FIRST, BETWEEN = 5.0, 30.0, 15.0
"""Seconds that the server may take to be reached, to begin its answer, and between two pieces of it."""
PATIENCE = 3.0
"""Seconds of Retry-After that are waited for, once; who is told to wait longer is told so."""
ANSWER = 400
"""tokens of the longest answer"""
_END = object()


@engine(
    "think", "openai", title="OpenAI-compatible server", languages=("*",), can={"answers"},
    packages=("openai",), licence="Apache-2.0", needs_mb=60,
)  # fmt: skip
class Server:
    """Streams from LINLY_OPENAI_URL, with LINLY_OPENAI_MODEL and, where it is wanted, LINLY_OPENAI_KEY.

    The key is sent to that server and shown nowhere.
    """

    def __init__(self, files: Files | None = None, device: str = "cpu") -> None:
        import openai

        here = settings.load()
        if reason := self.why_not():
            raise EngineUnavailable(reason)
        self._model, self._key = here.openai_model, here.openai_key
        self.host = re.sub(r"//[^/@]*@", "//", here.openai_url).split("?")[0].rstrip("/")
        self._client: Any = openai.OpenAI(
            base_url=here.openai_url, api_key=self._key or "none", timeout=FIRST, max_retries=0
        )

    @staticmethod
    def why_not() -> str:
        """Empty if a server is named, else one sentence that names the variable."""
        url = settings.load().openai_url
        if re.match(r"https?://[^/\s]+", url):
            return ""
        wrong = f"LINLY_OPENAI_URL is {url!r}" if url else "No language model server is named"
        return f"{wrong}: set LINLY_OPENAI_URL to its address, as http://127.0.0.1:11434/v1."

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def think(self, turns: Sequence[Mapping[str, str]]) -> Iterator[str]:
        """The reply to `turns`, piece by piece. Closing it ends the request at once.

        Raises InputError if there is nothing to answer, EngineFailed with one sentence for whatever goes wrong.
        """
        asked = [{"role": turn["role"], "content": turn["content"]} for turn in turns]
        if not asked or not asked[-1]["content"].strip():
            raise InputError("There is nothing to answer: ask something.")
        return self._answer(asked)

    def _answer(self, asked: list[dict[str, str]]) -> Iterator[str]:
        stream = _Ahead(lambda: self._open(asked))
        said = False
        try:
            while True:
                piece = stream.take(BETWEEN if said else FIRST + CONNECT)
                if piece is _END:
                    break
                said = True
                yield piece
        except queue.Empty:
            what = "stopped in the middle of its answer" if said else "did not begin to answer in time"
            raise EngineFailed(f"The language model server {self.host} {what}: ask again.") from None
        except EngineFailed:
            raise
        except Exception as error:  # the client's, its transport's and its parser's share no base class
            raise EngineFailed(self._sentence(error, said)) from None
        finally:
            stream.close()
        if not said:
            raise EngineFailed(f"The language model server {self.host} answered nothing that can be read: ask again.")

    def _open(self, asked: list[dict[str, str]], again: bool = True) -> Any:
        import openai

        try:
            return self._client.chat.completions.create(
                model=self._named(), messages=asked, stream=True, max_tokens=ANSWER, temperature=0.7
            )
        except openai.RateLimitError as error:
            wait = retry_after(error)
            if not again or wait is None or wait > PATIENCE:
                raise
        time.sleep(wait)
        return self._open(asked, again=False)

    def _named(self) -> str:
        if not self._model:
            offered = [model.id for model in self._client.models.list()]
            if not offered:
                raise EngineFailed(f"The language model server {self.host} offers no model: set LINLY_OPENAI_MODEL.")
            self._model = str(offered[0])
        return self._model

    def _sentence(self, error: Exception, said: bool) -> str:
        """What went wrong and what to do, without the key and without what the server wrote."""
        import openai

        who = f"The language model server {self.host}"
        if said:
            return f"{who} broke off in the middle of its answer: ask again."
        if isinstance(error, openai.APITimeoutError):
            return f"{who} did not begin to answer in time: ask again, or look whether it runs."
        if isinstance(error, openai.APIStatusError):
            return f"{who} {_refusal(error, self._model)}"
        if isinstance(error, openai.APIConnectionError):
            return f"{who} cannot be reached: start it, or set LINLY_OPENAI_URL to the right address."
        return f"{who} answered nothing that can be read: look whether LINLY_OPENAI_URL is its address (often /v1)."


def retry_after(error: Any) -> float | None:
    """Seconds that the server asks to wait, where it says a number."""
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None


def _refusal(error: Any, model: str) -> str:
    status = error.status_code
    if status in (401, 403):
        return "refuses the key: set LINLY_OPENAI_KEY to a valid one."
    if status == 404:
        return f"knows no model {model!r}, or not at this address: set LINLY_OPENAI_MODEL and LINLY_OPENAI_URL."
    if status == 429:
        wait = retry_after(error)
        return f"has too many requests: wait {f'{wait:.0f} seconds' if wait else 'a little'} and ask again."
    if status >= 500:
        return f"failed (status {status}): ask again, or look at its log."
    return f"refused the request (status {status}): look whether the model {model!r} can chat."


class _Ahead:
    """A stream read in a thread, at most a few pieces ahead, that can be waited for and cut off."""

    def __init__(self, begin: Any) -> None:
        self._pieces: queue.Queue[Any] = queue.Queue(maxsize=8)
        self._closed = threading.Event()
        self._stream: Any = None
        threading.Thread(target=self._read, args=(begin,), name="linly-think", daemon=True).start()

    def take(self, patience: float) -> Any:
        """The next piece or _END; raises what the thread raised, and queue.Empty after `patience` seconds."""
        piece, error = self._pieces.get(timeout=patience)
        if error is not None:
            raise error
        return piece

    def close(self) -> None:
        """End the request, even one that waits for the server."""
        self._closed.set()
        if self._stream is not None:
            _hang_up(self._stream)

    def _offer(self, piece: Any, error: Exception | None = None) -> None:
        while not self._closed.is_set():
            try:
                return self._pieces.put((piece, error), timeout=0.1)
            except queue.Full:
                continue

    def _read(self, begin: Any) -> None:
        ended = False
        try:
            self._stream = begin()
            with self._stream:
                for chunk in self._stream:
                    if self._closed.is_set():
                        return
                    if chunk.choices:
                        ended = ended or chunk.choices[0].finish_reason is not None
                        if text := chunk.choices[0].delta.content:
                            self._offer(text)
            # A connection that breaks between two lines looks like an end: only a reason to finish is one.
            self._offer(_END, None if ended else ConnectionError("the answer has no end"))
        except Exception as error:  # handed over, so that the consumer raises it
            self._offer(_END, error)


def _hang_up(stream: Any) -> None:
    """Shut the connection: closing alone would wait for a thread that reads from it."""
    network = stream.response.extensions.get("network_stream")
    line = network.get_extra_info("socket") if network else None
    try:
        if line is not None:
            line.shutdown(socket.SHUT_RDWR)
    except OSError:  # it is closed already
        return
