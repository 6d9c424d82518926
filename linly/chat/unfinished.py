"""Whether somebody who said this has more to say: the words and marks with which nobody ends."""

from __future__ import annotations

import re

_OPEN = {
    "en": "and or but because so if when while whose the a an to of for with from is are was were am be my your his her"
    " our their i we i'm um uh er than since although though unless until very",
    "zh": "因为 所以 但是 可是 不过 而且 并且 然后 还有 或者 如果 要是 虽然 假如 比如 例如 就是 那个 关于 对于 以及"
    " 和 跟 与 或 把 被 从 向 的话 而 嗯 呃",
}
_ENDS = {
    "en": re.compile(rf"\b(?:{'|'.join(_OPEN['en'].split())})$"),
    "zh": re.compile(f"(?:{'|'.join(_OPEN['zh'].split())})$"),
}


def unfinished(text: str, language: str) -> bool:
    """True if words are still to come. A full stop says nothing: the recogniser puts one after any pause."""
    said = text.strip()
    bare = re.sub(r"[\s.。!！]+$", "", said.lower())
    if said.endswith(("...", "…", "—", "-")) or bare.endswith((",", "，", "、", ":", "：", ";", "；")):
        return True
    ends = _ENDS.get(language)
    return bool(ends and ends.search(bare))
