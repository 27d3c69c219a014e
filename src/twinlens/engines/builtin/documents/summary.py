"""What a document is about in its own words: title, headings, and the sentences that carry most of them.

No language is known here: a word matters when it comes back, and does not stand everywhere.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from statistics import median

from ..wording import FILLER, STEM_LENGTH
from .pages import Page, Passage

_WORD = re.compile(r"[^\W\d_]{4,}")
_SHORTEST, _LONGEST = 6, 45
_EVERYWHERE = 0.25
_LEAD = 1.15
_USED = 0.3
_MOST_CONSIDERED = 20_000
_LARGER = 1.2
_LONGEST_TITLE = 160


def title(pages: Sequence[Page]) -> str:
    """Give the line set largest on the first page that has text, else that page's first line."""
    first = next((page for page in pages if page.lines), None)
    if first is None:
        return ""
    if first.marked is not None:
        return (first.headings or (first.lines[0].text,))[0][:_LONGEST_TITLE]
    heights = [line.box.ymax - line.box.ymin for line in first.lines]
    largest = max(heights)
    if largest < _LARGER * median(heights):
        return first.lines[0].text[:_LONGEST_TITLE]
    said: list[str] = []
    for line, height in zip(first.lines, heights, strict=True):
        if height >= 0.9 * largest:
            said.append(line.text)
        elif said:
            break
    return " ".join(said)[:_LONGEST_TITLE]


def sentences(pages: Sequence[Page], most: int = 5) -> list[Passage]:
    """Choose the sentences that say most with words that return, none of them twice; in their order."""
    considered = [p for page in pages for p in page.passages if not p.is_heading][:_MOST_CONSIDERED]
    words = [_stems(passage.text) for passage in considered]
    spread = Counter(stem for said in words for stem in said)
    rare = max(_EVERYWHERE * len(considered), 3)
    weights = {
        stem: math.log(1 + count) * math.log(1 + len(considered) / count)
        for stem, count in spread.items()
        if count <= rare and (count > 1 or len(considered) < 12)
    }
    scores = {
        index: _score(passage, words[index], weights, index, considered)
        for index, passage in enumerate(considered)
        if _is_sentence(passage.text)
    }
    return [considered[index] for index in sorted(_chosen(scores, words, weights, most))]


def _chosen(
    scores: dict[int, float], words: Sequence[set[str]], weights: dict[str, float], most: int
) -> list[int]:
    """Take the best, again and again; words that have been said count little from then on."""
    left = dict(sorted(scores.items(), key=lambda item: -item[1])[: 20 * most])
    used: set[str] = set()
    chosen: list[int] = []
    while left and len(chosen) < most:
        best = max(left, key=lambda index: left[index] * _news(words[index], weights, used))
        if left.pop(best) <= 0:
            break
        chosen.append(best)
        used |= words[best]
    return chosen


def _news(said: set[str], weights: dict[str, float], used: set[str]) -> float:
    whole = sum(weights.get(stem, 0.0) for stem in said) or 1.0
    old = sum(weights.get(stem, 0.0) for stem in said & used)
    return 1 - (1 - _USED) * old / whole


def _score(
    passage: Passage, said: set[str], weights: dict[str, float], index: int, all_of_them: Sequence[Passage]
) -> float:
    # Long sentences have more words; the root keeps them from winning by that alone.
    score = sum(weights.get(stem, 0.0) for stem in said) / math.sqrt(len(said) + 4)
    leads = index == 0 or all_of_them[index - 1].heading != passage.heading
    return score * (_LEAD if leads else 1.0)


def _is_sentence(text: str) -> bool:
    if text.endswith(("。", "！", "？")):
        return True
    return _SHORTEST <= len(text.split()) <= _LONGEST and text.endswith((".", "!", "?", "…", "”", '"', ")"))


def _stems(text: str) -> set[str]:
    return {word[:STEM_LENGTH] for word in _WORD.findall(text.lower()) if word not in FILLER}
