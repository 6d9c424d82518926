"""Makes linly/speak/closest.npz: how each stock voice of Kokoro sounds to the speaker encoder.

`PYTHONPATH=. python tools/voice_embeddings.py` (three minutes on two cores), once for each change of either model.
"""

from __future__ import annotations

import sys

import numpy as np

from linly import registry, settings
from linly.files import replacing
from linly.speak import closest, encoder


def main() -> None:
    engine, judge = registry.open_engine("speak", closest.ENGINE), encoder.opened()
    ids, embeddings = [], []
    for voice in sorted(engine.voices(), key=lambda voice: voice.id):
        each = [judge.embed(closest.spoken(engine, voice, language)) for language in closest.SAID]
        mean = np.mean(each, axis=0)
        ids.append(voice.id)
        embeddings.append((mean / np.linalg.norm(mean)).astype(np.float16))
        sys.stderr.write(f"{voice.id} {encoder.similarity(*each):.3f}\n")
    target = settings.ROOT / "linly" / "speak" / "closest.npz"
    with replacing(target) as part, part.open("wb") as file:
        np.savez_compressed(file, ids=np.array(ids), embeddings=np.array(embeddings))


if __name__ == "__main__":
    main()
