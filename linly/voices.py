"""Enrolled voices: people's recordings kept under a name with all that was made of them, so that they speak at once.

One folder each below the library: `about.json` (what was asked for), the recordings as they came, `heard-N` (the speech
cut out, its transcript, who it is) and one folder for each likeness tier. Their names carry format, engine and model: a
new format or model is a new folder, made anew when it is first asked for. Folders appear when they are whole.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from linly import audio as sound
from linly import enrolment, files, registry, shelf, voice_file, weights
from linly import voice_store as store
from linly.enrolment import Clip, Sample
from linly.errors import InputError
from linly.speak import closest as matching
from linly.speak import encoder as speaker
from linly.speech_words import why
from linly.values import Audio, Floats, Progress, Style, Voice

HEARD = 1
"""format of a `heard` folder; one more whenever what is in it, or what the check says, has changed"""
FITTED = 1
"""format of what fitting leaves; one more whenever an old one cannot be spoken any more"""
ENGINE = matching.ENGINE
MADE = ("fitted", "closest")
"""tiers that are kept here, the best first"""
KEPT = 8
"""voices kept in memory, so that an engine meets the same object again"""
PREVIEWS = {
    "en": "Hello! This is how I sound. I can read your lessons, your letters and your stories.",
    "zh": "你好！这就是我的声音。我可以朗读你的课文、书信和故事。",
}
check, names, export, import_ = enrolment.check, store.names, voice_file.export, voice_file.import_
_loaded: dict[tuple[str, int, int], Voice] = {}
_matched: dict[tuple[bytes, str], tuple[Floats, dict[str, Any]]] = {}


def add(
    name: str,
    paths: Sequence[str | os.PathLike[str]],
    *,
    consent: str,
    denoise: bool = False,
    text: str = "",
    tier: str = "closest",
    progress: Progress | None = None,
    sample: Sample | None = None,
) -> Voice:
    """Check recordings of a person and keep them under `name`; the voice, which can speak at once.

    consent: who agreed and to what; text: what is said, where the recogniser would err; tier: "closest" (seconds) or
    "fitted" (minutes more, then the better of the two); sample: what `check` gave for the same recordings.
    progress: told a stage and the fraction done; may raise Cancelled, and nothing is kept then unless the voice could
    already speak. Raises InputError (one sentence) for a name or recordings that will not do.
    """
    name = shelf.checked_name(name, "voice")
    if not consent.strip():
        raise InputError("The person must agree: say who agreed to what (consent), in a sentence.")
    if tier not in MADE:
        raise InputError(f"There is no way {tier!r} to make a voice; choose one of {', '.join(reversed(MADE))}.")
    taken = InputError(f"There is already a voice called {name!r}: remove it first or choose another name.")
    if store.folder_of(name).exists():
        raise taken
    registry.open_engine("speak", ENGINE)  # it makes itself ready while the recordings are heard
    sample = sample or check(paths, denoise=denoise, text=text, progress=progress)
    sources = [Path(path) for path in paths]
    kept = [f"original-{n + 1}{store.suffix(source)}" for n, source in enumerate(sources)]
    about = {
        "name": name,
        "files": [source.name for source in sources],
        "originals": kept,
        "added": datetime.now(UTC).isoformat(timespec="seconds"),
        "denoise": denoise,
        "text": " ".join(text.split()),
        "consent": consent.strip(),
        "tier": "",
    }
    found = _match(sample, progress)

    def fill(folder: Path) -> None:
        for source, original in zip(sources, kept, strict=True):
            store.copy(source, folder / original)
        shelf.write(folder / "about.json", shelf.as_json(about))
        shelf.publish(folder / f"heard-{HEARD}", lambda part: store.save_sample(sample, part))
        shelf.publish(folder / _made("closest"), lambda part: store.save_made(*found, part))

    if not shelf.publish(store.folder_of(name), fill):
        raise taken
    if tier == "fitted":
        fit(name, progress)
    return _known(name)


def called(wish: str) -> str:
    """The name of the enrolled voice that `wish` means, as it was given; empty if there is none."""
    folder = store.find(wish)
    return str(store.about_of(folder)["name"]) if folder else ""


def load(name: str, tier: str = "") -> Voice | None:
    """The voice kept under `name`, or None if there is none; tier: one of MADE, or empty for the best that is ready.

    Runs no model, except once after an update. Raises InputError if what was kept has been damaged, or if it was never
    made in that tier.
    """
    folder = store.find(name)
    if folder is None:
        return None
    about = store.about_of(folder)
    heard, tier = _heard(folder, about), tier or _chosen(folder, about)
    made = folder / _made(tier) if tier in MADE else folder / "none"
    if not made.is_dir():
        if tier != "closest":
            raise InputError(f"The voice {about['name']!r} is not {tier!r} yet; it can speak as 'closest'.")
        found = _match(store.open_sample(heard), None)
        store.renew(made, lambda part: store.save_made(*found, part))
    key = (str(made), made.stat().st_mtime_ns, heard.stat().st_mtime_ns)
    if key not in _loaded:
        voice = _open(made, heard, about, tier)
        while len(_loaded) >= KEPT:
            _loaded.pop(next(iter(_loaded)), None)
        _loaded[key] = voice
    return _loaded[key]


def info(name: str) -> dict[str, Any]:
    """What is known of an enrolled voice: name, files, added (UTC), consent, denoise, engine, tier (the one in use),
    its similarity, why_en, why_zh, tiers (name: scores), gender, languages, stock (what it was blended of) and the
    report of the check.

    Raises InputError with the nearest names if there is none.
    """
    voice, folder = _known(name), store.required(name)
    about = store.about_of(folder)
    heard = store.read_json(_heard(folder, about) / "sample.json", folder)
    tiers = {
        tier: store.read_json(folder / _made(tier) / "voice.json", folder) for tier in MADE if _is_made(folder, tier)
    }
    why_en, why_zh = why(voice.tier, tiers, about["tier"])
    return {
        **{key: about[key] for key in ("name", "files", "added", "consent", "denoise")},
        **{"engine": voice.engine, "tier": voice.tier, "similarity": voice.similarity},
        **{"why_en": why_en, "why_zh": why_zh, "tiers": tiers},
        "gender": voice.gender,
        "languages": list(voice.languages),
        "stock": tiers["closest"]["stock"] if "closest" in tiers else [],
        "report": heard["report"],
    }


def reference(name: str) -> Path:
    """The person's own speech, cut out and levelled: a WAV file, for listening beside the clone."""
    folder = store.required(name)
    return _heard(folder, store.about_of(folder)) / "reference.wav"


