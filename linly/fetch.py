"""Getting model files from a hub or an address: resumable, retried, bounded. Only `weights` calls this.

A route is a generator: it yields each file with the path in its staging folder where it lies, not checked yet, and
raises RouteFailed with one reason when it cannot go on. What it has downloaded stays in the folder, so that a later
call resumes. `tick(bytes, of_bytes)` hears the progress and may raise Cancelled.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
Tick = Callable[[int, int], None]
CHUNK = 1 << 20


class RouteFailed(Exception):
    """A route could not bring the files; the message is the reason, without a full stop."""


class Unreachable(RouteFailed):
    """The other side did not answer at all: no need to ask it again for the next model."""


@dataclass(frozen=True)
class File:
    """One file of a model as the manifest has it."""

    name: str
    bytes: int | None
    """None only where the sha256 is unknown too"""
    sha256: str | None
    """None: the hub's own is taken and locked"""
