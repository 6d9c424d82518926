"""Forced alignment without a model of its own: a recording takes over the timing of the same words spoken by a voice
engine, and a long recording is cut into sentences that together are exactly its sound.

Dynamic time warping: Sakoe and Chiba, "Dynamic programming algorithm optimization for spoken word recognition" (1978);
cepstra: Davis and Mermelstein (1980). numpy only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from linly.align_features import HOP, Array, Features, compare
from linly.audio import is_silent
from linly.values import Audio, Span, Transcript, Utterance

BAND, BAND_LED = 0.25, 0.1
"""half width of the band in which the path may run, as a fraction of the longer sound; and where heard words lead it"""
LEAST_BAND, MOST_BAND = 1.2, 6.0
"""seconds; never narrower, and never wider, which bounds the memory of a long sound"""
STRETCH = 0.45
"""extra cost of a step that stretches or squeezes speech; in silence it costs STRETCH_QUIET"""
STRETCH_QUIET = 0.05
MISMATCH = 1.2
"""extra cost of laying speech on silence"""
SKIP = 1.0
"""most that a frame of silence costs that the other sound lacks"""
REST = 0.10
"""seconds that longer silences are shortened to before the two sounds are compared"""
SURE_LETTERS = 4
"""letters in a row that the recogniser and the reference have alike before a word's time is believed"""
MAX_PAUSE = 0.12
"""seconds of silence within a phoneme that belong to a pause instead"""
LONGEST = 12.0
"""seconds of the longest sentence that split_transcript makes where there is anywhere to cut"""
GAP = 2.5
"""seconds without words that become a piece of their own"""
_END = re.compile(r"[.!?。！？…；;]+[\"'”’」』)）]*$")
_COMMA = re.compile(r"[,，、:：—]+[\"'”’」』)）]*$")


def align(recording: Audio, reference: Utterance, heard: Sequence[Span] = ()) -> Utterance:
    """The recording with the words and phonemes of `reference` (the same text, exact times) moved to its own.

    `heard`: words as a recogniser timed them; they lead the search through long rests and long sentences.
    Returns an Utterance with the recording's sound, timing "aligned"; or, if one of the two is silent or the
    reference has no phonemes, one without times (timing "none").
    """
    bare = Utterance(reference.text, recording, reference.language)
    if not reference.phonemes or is_silent(recording) or is_silent(reference.audio):
        return bare
    model, spoken = compare(reference.audio, recording)
    there, here = warp(model, spoken, anchors(reference.words, heard))
    silent = _pauses(spoken)
    end = recording.seconds

    def moved(spans: tuple[Span, ...]) -> tuple[Span, ...]:
        out: list[Span] = []
        for span in spans:
            first, last = (float(x) for x in np.interp((span.start, span.end), there, here))
            first, last = _without_silence(first, last, silent)
            first = min(max(first, out[-1].end if out else 0.0), end)
            out.append(Span(span.text, first, min(max(last, first), end)))
        return tuple(out)

    return replace(bare, words=moved(reference.words), phonemes=moved(reference.phonemes), timing="aligned")


def anchors(words: Sequence[Span], heard: Sequence[Span]) -> list[tuple[float, float]]:
    """(second in the reference, second in the recording) of the starts of words that both have, in order."""
    here, there = (
        {len("".join(letters[:k])): span.start for k, span in enumerate(spans)}
        for spans, letters in ((s, [_letters(w.text) for w in s]) for s in (words, heard))
    )
    said, understood = ("".join(_letters(w.text) for w in spans) for spans in (words, heard))
    pairs: list[tuple[float, float]] = []
    for a, b, size in SequenceMatcher(None, said, understood, autojunk=False).get_matching_blocks():
        if size >= SURE_LETTERS or size == len(said):
            pairs += [(here[a + k], there[b + k]) for k in range(size) if a + k in here and b + k in there]
    return pairs


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def warp(model: Features, spoken: Features, pairs: Sequence[tuple[float, float]] = ()) -> tuple[Array, Array]:
    """Seconds in the reference and, for each, the second in the recording: rising, from end to end.

    `pairs`: seconds of both that are known to lie near each other, rising.
    """
    a, b = (_shortened(f) for f in (model, spoken))
    i, j = _path(model, spoken, a, b, _centre(a, b, pairs), BAND_LED if pairs else BAND)
    # Each reference frame lies at the mean of the recording's frames that it was matched with, rests left aside.
    weight = np.where(model.quiet[a[i]] == spoken.quiet[b[j]], 1.0, 1e-3)
    total = np.bincount(i, weights=j * weight) / np.bincount(i, weights=weight)
    matched = np.interp(np.maximum.accumulate(total), np.arange(len(b)), b)
    there = np.concatenate(([0.0], a + 0.5, [len(model.quiet)])) * HOP
    here = np.concatenate(([0.0], matched + 0.5, [len(spoken.quiet)])) * HOP
    return there, here


