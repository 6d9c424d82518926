"""Real people for the tests: prompts of the Asterisk telephone system from Debian's packages (CC-BY-SA-3.0).

Allison (a woman, English), Carlo (a man, Italian) and June (a woman, French) in 16 kHz. Fetched once into a cache by
`apt-get download` and unpacked as data; where that cannot be done, the test is skipped with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from linly import audio

HERE = Path(__file__).resolve().parent
PACKAGES = {"allison": "en", "carlo": "it", "june": "fr"}
CLIPS = ("demo-moreinfo", "vm-msginstruct", "conf-usermenu")
"""each of 6 to 20 s, in every language"""


def folder() -> Path:
    """Where the recordings are kept: LINLY_TEST_SPEAKERS, else tests/.speakers (which git is told to ignore)."""
    return Path(os.environ.get("LINLY_TEST_SPEAKERS") or HERE / ".speakers")


def clips(speaker: str) -> list[Path]:
    """The recordings of one person as WAV files, in the order of CLIPS."""
    wanted = [folder() / speaker / f"{name}.wav" for name in CLIPS]
    if not all(path.is_file() for path in wanted):
        _fetch(speaker, f"asterisk-core-sounds-{PACKAGES[speaker]}-g722")
    return wanted


def _fetch(speaker: str, package: str) -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        pytest.skip(f"the recordings of {package} are fetched with apt-get, which is not here")
    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run(["apt-get", "download", package], cwd=work, capture_output=True, text=True, check=False)
        found = next(Path(work).glob("*.deb"), None)
        if done.returncode or not found:
            pytest.skip(f"{package} cannot be fetched: {done.stderr.strip().splitlines()[-1:]}")
        subprocess.run(["dpkg-deb", "-x", str(found), work], check=True, capture_output=True)
        place = folder() / speaker
        place.mkdir(parents=True, exist_ok=True)
        if not os.environ.get("LINLY_TEST_SPEAKERS"):
            (folder() / ".gitignore").write_text("*\n")
        for name in CLIPS:
            source = next(Path(work).rglob(f"{name}.g722"))
            audio.write_wav(decoded(source), place / f"{name}.wav")


def decoded(source: Path) -> audio.Audio:
    """The sound of a bare G.722 file, which says nothing of what it is."""
    import av
    import numpy as np

    with av.open(str(source), format="g722") as box:
        pieces = [frame.to_ndarray().reshape(-1) for frame in box.decode(audio=0)]
    return audio.Audio((np.concatenate(pieces) / 32768).astype(np.float32), 16000)


if __name__ == "__main__":
    for person in PACKAGES:
        clips(person)
