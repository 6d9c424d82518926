"""Whole files only: write under a temporary name in the same folder, rename when everything is there."""

from __future__ import annotations

import errno
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from linly.errors import InputError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def why(target: Path, error: OSError) -> InputError:
    """One sentence for a file that could not be written."""
    if error.errno in FULL:
        return InputError(f"The disk is full: {target.name} was not written; free some space or choose another folder.")
    reason = error.strerror or str(error)
    return InputError(f"{target.name} cannot be written to {target.parent} ({reason}); choose another folder.")


def check_writable(path: str | os.PathLike[str]) -> Path:
    """The path, once it is sure that a file of that name can be made there; nothing is left behind.

    Raises InputError (one sentence) if it is a folder, if its folder is missing or may not be written to.
    """
    target = Path(path)
    probe = temporary(target)
    try:
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(os.stat(target).st_mode):  # unlike is_dir() this tells of names that cannot be
                raise InputError(f"{target} is a folder; give a file name.")
        if not target.parent.is_dir():
            raise InputError(f"There is no folder {target.parent}; make it first or choose another.")
        probe.touch(exist_ok=False)
        if target.exists() and not os.access(target, os.W_OK):
            raise InputError(f"{target} is write-protected; choose another name.")
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(f"The file name {target.name[:20]}... is too long; choose a shorter one.") from error
        raise why(target, error) from error
    except ValueError as error:
        raise InputError(f"{target.name!r} is not a file name that can be used; choose another.") from error
    finally:
        with suppress(OSError, ValueError):
            probe.unlink(missing_ok=True)
    return target


def temporary(target: Path) -> Path:
    """A hidden name beside the target that no other file has."""
    return target.parent / f".linly-{uuid.uuid4().hex[:12]}.part"


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path to write to; it becomes `path` when the block ends well, else nothing is left.

    Raises InputError if the folder cannot be written to or the disk is full.
    """
    target = Path(path)
    part = temporary(target)
    try:
        yield part
        publish(part, target)
    except OSError as error:
        raise why(target, error) from error
    finally:
        part.unlink(missing_ok=True)


def publish(part: Path, target: Path) -> None:
    """Rename a finished temporary file once its bytes are on the disk."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(part, target)
