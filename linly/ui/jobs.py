"""Long work behind the page: one at a time, told in stage and fraction, stopped on request; private folders."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from linly.errors import Cancelled
from linly.values import Progress

log = logging.getLogger(__name__)
KEPT_HOURS = 24
"""how long a visitor's files are kept"""
_SPANS = {"load": (0.0, 0.04), "hear": (0.04, 0.3), "face": (0.04, 0.98), "finish": (0.98, 1.0)}
"""the part of the bar that each stage fills"""


class Job:
    """One piece of work: where it stands, and the switch that stops it."""

    def __init__(self, work: Callable[[Progress], Any]) -> None:
        self._work = work
        self._over = threading.Event()
        self._stop = threading.Event()
        self._began = 0.0
        self.stage, self.fraction = "wait", 0.0
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do the work; whatever it raises is kept in `error`."""
        self._began = time.monotonic()
        try:
            self._tell("load", 0.0)
            self.result = self._work(self._tell)
        except BaseException as error:
            self.error = error
        finally:
            self._over.set()

    def _tell(self, stage: str, fraction: float) -> None:
        if self._stop.is_set():
            raise Cancelled("Stopped; nothing half-made was left behind.")
        low, high = _SPANS.get(stage, (0.0, 1.0))
        if stage == "face" and self.stage == "hear":
            self._face_from = self.fraction
        low = max(low, getattr(self, "_face_from", 0.0)) if stage == "face" else low
        self.stage, self.fraction = stage, max(self.fraction, low + (high - low) * min(1.0, max(0.0, fraction)))

    def stop(self) -> None:
        """Ask the work to end; it does at its next word of progress."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        """True once the work is over."""
        return self._over.wait(seconds)

    @property
    def left(self) -> float | None:
        """Seconds to go, by what is done so far; None while it is too early to say."""
        if self.fraction < 0.08 or not self._began:
            return None
        return (time.monotonic() - self._began) * (1 - self.fraction) / self.fraction


class Runner:
    """Runs jobs one at a time, first come, first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: list[Job] = []
        self._busy = False

    def submit(self, work: Callable[[Progress], Any]) -> Job:
        """Put `work` in line and return at once; it is called with its progress function in another thread."""
        job = Job(work)
        with self._lock:
            self._line.append(job)
            if not self._busy:
                self._busy = True
                threading.Thread(target=self._drain, daemon=True, name="linly-jobs").start()
        return job

    def before(self, job: Job) -> int:
        """How many are to be done before `job`."""
        with self._lock:
            return self._line.index(job) if job in self._line else 0

    def _drain(self) -> None:
        while True:
            with self._lock:
                if not self._line:
                    self._busy = False
                    return
                job = self._line[0]
            job.run()
            with self._lock:
                self._line.remove(job)


def root() -> Path:
    """Where jobs lie: in the folder from which the page may hand out files."""
    from gradio.utils import get_upload_folder

    return Path(get_upload_folder())


def folder(root: Path) -> Path:
    """A new private folder below `root`, under a name that nobody can guess; those of yesterday are removed."""
    root.mkdir(parents=True, exist_ok=True)
    for old in root.glob("job-*"):
        if time.time() - old.stat().st_mtime > KEPT_HOURS * 3600:
            shutil.rmtree(old, ignore_errors=True)
    made = root / f"job-{secrets.token_hex(16)}"
    made.mkdir(mode=0o700)
    return made


def safe_name(wish: str) -> str:
    """A file name without suffix made from any text: letters and digits of any script, at most 40 of them."""
    return re.sub(r"[\W_]+", "-", wish)[:40].strip("-") or "linly"