def _shortened(of: Features) -> NDArray[np.int64]:
    """The frames of speech, of longer rests only the edges: how long somebody rests says nothing about the words."""
    keep = np.zeros(len(of.quiet), bool)
    keep[of.first : of.last] = True
    edge = round(REST / HOP / 2)
    for first, last in _runs(of.quiet):
        keep[first + edge : max(first + edge, last - edge)] = False
    return np.flatnonzero(keep)


def _centre(a: NDArray[np.int64], b: NDArray[np.int64], pairs: Sequence[tuple[float, float]]) -> Array:
    """For each frame of the reference (numbers `a`) the place in the recording's `b` that it is looked for about."""
    known = [(float(np.searchsorted(a, x / HOP)), float(np.searchsorted(b, y / HOP))) for x, y in pairs]
    ends = (len(a) - 1.0, len(b) - 1.0)
    inside = [(x, y) for x, y in known if 0 < x < ends[0] and 0 < y < ends[1]]
    xs, ys = np.array([(0.0, 0.0), *inside, ends]).T
    result: Array = np.interp(np.arange(len(a)), xs, np.maximum.accumulate(ys))
    return result


def _path(
    model: Features, spoken: Features, of_a: NDArray[np.int64], of_b: NDArray[np.int64], centre: Array, share: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places in `of_a` and `of_b`, the frames compared, along the cheapest monotone path within a band about `centre`.

    One pass over the anti-diagonals: all cells of one depend only on the two before it, so that costs are made as they
    are needed and memory grows with the length times the band only.
    """
    a, b = (np.ascontiguousarray(f.vectors[of], np.float32) for f, of in ((model, of_a), (spoken, of_b)))
    quiet_a, quiet_b = model.quiet[of_a], spoken.quiet[of_b]
    squeeze, stretch = (np.where(quiet, STRETCH_QUIET, STRETCH) for quiet in (quiet_a, quiet_b))
    most_a, most_b = (np.where(quiet, SKIP, np.inf) for quiet in (quiet_a, quiet_b))
    square_a, square_b = (a**2).sum(axis=1), (b**2).sum(axis=1)
    n, m = len(a), len(b)
    band = min(MOST_BAND / HOP, max(LEAST_BAND / HOP, share * max(n, m)))
    band += float(np.diff(centre).max(initial=0)) + 1  # neighbouring rows overlap, so that there is a path
    rows = np.arange(n)
    best = [np.full(n + 1, np.inf), np.full(n + 1, np.inf)]  # index row + 1, so that row - 1 is always there
    steps: list[tuple[int, NDArray[np.int8]]] = []
    for d in range(n + m - 1):
        low, high = max(0, d - m + 1), min(n - 1, d)
        i = rows[low : high + 1]
        i = i[np.abs((d - i) - centre[low : high + 1]) <= band]
        now = np.full(n + 1, np.inf)
        if not len(i):
            steps.append((0, np.zeros(0, np.int8)))
        else:
            j = d - i
            apart = square_a[i] + square_b[j] - 2 * np.einsum("ij,ij->i", a[i], b[j])
            here = np.sqrt(np.maximum(0, apart) / a.shape[1]) + MISMATCH * (quiet_a[i] != quiet_b[j])
            down = best[1][i] + np.minimum(here + squeeze[i], most_a[i])
            right = best[1][i + 1] + np.minimum(here + stretch[j], most_b[j])
            options = np.stack([best[0][i] + 2 * here, down, right])
            if d == 0:
                options[0, 0] = here[0]
            choice = options.argmin(axis=0)
            now[i + 1] = options[choice, np.arange(len(i))]
            steps.append((int(i[0]), choice.astype(np.int8)))
        best = [best[1], now]
    return _walk_back(steps, n, m)


def _walk_back(
    steps: list[tuple[int, NDArray[np.int8]]], n: int, m: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    i, j = n - 1, m - 1
    path = [(i, j)]
    while i or j:
        first, choice = steps[i + j]
        step = choice[i - first]
        i, j = i - (step != 2), j - (step != 1)
        path.append((int(i), int(j)))
    back = np.array(path[::-1], np.int64)
    return back[:, 0], back[:, 1]


def _runs(quiet: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n, 2) first frame of each silence and the frame behind it."""
    edges: NDArray[np.int64] = np.flatnonzero(np.diff(np.concatenate(([0], quiet.astype(np.int8), [0]))))
    return edges.reshape(-1, 2)


def _pauses(spoken: Features) -> list[tuple[float, float]]:
    """Silences of at least MAX_PAUSE, in seconds."""
    return [(float(a), float(b)) for a, b in _runs(spoken.quiet) * HOP if b - a >= MAX_PAUSE]


def _without_silence(start: float, end: float, silent: list[tuple[float, float]]) -> tuple[float, float]:
    """The longest part of a span that is not silence; the span itself if nothing would be left of it."""
    parts = [(start, end)]
    for a, b in silent:
        parts = [p for s, e in parts for p in ((s, min(e, a)), (max(s, b), e)) if p[1] > p[0]]
    longest = max(parts, key=lambda p: p[1] - p[0], default=(start, end))
    return longest if longest[1] - longest[0] >= 0.02 else (start, end)


def split_transcript(transcript: Transcript, audio: Audio) -> list[tuple[str, float, float]]:
    """(text, start, end) of sentences that together tile the sound from 0 to its end without a gap.

    Sentences end at their punctuation; one longer than LONGEST is cut at a comma or its longest gap. Cuts fall into the
    quietest moment between two words. More than GAP seconds without words, and sound without any, have the text "".
    """
    if not len(audio.samples):
        return [("", 0.0, audio.seconds)]
    if not transcript.words:
        text = transcript.text.strip()
        return [(text, 0.0, audio.seconds)] if text else _silent(0.0, audio.seconds, audio)
    said = [s for group in _sentences(_with_text(transcript)) for s in _short(group)]
    pieces: list[tuple[str, float, float]] = []
    at = 0.0
    for index, words in enumerate(said):
        if words[0].start - at > GAP:
            start = words[0].start - 0.3
            pieces += _silent(at, start, audio)
            at = start
        following = said[index + 1][0].start if index + 1 < len(said) else audio.seconds
        if following - words[-1].end > GAP:
            cut = words[-1].end + 0.3
        elif index + 1 == len(said):
            cut = audio.seconds
        else:
            cut = _quietest(audio, words[-1].end, following, at)
        cut = min(max(cut, at + 0.05), audio.seconds)
        pieces.append(("".join(w.text for w in words).strip(), at, cut))
        at = cut
    if audio.seconds - at > 0.05:
        pieces += _silent(at, audio.seconds, audio)
    else:
        pieces[-1] = (pieces[-1][0], pieces[-1][1], audio.seconds)
    return pieces


def _with_text(transcript: Transcript) -> list[Span]:
    """The words with the blanks and marks that follow them in the text, so that joining them gives the text back."""
    at, places = 0, []
    for word in transcript.words:
        found = transcript.text.find(word.text, at)
        if found < 0:  # the words are not quite the text: keep their order and put blanks between
            blank = "" if transcript.language in ("zh", "ja") else " "
            return [Span(w.text + blank, w.start, w.end) for w in transcript.words]
        places.append(found)
        at = found + len(word.text)
    ends = [*places[1:], len(transcript.text)]
    return [Span(transcript.text[a:b], w.start, w.end) for w, a, b in zip(transcript.words, places, ends, strict=True)]


def _sentences(words: list[Span]) -> list[list[Span]]:
    """Words grouped to sentences, by their final marks and by gaps longer than GAP."""
    groups: list[list[Span]] = [[]]
    for word, following in zip(words, [*words[1:], None], strict=True):
        groups[-1].append(word)
        over = _END.search(word.text.strip()) or (following and following.start - word.end > GAP)
        if over and following:
            groups.append([])
    return groups


def _short(words: list[Span]) -> list[list[Span]]:
    """A sentence as one group, or cut where it pauses until none is longer than LONGEST."""
    if words[-1].end - words[0].start <= LONGEST or len(words) == 1:
        return [words]
    middle = (words[0].start + words[-1].end) / 2

    def worth(k: int) -> float:
        gap = words[k].start - words[k - 1].end
        comma = 0.5 if _COMMA.search(words[k - 1].text.strip()) else 0.0
        return gap + comma - abs(words[k].start - middle) / LONGEST

    best = max(range(1, len(words)), key=worth)
    return _short(words[:best]) + _short(words[best:])


def _quietest(audio: Audio, end: float, start: float, least: float) -> float:
    """The quietest moment about the gap between two words; recognisers are off by a tenth of a second."""
    low, high = max(least, min(end, start) - 0.12), min(audio.seconds, max(end, start) + 0.12)
    block = max(1, round(0.02 * audio.rate))
    first = int(low * audio.rate)
    samples = audio.samples[first : int(high * audio.rate)]
    if len(samples) < 2 * block:
        return (low + high) / 2
    power = np.square(samples[: len(samples) // block * block]).reshape(-1, block).mean(axis=1)
    power = np.convolve(np.pad(power, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    # Among moments that are about as quiet, the middle one: a cut at the edge of a pause clips a breath or a stop.
    quiet = np.flatnonzero(power <= 2 * power.min() + 1e-9)
    return float((first + (quiet[len(quiet) // 2] + 0.5) * block) / audio.rate)


def _silent(start: float, end: float, audio: Audio) -> list[tuple[str, float, float]]:
    """A stretch without words as pieces of at most LONGEST, cut where it is quiet."""
    pieces = []
    while end - start > LONGEST:
        cut = _quietest(audio, start + LONGEST - 2, start + LONGEST - 1, start)
        pieces.append(("", start, cut))
        start = cut
    return [*pieces, ("", start, end)]
