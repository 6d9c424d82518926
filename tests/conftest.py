"""What every test shares: a private library folder, the default models, fake engines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True)
def private_library(tmp_path_factory, monkeypatch):
    """No test writes into the user's own library."""
    monkeypatch.setenv("LINLY_LIBRARY", str(tmp_path_factory.mktemp("library")))


@pytest.fixture(scope="session")
def models() -> Path:
    """The default models, pulled if they are not here yet; skipped only where LINLY_NO_MODELS=1 asks for it."""
    if os.environ.get("LINLY_NO_MODELS") == "1":
        pytest.skip("LINLY_NO_MODELS=1: this test needs the default models")
    from linly import settings, weights

    weights.pull([name for name in weights.default_names() if not weights.ready(name)])
    return settings.load().weights


@pytest.fixture
def fake_engines(monkeypatch):
    """A registry in which every engine is a fake; gives the opened fakes by kind."""
    import fakes

    from linly import registry

    cards = {
        ("speak", "fake"): (fakes.FakeSpeak, {"timings", "voices"}),
        ("hear", "fake"): (fakes.FakeHear, set()),
        ("move", "fake"): (fakes.FakeMove, {"timings", "any-audio"}),
        ("draw", "fake"): (fakes.FakeDraw, set()),
    }
    monkeypatch.setattr(registry, "_found", True)
    monkeypatch.setattr(registry, "_cards", {})
    monkeypatch.setattr(registry, "_open", type(registry._open)())
    for (kind, name), (factory, can) in cards.items():
        registry.engine(kind, name, title=f"Fake {kind}", can=can)(factory)
    return {kind: registry.open_engine(kind, name) for kind, name in cards}


@pytest.fixture
def speech() -> Path:
    """The folder of recordings beside the repository."""
    folder = SHARED / "data" / "speech"
    if not folder.is_dir():
        pytest.skip("the recordings of shared/data/speech are not beside this repository")
    return folder


@pytest.fixture
def guests():
    """A maker of guests (see guest.py), which remembers them."""
    from guest import Guest

    known: list[Guest] = []

    def welcome(session, options):
        known.append(Guest(session, options))
        return known[-1]

    welcome.known = known
    return welcome
