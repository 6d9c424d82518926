"""Portraits on their way to the engine: enrolled, photo or film, once each, cropped as asked."""

import numpy as np
import pytest

from linly import library, portraits, registry, stage
from linly.errors import InputError
from linly.pictures import load_image
from linly.values import Style
from linly.video import write_png


@pytest.fixture
def draw(models, monkeypatch, tmp_path):
    monkeypatch.setenv("LINLY_LIBRARY", str(tmp_path))
    return registry.open_engine("draw", "warp")


def test_an_enrolled_portrait_keeps_its_crop_unless_asked_otherwise(draw, tmp_path):
    close = load_image(library.samples()[1].path)
    photo = write_png(np.pad(close, ((0, 400), (200, 200), (0, 0)), "edge"), tmp_path / "far.png")
    portraits.add("小红", photo, crop="head", draw=draw)
    as_kept, whole = (stage.staged(draw, "小红", None, Style(crop=crop)).image for crop in ("auto", "whole"))
    assert as_kept.size < whole.size
    assert stage.crop_of("小红", Style()) == "head" and stage.crop_of(str(photo), Style()) == "whole"


def test_what_was_staged_once_is_not_made_again(draw, monkeypatch):
    wish = library.samples()[0].name
    first = stage.staged(draw, wish, None, Style(background="#204060", frame="9:16"))
    monkeypatch.setattr(stage.backdrop, "placed", None)
    monkeypatch.setattr(stage, "load_image", None)
    assert stage.staged(draw, wish, None, Style(background="#204060", frame="9:16")) is first


@pytest.mark.parametrize("background", ["beach.jpg", "#12", "../../etc", "blue-ish", "\0"])
def test_a_background_that_will_not_do_is_refused_before_any_work(draw, background):
    with pytest.raises(InputError):
        stage.staged(draw, "", None, Style(background=background))


def test_a_video_needs_an_engine_that_animates_videos(draw, monkeypatch, tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"")
    monkeypatch.setattr(registry, "card", lambda kind, name: type("Card", (), {"can": frozenset()}))
    with pytest.raises(InputError, match="animates photos only"):
        stage.staged(draw, str(tmp_path / "film.mp4"), None, Style())
