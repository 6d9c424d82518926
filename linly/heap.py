"""How glibc hands out memory, where this is glibc: settings that measurably matter for a process with many threads."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

TRIM, TOP, LARGE, ARENAS = -1, -2, -3, -8
"""glibc's numbers of its settings (mallopt(3))"""
FEW = 2
"""pools of memory. With glibc's eight for each core, a conversation took 300 MB more in four minutes, for each thread's
pool keeps what it once needed; with two it stayed as it was, and nothing became slower"""


def few_arenas() -> None:
    """Let all threads share few pools of memory. To be called before they begin."""
    library = _glibc()
    if library:
        library.mallopt(ARENAS, FEW)


@contextmanager
def kept() -> Iterator[None]:
    """Within it, what is freed is kept for the next time: for steps that need large amounts again and again, and would
    spend more time on asking the system for them than on their work."""
    library = _glibc()
    if library:
        for setting, value in ((LARGE, 1 << 30), (TRIM, (1 << 31) - 1), (TOP, 1 << 28)):
            library.mallopt(setting, value)
    try:
        yield
    finally:
        if library:
            for setting, value in ((LARGE, 1 << 17), (TRIM, 1 << 17), (TOP, 1 << 17)):
                library.mallopt(setting, value)
            library.malloc_trim(0)


def _glibc() -> Any:
    library = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