def before(name: str) -> Path | None:
    """The same before it was cleaned of noise; None where it was not."""
    path = reference(name).with_name("before.wav")
    return path if path.is_file() else None


def picture(name: str) -> Path:
    """A small picture of the sound: a PNG file."""
    return reference(name).with_name("sound.png")


def sample_of(name: str) -> Sample:
    """What is known of the person: speech, transcript, embedding, report. Raises InputError with the nearest names."""
    folder = store.required(name)
    about = store.about_of(folder)
    return store.open_sample(_heard(folder, about))


def clips(name: str) -> list[Clip]:
    """The person's speech in pieces with what is said in each, for engines that learn from clips."""
    sample = sample_of(name)
    return enrolment.clips(sample.speech, sample.transcript)


def preview(name: str, language: str = "en", tier: str = "") -> Audio:
    """A sentence of PREVIEWS in that voice. Raises InputError with the nearest names if there is no such voice."""
    voice = _known(name, tier)
    code = language if language in PREVIEWS else "en"
    engine = registry.open_engine("speak", voice.engine)
    return sound.concat(said.audio for said in engine.speak(PREVIEWS[code], voice, Style(language=code)))


def fit(name: str, progress: Progress | None = None, minutes: float = 11.0) -> Voice:
    """Fit the engine's own model to the person, in about so many minutes; the voice in the better of its tiers.

    Runs in a process of its own (linly.voice_fit) and goes on from where a crash or Cancelled stopped it; the voice
    speaks as before meanwhile. Raises EngineUnavailable without torch, and InputError that says why if it came out no
    better than what there was.
    """
    from linly import voice_fit

    voice_fit.fit(name, progress or (lambda stage, fraction: None), minutes)
    return _known(name)


def set_fitted(name: str, features: Floats, changes: Mapping[str, Floats], scores: Mapping[str, Any]) -> None:
    """Keep what fitting made of a voice. features: (510, 1, 256); scores: numbers, "similarity" among them."""
    folder = store.required(name)
    kept = {key: round(float(value), 4) for key, value in scores.items()}
    closest = _known(name, "closest")
    about = {**kept, "gender": closest.gender, "languages": list(closest.languages), "stock": []}

    store.renew(folder / _made("fitted"), lambda part: store.save_made(features, about, part, changes))


def choose(name: str, tier: str) -> None:
    """Speak in this tier from now on; empty for the best that is ready."""
    folder = store.required(name)
    if tier and not _is_made(folder, tier):
        raise InputError(f"The voice {called(name)!r} is not {tier!r} yet; it can speak as 'closest'.")
    store.change(folder, tier=tier)


