"""Fitting Kokoro to a person: what is measured on the clips, what is kept of the change, and the whole road."""

from __future__ import annotations

import builtins
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linly import audio as sound
from linly.errors import Cancelled, EngineUnavailable, InputError
from linly.speak import fit_check, fit_pitch, fit_reference, fit_store, fit_training, fitting
from linly.speak.fit_store import NOTHING, WHOLE, Taken
from linly.speak.fit_weights import Arrays, readable
from linly.speak.graph import Graph
from linly.values import Audio

LJ = "Printing, in the only sense with which we are at present concerned, differs from most if not from all the arts"


def _hum(hertz: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A voice-like sound of this pitch, one value a sample at 24 kHz."""
    phase = 2 * np.pi * np.cumsum(hertz) / 24000
    return sum(np.sin(k * phase) / k for k in range(1, 20)).astype(np.float32) * 0.1


def test_pitch_follows_a_glide_and_knows_silence_and_noise() -> None:
    hertz = np.linspace(90, 300, 48000)
    quiet = np.zeros(12000, np.float32)
    hiss = np.random.default_rng(0).standard_normal(12000).astype(np.float32) * 0.05
    found = fit_pitch.pitch(np.concatenate([_hum(hertz), quiet, hiss]))
    true = hertz[150::300]
    inner = slice(4, 156)
    assert np.abs(12 * np.log2(found[inner] / true[inner])).max() < 0.5
    assert not found[165:198].any()  # silence
    assert (found[203:] > 0).mean() < 0.1  # noise


def test_energy_rises_with_level() -> None:
    hum = _hum(np.full(24000, 150.0))
    loud, soft = fit_pitch.energy(hum), fit_pitch.energy(hum / 4)
    assert len(loud) == 80
    assert np.allclose((loud - soft)[8:-8], np.log(16), atol=0.05)  # of power


def test_the_same_words_said_slower_are_found_again() -> None:
    rng = np.random.default_rng(1)
    said = np.repeat(rng.standard_normal((40, 12)), 5, axis=0) + 0.05 * rng.standard_normal((200, 12))
    pace = np.concatenate([np.full(100, 2), np.full(100, 1)])
    same = fit_reference._warp(said, np.repeat(said, pace, axis=0))
    true = np.concatenate([2 * np.arange(100) + 0.5, 200 + np.arange(100)])
    assert np.abs(same - true).max() < 8  # within a symbol
    frames = fit_reference._carried(np.full(20, 5), same, 150)
    assert frames.sum() == 150 and frames.min() >= 1
    assert np.abs(frames[:9] - 10).max() <= 2 and np.abs(frames[11:] - 5).max() <= 2


def test_a_transcript_longer_than_its_sound_is_refused() -> None:
    with pytest.raises(InputError, match="too short for its transcript"):
        fit_reference._carried(np.full(40, 5), np.arange(400.0), 30)


def test_a_pitch_map_gives_median_and_spread() -> None:
    rng = np.random.default_rng(2)
    made, aim = (np.exp(rng.normal(np.log(m), s, 4000)) for m, s in ((200, 0.1), (120, 0.2)))
    gain, factor = fitting.matched(made, aim)
    moved = factor * made**gain
    assert abs(np.median(moved) / np.median(aim) - 1) < 0.01
    assert made.std() / made.mean() < moved.std() / moved.mean() < aim.std() / aim.mean() * 1.1
    assert fitting.matched(made[:10], aim) == (1.0, 1.0)


@pytest.mark.full
def test_few_directions_hold_a_change() -> None:
    rng = np.random.default_rng(3)
    true = (rng.standard_normal((300, 6)) @ rng.standard_normal((6, 700))).astype(np.float32) * 1e-3
    delta = {
        "/decoder/decoder/a.weight": true.reshape(300, 100, 7),
        "/decoder/decoder/a.bias": np.arange(300, dtype=np.float32) * 1e-3,
    }
    small = fit_store.packed(delta, 16)
    assert all(values.dtype == np.float16 for values in small.values())
    assert sum(values.nbytes for values in small.values()) < 40_000
    for share in (1.0, 0.5):
        again = fit_store.unpacked(fit_store.part(small, _some(share)))
        assert np.abs(again["/decoder/decoder/a.weight"] - share * true).max() < 0.01 * np.abs(true).max()


def _some(sound_: float) -> Taken:
    return Taken(sound_, False, False)


def _judge(monkeypatch: Any, own: str, heard: dict[str, float], melody: float = 0.0) -> fit_check.Judgement:
    """By a listener who hears nothing of a language where more of the changed sound than `heard` is taken, and an ear
    to which a fitted melody brings the voice so much nearer to the person."""

    def spoken(graph: Any, table: Any, changes: Any, share: Taken, sentences: Any) -> list[tuple[Audio, str, str]]:
        sound_ = Audio(np.array([share.sound, melody * share.melody], np.float32), 24000)
        return [(sound_, text, code) for code, texts in sentences.items() for text in texts]

    monkeypatch.setattr(fit_check, "_spoken", spoken)
    monkeypatch.setattr(fit_check, "wrong_share", lambda said, understood: float(not all(understood)))
    clips = [(Audio(np.zeros(24000, np.float32), 24000), "one", own)]
    graph: Any = None
    return fit_check.judged(
        graph, np.zeros(1), {"/decoder/decoder/a.bias": np.ones(1, np.float16)}, clips,
        lambda made, person: float(made.samples[:2].sum()),
        lambda said, code: "heard" if float(said.samples[0]) <= heard.get(code, 1.0) else "",
        lambda done: None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "heard, shares, reason",
    [
        ({}, {"en": WHOLE, "zh": _some(0.75)}, ""),
        ({"en": 0.8, "zh": 0.6}, {"en": Taken(0.75, True, True), "zh": _some(0.5)}, ""),  # clear with less of it
        ({"zh": 0.1}, {"en": WHOLE, "zh": NOTHING}, ""),  # or with nothing of it
        ({"en": 0.1}, {"en": NOTHING, "zh": _some(0.75)}, "harder to understand"),  # the clips' own language
    ],
)
def test_a_language_takes_as_much_of_the_changes_as_it_bears(monkeypatch, heard, shares, reason) -> None:
    judgement = _judge(monkeypatch, "en", heard)
    assert {code: fit_store.taken(judgement.changes, code) for code in shares} == shares
    assert reason in judgement.reason and bool(reason) == bool(judgement.reason)
    assert judgement.scores["taken_zh"] == shares["zh"].sound
    assert fit_store.taken(judgement.changes, "it") == shares["en"]  # as English, where nobody judged


@pytest.mark.parametrize("melody", [0.1, -0.1])
def test_the_melody_is_taken_where_it_brings_the_voice_nearer(monkeypatch, melody) -> None:
    judgement = _judge(monkeypatch, "it", {}, melody)
    assert fit_store.taken(judgement.changes, "it") == Taken(1.0, True, melody > 0) and not judgement.reason
    assert fit_store.taken(judgement.changes, "en") == _some(0.75)  # another language to him
    assert judgement.scores["similarity"] == pytest.approx(1 + max(0, melody))
    assert "fitted voice was harder" in _judge(monkeypatch, "it", {"it": 0.1}).reason
    assert fit_store.taken(_judge(monkeypatch, "ja", {}).changes, "ja") == WHOLE  # nobody judged it


def test_a_share_of_the_changes_may_leave_the_melody_out() -> None:
    sounding, melody = "/decoder/decoder/a", "/encoder/F0.0/b"
    changes: Arrays = {
        sounding + ".weight:up": np.ones((3, 2)), sounding + ".weight:down": np.ones((2, 3)),
        melody + ".bias": np.ones(3), "style": np.ones(256),
        "pitch": np.array([1.5, 2]), "pitch:style": np.array([1.4, 1]), "pitch:plain": np.array([1.2, 3]),
    }  # fmt: skip
    half, calm, table = _some(0.5), Taken(1.0, True, False), np.zeros((2, 256), np.float32)
    assert set(fit_store.part(changes, WHOLE)) == set(list(changes)[:3])
    assert set(fit_store.part(changes, calm)) == set(list(changes)[:2])
    less = fit_store.unpacked(fit_store.part(changes, half))
    assert set(less) == {sounding + ".weight"} and np.allclose(less[sounding + ".weight"], 1)
    for share, shift, pitch in ((WHOLE, 1, (1.5, 2)), (calm, 1, (1.4, 1)), (half, 0, (1.2, 3)), (NOTHING, 0, (1, 1))):
        assert (fit_store.shifted(table, changes, share) == shift).all()
        assert fit_store.pitch_of(changes, share) == pitch
        assert fit_store.taken(fit_store.with_taken(changes, {"zh": share}), "zh") == share
    assert fit_store.pitch_of(None) == (1, 1) and fit_store.taken(changes, "zh") == WHOLE
    assert fit_store.taken({}, "zh") == fit_store.taken(None, "zh") == NOTHING


def test_too_little_speech_is_refused() -> None:
    with pytest.raises(InputError, match="Fitting needs 3 s"):
        fitting._enough([(Audio(np.zeros(24000, np.float32), 24000), "one", "en")])


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "torch":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EngineUnavailable, match="needs torch"):
        fitting.fit([], np.zeros((510, 1, 256), np.float32), Path("x"), progress=print, similarity=lambda a, b: 0.0)


@pytest.fixture(scope="module")
def graph(models: Path) -> Graph:
    return Graph((models / "kokoro" / "model.onnx").read_bytes())


@pytest.fixture(scope="module")
def table(models: Path) -> np.ndarray[Any, Any]:
    styles = [np.fromfile(models / "kokoro-voices" / f"{id_}.bin", np.float32) for id_ in ("af_kore", "pf_dora")]
    return np.mean(styles, axis=0).reshape(510, 1, 256)


@pytest.mark.slow
def test_changes_of_another_model_are_refused(graph: Graph) -> None:
    for wrong in (
        {"/somewhere/else.bias": np.zeros(3, np.float16)},
        {"/decoder/decoder/encode/conv1.bias": np.zeros(3, np.float16)},
        {"/decoder/decoder/encode/conv1.bias": np.full(1024, np.nan, np.float16)},
        {"/decoder/decoder/encode/conv1.weight:up": np.zeros((1024, 2), np.float16)},
    ):
        with pytest.raises(InputError, match="does not belong to this Kokoro"):
            fit_store.model_with(graph, wrong)


@pytest.mark.slow
def test_stock_weights_are_kept_and_a_change_is_finer_than_their_steps(graph: Graph) -> None:
    before = readable(graph)
    name = "/decoder/decoder/generator/resblocks.0/convs1.0"
    change = {name + ".weight": 0.02 * before[name + ".weight"].std() * np.sign(before[name + ".weight"])}
    change["/encoder/F0.0/conv1.bias"] = np.full(512, 0.1, np.float32)
    after = readable(Graph(fit_store.written(graph, change)))
    for other, values in before.items():
        wanted = values + change.get(other, 0)
        steps = np.unique(values)
        step = np.diff(steps).min() if other == name + ".weight" else 0.0
        assert np.abs(after[other] - wanted).max() <= 0.26 * step + 1e-6, other


@pytest.mark.full
@pytest.mark.slow
def test_the_copy_in_torch_says_what_onnx_says(graph: Graph, table: Any) -> None:
    """Up to the rounding of activations to bytes, which only the ONNX model does."""
    import torch

    from linly.speak.fit_network import Decoder, Prosody

    teacher = fit_reference.Teacher(graph, table.reshape(-1, 256))
    symbols = fit_check.unheard()[0]
    samples, frames, pitch, energy = teacher.say(symbols)
    weights = fit_training.as_tensors(readable(graph), "cpu")
    style = torch.tensor(teacher.table[len(symbols)])
    for_prosody, for_decoder = (torch.tensor(text) for text in teacher.text(symbols))
    with torch.no_grad():
        network = Prosody(weights)
        lasting, seen = network.durations(for_prosody, style[128:])
        assert np.abs(lasting.round().clamp(min=1).numpy() - frames).max() <= 1
        curves = network.curves(seen, style[128:], torch.tensor(frames))
        assert np.abs(curves[0][0].numpy() - pitch).mean() < 1
        assert np.abs(curves[1][0].numpy() - energy).mean() < 0.05
        decoder = Decoder(weights)
        source = decoder.source(torch.tensor(teacher.harmonics(pitch)), style[:128])
        text = for_decoder.repeat_interleave(torch.tensor(frames), -1)
        made = decoder(text, torch.tensor(pitch[None]), torch.tensor(energy[None]), style[:128], source)[0].numpy()
    assert len(made) == len(samples)
    assert abs(made.std() / samples.std() - 1) < 0.03
    assert np.corrcoef(made, samples)[0, 1] > 0.95


@pytest.mark.full
def test_the_sound_is_fitted_for_as_long_as_there_is_time() -> None:
    import torch

    work = fit_training.DecoderFit.__new__(fit_training.DecoderFit)
    weight = torch.ones(3)
    work.weights, work._heard = {"/decoder/decoder/a.weight": weight}, 200
    work._window = lambda start: (weight**2).sum()  # type: ignore[method-assign]
    shares: list[float] = []
    for left, made in ((math.inf, range(50, 51)), (0.2, range(8, 1_000_000)), (-1.0, range(7, 8))):
        steps = 50 if left == math.inf else 1_000_000
        assert work.run(steps, lambda step, share: shares.append(share), 0, time.monotonic() + left, 7) in made
        assert shares == sorted(shares) and shares[-1] > 0.9
        shares.clear()
    assert float(weight.max()) < 1 and not weight.requires_grad


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fitting of few steps."""
    monkeypatch.setattr(fitting, "_PROSODY_STEPS", 3)
    monkeypatch.setattr(fitting, "_STEPS", 10)
    monkeypatch.setattr(fitting, "_FEWEST", 10)
    monkeypatch.setattr(fitting, "_SAVED", 4)
    monkeypatch.setattr(fit_check, "SENTENCES", {code: of[:1] for code, of in fit_check.SENTENCES.items()})


def _clip(speech: Path) -> tuple[Audio, str, str]:
    whole = sound.load(speech / "en_ljspeech_LJ001_0001.wav", max_seconds=60)
    return Audio(whole.samples[: round(6.6 * whole.rate)], whole.rate), LJ, "en"


@pytest.mark.full
@pytest.mark.slow
def test_a_fitting_goes_on_where_it_was_stopped(
    speech: Path, models: Path, table: Any, short: None, tmp_path: Path
) -> None:
    seen: list[tuple[str, float]] = []

    def stop(stage: str, done: float) -> None:
        seen.append((stage, done))
        if stage == "fit: sound" and sum(one == stage for one, _ in seen) == 6:
            raise Cancelled("stopped")

    def likeness(made: Audio, person: Audio) -> float:
        return -abs(float(np.median(np.log(fit_pitch.energy(made.samples) ** 2 + 1))))

    common: dict[str, Any] = {"similarity": likeness, "folder": tmp_path, "device": "cpu"}
    with pytest.raises(Cancelled):
        fitting.fit([_clip(speech)], table, models / "kokoro" / "model.onnx", progress=stop, **common)
    assert [path.name for path in tmp_path.iterdir()] == ["fitting.npz"]
    assert [done for _, done in seen] == sorted(done for _, done in seen)

    seen.clear()
    made = fitting.fit(
        [_clip(speech)], table, models / "kokoro" / "model.onnx", progress=lambda *now: seen.append(now), **common
    )
    assert sum(stage == "fit: sound" for stage, _ in seen) == 6  # steps 5 to 10
    assert "fit: manner" not in dict(seen) and seen[-1][1] == 1.0
    assert not list(tmp_path.iterdir())
    assert made.scores["loss"] < made.scores["loss_before"]
    assert _bytes(made.changes) < 21_000_000
    assert made.better == (made.reason == "")


def _bytes(changes: Arrays) -> int:
    return sum(values.nbytes for values in changes.values())
