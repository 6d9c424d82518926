"""Make the virtual environment and install the requirements into it; with nothing changed it returns at once.

Run by the Makefile with the system's python3, so it uses the standard library only and stays readable to old Pythons.
"""

import argparse
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
HOLDS = {"requirements.txt": ["requirements.txt", "requirements-lite.txt"]}
"""A set that contains another one counts for that one too."""


def main(arguments=None):
    """Returns the exit code; says in one sentence what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="folder of the environment")
    parser.add_argument("requirements", nargs="+", type=Path, help="requirements files, installed together")
    chosen = parser.parse_args(arguments)
    problem = what_is_missing(sys.version_info[:2], importlib.util.find_spec("ensurepip") is not None)
    if problem:
        complain(problem)
        return 1
    missing = [file for file in chosen.requirements if not is_installed(chosen.venv, file)]
    if not missing:
        return 0
    return install(chosen.venv, missing)


def what_is_missing(version, has_ensurepip):
    """The sentence that a newcomer needs, or an empty one."""
    found = ".".join(map(str, version))
    if tuple(version) < OLDEST:
        return (
            f"Linly needs Python 3.11 or later and this is Python {found}: "
            "install a newer one and name it, for instance `make run PYTHON=python3.11`."
        )
    if not has_ensurepip:
        return "Python's venv module is missing: `sudo apt install python3-venv`, then try again."
    return ""


def stamp(venv, file):
    """Where the environment remembers that it holds a requirements file."""
    return venv / f".installed-{Path(file).name}"


def digest(file):
    """The file's content and Python's version: when either changes, the installation is redone."""
    version = "{}.{}".format(*sys.version_info[:2]).encode()
    return hashlib.sha256(version + Path(file).read_bytes()).hexdigest()


def is_installed(venv, file):
    """True where the environment holds exactly what the file asks for."""
    mark = stamp(venv, file)
    return (venv / "bin" / "python").exists() and mark.is_file() and mark.read_text() == digest(file)


def install(venv, files):
    """Make the environment where it is absent and install the files; the stamps come last, so a torn run is redone."""
    began = time.monotonic()
    python = str(venv / "bin" / "python")
    if not works(python):
        say(f"Making {short(venv)} ...")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
    say("Installing {} into {} ...".format(" and ".join(file.name for file in files), short(venv)))
    command = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    for file in files:
        command += ["-r", str(file)]
    log = venv / "install.log"
    if not run_with_progress(command, log):
        last = log.read_text(errors="replace").splitlines()[-15:]
        complain("\n".join([*last, f"pip could not install the packages; {short(log)} has it all."]))
        return 1
    for file in files:
        for held in HOLDS.get(file.name, [file.name]):
            stamp(venv, held).write_text(digest(file.parent / held))
    megabytes = downloaded(log.read_text(errors="replace"))
    say(f"Installed in {time.monotonic() - began:.0f} s ({megabytes:.0f} MB of packages).")
    return 0


def works(python):
    """True where this is a Python of the version that runs now, with pip: not a torn or an outdated environment."""
    try:
        code = "import pip, sys; print(sys.version_info[:2])"
        asked = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return asked.stdout.strip() == str(sys.version_info[:2])


def run_with_progress(command, log):
    """Run pip into the log; on a terminal one line tells which package it is at. True if pip succeeded."""
    watched = sys.stdout.isatty()
    count = 0
    with log.open("w") as out:
        pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in pip.stdout:
            out.write(line)
            found = re.match(r"Collecting ([\w.-]+)", line)
            count += bool(found)
            if watched and (found or line.startswith("Installing collected")):
                what = f"{count} packages, {found[1]}" if found else f"unpacking {count} packages, about a minute"
                say(f"\r\033[K  {what}", end="")
        if watched:
            say("\r\033[K", end="")
        return pip.wait() == 0


def downloaded(log):
    """Megabytes of all packages that pip's log names, from the network or from its cache."""
    units = {"kB": 1e-3, "MB": 1.0, "GB": 1e3}
    found = re.findall(r"(?:Downloading|Using cached) \S+ \(([\d.]+) (kB|MB|GB)\)", log)
    return sum(float(size) * units[unit] for size, unit in found)


def short(path):
    """A path as the user would type it."""
    return os.path.relpath(str(path))


def say(text, end="\n"):
    sys.stdout.write(text + end)
    sys.stdout.flush()


def complain(text):
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
