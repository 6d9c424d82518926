"""What works on this machine, and why not."""

from __future__ import annotations

import os
import platform
import shutil
from typing import Any

from linly import __version__, registry, settings, weights


def examine() -> dict[str, Any]:
    """Machine, models and engines with their verdicts; `lines` is that in words, `exit` is 1 if no video comes."""
    chosen = settings.load()
    engines = {
        kind: {name: _verdict(kind, name) for name in registry.names(kind)}
        for kind in registry.KINDS
        if registry.names(kind)
    }
    works = all(any(v["ready"] for v in engines.get(kind, {}).values()) for kind in ("speak", "move", "draw"))
    machine = {
        "linly": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": settings.threads(),
        "memory_gb": memory_gb(),
        "disk_free_gb": _disk_free_gb(),
        "gpu": gpu(),
        "weights": str(chosen.weights),
    }
    models = {row["name"]: {"ready": row["ready"], "problem": row["problem"]} for row in weights.listing()}
    lines = [f"{key:13} {value}" for key, value in machine.items()]
    lines += [f"model {name:20} {'ready' if m['ready'] else m['problem'] or 'not here'}" for name, m in models.items()]
    lines += [
        f"engine {kind + '/' + name:19} {'ready' if v['ready'] else v['why']}"
        for kind, found in engines.items()
        for name, v in found.items()
    ]
    lines += [f"engine file {name}: {why}" for name, why in registry.broken().items()]
    lines.append("videos can be made" if works else "videos cannot be made yet: run `python -m linly weights pull`")
    return {
        "machine": machine,
        "models": models,
        "engines": engines,
        "works": works,
        "lines": lines,
        "exit": 0 if works else 1,
    }


def _verdict(kind: str, name: str) -> dict[str, Any]:
    why = registry.why_not(kind, name)
    return {"ready": not why, "why": why}


def memory_gb() -> float | None:
    """Memory of the machine in gigabytes; None where the system does not tell."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return None


def gpu() -> str:
    """Name of an NVIDIA GPU as the driver tells it, or "none"."""
    import subprocess

    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "none"
    asked = subprocess.run(
        [tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip().splitlines()[0] if asked.returncode == 0 and asked.stdout.strip() else "none"


def _disk_free_gb() -> float:
    folder = settings.load().weights
    while not folder.exists():
        folder = folder.parent
    return round(shutil.disk_usage(folder).free / 1e9, 1)
