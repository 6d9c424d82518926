"""Carry out a Dockerfile as written, without a Docker engine: in a bare Debian made by debootstrap, as root.

    python tools/dockerfile_in_chroot.py FOLDER [--build-arg FLAVOUR=cuda]
        [--bind PATH[:INSIDE]]... [--env NAME]... [--volume PATH:INSIDE]...

FOLDER is made, unless it already holds a bare Debian. Each RUN, ENV, COPY, WORKDIR and USER step is done
in turn with the image's own environment; then CMD is started as the image's user and HEALTHCHECK asked until it is
content. --bind and --env pass what pip needs on this machine without writing it into the Dockerfile; --volume mounts a
folder for CMD alone, as `docker run --volume` does. Exit code 0: every step worked and the page answered.
"""

import argparse
import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
BASES = {"debian:bookworm-slim": "bookworm"}


def steps(text):
    """The Dockerfile's instructions as (name, rest), comments dropped and continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", "", "\n".join(lines))
    return [tuple(line.strip().split(None, 1)) for line in joined.splitlines() if line.strip()]


def ignored(patterns, path):
    """True where .dockerignore leaves the path (relative, posix) out; the last pattern that fits decides."""
    out = False
    parents = [str(p) for p in (PurePosixPath(path), *PurePosixPath(path).parents) if str(p) != "."]
    for pattern in patterns:
        keep = pattern.startswith("!")
        bare = pattern.lstrip("!").strip("/")
        options = {bare, bare.replace("**/", "")}
        if any(fits(p, option) for p in parents for option in options):
            out = not keep
    return out


def fits(path, pattern):
    """One `*` stays inside a folder, as in Docker; `**/x` is also tried as x at any depth."""
    if pattern.startswith("**/"):
        return fits(path.rsplit("/", 1)[-1], pattern[3:])
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)


class Image:
    """The image as it grows: a folder with a Debian inside, an environment, a working folder and a user."""

    def __init__(self, folder, arguments, passed):
        self.folder = folder
        self.arguments = arguments
        self.passed = passed
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        self.known = {}
        self.at = "/"
        self.user = "root"
        self.command = []
        self.health = []

    def step(self, name, rest):
        """One instruction; raises CalledProcessError when it fails and ValueError for one that this tool cannot do."""
        doing = getattr(self, f"do_{name.lower()}", None)
        if doing is None:
            raise ValueError(f"this tool does not know the Dockerfile's {name}")
        doing(rest)

    def do_from(self, rest):
        if rest not in BASES:
            raise ValueError(f"only {', '.join(BASES)} can be made here, not {rest}")
        if not (self.folder / "etc" / "debian_version").exists():
            subprocess.run(["debootstrap", "--variant=minbase", BASES[rest], str(self.folder)], check=True)
        shutil.copy("/etc/resolv.conf", self.folder / "etc" / "resolv.conf")

    def do_arg(self, rest):
        name, _, value = rest.partition("=")
        self.known[name] = self.arguments.get(name, value)

    def do_env(self, rest):
        for word in shlex.split(rest):
            name, _, value = word.partition("=")
            self.environment[name] = value

    def do_workdir(self, rest):
        self.at = rest
        self.inside(rest).mkdir(parents=True, exist_ok=True)

    def do_user(self, rest):
        self.user = rest

    def do_volume(self, rest):
        for folder in json.loads(rest):
            if not self.inside(folder).is_dir():
                raise ValueError(f"the volume {folder} has no folder in the image, so it would belong to root")

    def do_expose(self, rest):
        int(rest)

    def do_cmd(self, rest):
        self.command = json.loads(rest)

    def do_healthcheck(self, rest):
        self.health = json.loads(rest[rest.index("[") :])

    def do_run(self, rest):
        subprocess.run(self.chroot(["/bin/sh", "-c", rest], {**self.environment, **self.known}), check=True)

    def do_copy(self, rest):
        words = shlex.split(rest)
        owner = next((word.partition("=")[2] for word in words if word.startswith("--chown=")), "root:root")
        *sources, target = [word for word in words if not word.startswith("--")]
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        patterns = [p for p in (ROOT / ".dockerignore").read_text().split() if p]
        to = self.inside(os.path.join(self.at, target))
        for file in tracked.splitlines():
            if ignored(patterns, file) or not any(source in (".", file) for source in sources):
                continue
            (to / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, to / file)
        subprocess.run(self.chroot(["chown", "-R", owner, os.path.join(self.at, target)], self.environment), check=True)

    def inside(self, path):
        return self.folder / str(path).lstrip("/")

    def chroot(self, command, environment, user="root"):
        """The command line that runs a command in the image."""
        pairs = [f"{k}={v}" for k, v in {**self.passed, **environment}.items()]
        place = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', self.at]
        return ["chroot", f"--userspec={user}", str(self.folder), "env", "-i", *pairs, *place, *command]

    def answers(self, seconds=180):
        """Start CMD as the image's user; True once HEALTHCHECK is content."""
        if self.user == "root" or not self.health:
            raise ValueError("the image runs as root or has no health check")
        page = subprocess.Popen(self.chroot(self.command, self.environment, self.user), start_new_session=True)
        try:
            began = time.monotonic()
            while time.monotonic() - began < seconds and page.poll() is None:
                asked = self.chroot(self.health, self.environment, self.user)
                if subprocess.run(asked, check=False, stderr=subprocess.DEVNULL).returncode == 0:
                    say(f"the page answers, {time.monotonic() - began:.0f} s after CMD")
                    return True
                time.sleep(2)
            return False
        finally:
            if page.poll() is None:
                os.killpg(page.pid, signal.SIGTERM)
                page.wait(20)


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def mount(image, binds):
    """Mount PATH[:INSIDE] each; gives the places to unmount."""
    places = []
    for source, inside in ((bind.split(":") * 2)[:2] for bind in binds):
        place = image.inside(inside)
        if Path(source).is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        else:
            place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", source, str(place)], check=True)
        places.append(place)
    return places


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--bind", action="append", default=[], metavar="PATH[:INSIDE]")
    parser.add_argument("--volume", action="append", default=[], metavar="PATH:INSIDE")
    parser.add_argument("--env", action="append", default=[], metavar="NAME")
    chosen = parser.parse_args()
    passed = {name: os.environ[name] for name in chosen.env if name in os.environ}
    image = Image(chosen.folder.resolve(), dict(pair.split("=", 1) for pair in chosen.build_arg), passed)
    first, *others = steps((ROOT / "Dockerfile").read_text())
    image.step(*first)
    places = mount(image, ["/proc", "/dev", "/dev/pts", *chosen.bind])
    try:
        for name, rest in others:
            began = time.monotonic()
            image.step(name, rest)
            say(f"{name} {' '.join(rest.split())[:80]} ({time.monotonic() - began:.1f} s)")
        places += mount(image, chosen.volume)
        return 0 if image.answers() else 1
    finally:
        for place in reversed(places):
            subprocess.run(["umount", str(place)], check=False)


if __name__ == "__main__":
    sys.exit(main())
