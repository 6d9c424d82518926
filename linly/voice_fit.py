"""Fitting an enrolled voice, in a process of its own: it wants 2.6 GB of memory and other settings of it, for minutes.

This module is both ends. `fit` starts the process and listens to it; `python -m linly.voice_fit NAME MINUTES` is what
runs there. It prints one JSON object a line, and stops when its standard input is closed, so that it outlives nobody.
"""

from __future__ import annotations

import importlib.util
import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Literal, cast

from linly import errors, registry, settings, voices, weights
from linly import voice_store as store
from linly.errors import Cancelled, EngineFailed, EngineUnavailable, InputError, LinlyError
from linly.values import Progress

GRACE = 30
"""seconds that the process has for stopping by itself, a step of the fitting among them"""
NEEDED = EngineUnavailable(
    "Fitting a voice needs the Python package torch: run `pip install -r requirements.txt` (the full set);"
    " the voice speaks as 'closest' meanwhile."
)
_fitting: set[str] = set()
"""names of the voices that this process has at work"""


def at_work(name: str) -> bool:
    """Whether the voice is being fitted at this moment."""
    return voices.called(name) in _fitting


def fit(name: str, progress: Progress, minutes: float) -> None:
    """Fit the voice `name` in its own process. `progress` hears of it twice a second and may raise Cancelled.

    Raises EngineUnavailable without torch, InputError if there is no such voice or it came out no better, EngineFailed
    if the process died; what was done until then is kept for the next time.
    """
    store.required(name)
    if importlib.util.find_spec("torch") is None:
        raise NEEDED
    with _alone(name), tempfile.TemporaryFile() as said:
        work = subprocess.Popen(
            [sys.executable, "-m", "linly.voice_fit", name, f"{minutes:g}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True, encoding="utf-8", cwd=settings.ROOT,
        )  # fmt: skip
        try:
            last = _followed(work, progress)
        finally:
            _ended(work)
        if last.get("error"):
            kind = getattr(errors, last["error"], LinlyError)
            raise kind(last["message"])
        if not last.get("done"):
            said.seek(max(0, said.tell() - 300))
            why = said.read().decode("utf-8", "replace").strip().splitlines()[-1:] or ["it was killed, or memory ended"]
            raise EngineFailed(
                f"The process that fitted {name!r} broke off ({why[0]}): try again, it goes on from where it was."
            )


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Nobody renames, removes or fits the voice meanwhile. Raises InputError if it is being fitted already."""
    key = voices.called(name)
    if key in _fitting:
        raise InputError(f"The voice {key!r} is being fitted already: wait for it, or stop it first.")
    _fitting.add(key)
    try:
        yield
    finally:
        _fitting.discard(key)


def _followed(work: subprocess.Popen[str], progress: Progress) -> dict[str, Any]:
    """The last thing that the process said, after telling `progress` of all before it."""
    last: dict[str, Any] = {}
    stage, fraction = "fit: listen", 0.0
    for line in _lines(cast(IO[str], work.stdout)):
        if line:
            last = json.loads(line)
            stage, fraction = last.get("stage", stage), last.get("fraction", fraction)
        progress(stage, fraction)
    return last


def _lines(pipe: IO[str]) -> Iterator[str]:
    """Lines as they come, and an empty one whenever half a second went by without any."""
    arrived: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in pipe:
            arrived.put(line)
        arrived.put(None)

    threading.Thread(target=read, daemon=True, name="linly-fit").start()
    while True:
        try:
            line = arrived.get(timeout=0.5)
        except queue.Empty:
            line = ""
        if line is None:
            return
        yield line


def _ended(work: subprocess.Popen[str]) -> None:
    """Let it stop, and make sure that it did."""
    cast(IO[str], work.stdin).close()
    try:
        work.wait(GRACE)
    except subprocess.TimeoutExpired:
        work.kill()
        work.wait()


def main(name: str, minutes: float) -> None:
    """The other end: fit, and say on standard output how far it is and how it ended."""
    stop = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=listen, daemon=True).start()
    out = sys.stdout
    sys.stdout = sys.stderr  # what a library prints is not for the listener

    def tell(**what: Any) -> None:
        out.write(json.dumps(what) + "\n")
        out.flush()

    def progress(stage: str, fraction: float) -> None:
        if stop.is_set():
            raise Cancelled("Stopped; fitting goes on from here next time.")
        tell(stage=stage, fraction=round(fraction, 4))

    try:
        _fit(name, progress, minutes)
        tell(done=True)
    except BrokenPipeError:  # nobody listens any more
        return
    except LinlyError as error:
        tell(error=type(error).__name__, message=str(error))


def _fit(name: str, progress: Progress, minutes: float) -> None:
    from linly.speak import encoder as speaker
    from linly.speak import fitting

    base = voices.load(name, "closest")
    assert base is not None and base.features is not None
    judge = speaker.opened()
    hear = registry.open_engine("hear", registry.default("hear"))
    device = cast(Literal["auto", "cpu", "cuda"], settings.load().device)
    work = store.required(name) / "fitting"
    work.mkdir(exist_ok=True)
    done = fitting.fit(
        voices.clips(name), base.features, weights.folder(voices.ENGINE) / "model.onnx", folder=work, minutes=minutes,
        progress=progress, hear=lambda said, code: str(hear.hear(said, code).text), device=device,
        similarity=lambda a, b: speaker.similarity(judge.embed(a), judge.embed(b)),
    )  # fmt: skip
    shutil.rmtree(work, ignore_errors=True)
    if not done.better:
        raise InputError(f"The fitted voice came out no better, so the closest one stays: {done.reason}")
    voices.set_fitted(name, base.features, done.changes, done.scores)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