def correct(name: str, text: str) -> None:
    """Put the transcript right; what was fitted to the old one is forgotten."""
    folder = store.required(name)
    kept = sample_of(name)
    transcript = enrolment.understood(kept.speech, text)
    report = {**kept.report, "text": transcript.text, "language": transcript.language}
    better = Sample(kept.speech, kept.before, transcript, kept.embedding, report)
    store.change(folder, text=" ".join(text.split()), tier="")
    store.renew(folder / f"heard-{HEARD}", lambda part: store.save_sample(better, part))
    if _is_made(folder, "fitted"):
        shelf.discard(folder / _made("fitted"))


def rename(old: str, new: str) -> str:
    """Give a voice another name, which is returned as it is kept. Raises InputError if that is taken or cannot be."""
    folder, name = _resting(old), shelf.checked_name(new, "voice")
    target = store.folder_of(name)
    if target != folder:
        if target.exists():
            raise InputError(f"There is already a voice called {name!r}: choose another name.")
        try:
            folder.rename(target)
        except OSError as error:
            raise files.why(target, error) from error
    store.change(target, name=name)
    return name


def remove(name: str) -> None:
    """Forget an enrolled voice, its recordings too. Raises InputError with the nearest names if there is none."""
    shelf.discard(_resting(name))


def _resting(name: str) -> Path:
    """The folder of a voice that nothing is being made of. Raises InputError."""
    from linly import voice_fit

    if voice_fit.at_work(name):
        raise InputError(f"The voice {called(name)!r} is being fitted: wait for it, or stop it first.")
    return store.required(name)


def from_file(path: str | os.PathLike[str], progress: Progress | None = None) -> Voice:
    """The closest voice to a recording; nothing is kept."""
    registry.open_engine("speak", ENGINE)
    return from_sample(check([path], progress=progress), Path(path).stem, progress)


def from_sample(sample: Sample, name: str, progress: Progress | None = None) -> Voice:
    """The closest voice to a person whose recordings were checked; nothing is kept."""
    features, about = _match(sample, progress)
    return Voice(
        id=name, name=name, engine=ENGINE, languages=tuple(about["languages"]), gender=about["gender"],
        reference=sample.speech, features=features, tier="closest", similarity=about["similarity"],
    )  # fmt: skip


def _known(name: str, tier: str = "") -> Voice:
    """The voice of that name. Raises InputError with the nearest names if there is none."""
    store.required(name)
    voice = load(name, tier)
    assert voice is not None
    return voice


def _made(tier: str) -> str:
    """The folder of a tier: made in today's way of today's model."""
    model = weights.manifest()[ENGINE].files["model.onnx"][1][:8]
    version = f"{matching.VERSION}.{speaker.VERSION}" if tier == "closest" else f"{FITTED}"
    return f"{tier}-{ENGINE}-{model}-{version}"


def _is_made(folder: Path, tier: str) -> bool:
    return tier in MADE and (folder / _made(tier)).is_dir()


def _chosen(folder: Path, about: dict[str, Any]) -> str:
    """The tier that was asked for, if it is there, else the best that is."""
    if _is_made(folder, about["tier"]):
        return str(about["tier"])
    return next((tier for tier in MADE if _is_made(folder, tier)), "closest")


def _heard(folder: Path, about: dict[str, Any]) -> Path:
    """What is known of the person, made anew from the recordings where an update asks for it."""
    heard = folder / f"heard-{HEARD}"
    if not heard.is_dir():
        originals = [folder / Path(name).name for name in about["originals"]]
        sample = check(originals, denoise=about["denoise"], text=about["text"])
        store.renew(heard, lambda part: store.save_sample(sample, part))
    return heard


def _match(sample: Sample, progress: Progress | None) -> tuple[Floats, dict[str, Any]]:
    """The closest voice and what is to be known of it; remembered, since who listens to it keeps it a moment later."""
    language = sample.transcript.language or "en"
    key = (sample.embedding.tobytes(), language)
    if key not in _matched:
        engine = registry.open_engine("speak", ENGINE)
        found = matching.closest(engine, speaker.opened(), sample.embedding, language, progress)
        about = {"similarity": found.similarity, "stock": list(found.stock), "gender": found.gender}
        while len(_matched) >= KEPT:
            _matched.pop(next(iter(_matched)), None)
        _matched[key] = found.features, {**about, "languages": list(found.languages)}
    return _matched[key]


def _open(made: Path, heard: Path, about: dict[str, Any], tier: str) -> Voice:
    features, known, changes = store.open_made(made)
    return Voice(
        id=about["name"], name=about["name"], engine=ENGINE, languages=tuple(known["languages"]),
        gender=known["gender"], reference=store.speech(heard), features=features, changes=changes, tier=tier,
        similarity=float(known["similarity"]), consent={"text": about["consent"], "added": about["added"]},
    )  # fmt: skip
