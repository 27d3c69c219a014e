"""The moments of a recording that a question names: `at 00:05`, `after 1:00`, `the last 10 seconds`.

A time that makes no sense, like `00:60`, is never passed over in silence: `misread` names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from ...domain.clip import Span
from .wording import listing

_CLOCK = r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d(?:\.\d{1,3})?)(?![\d:])"
_UNITS = r"(?:(\d{1,3}) ?(?:h|hours?),? ?(?:and )?)?(?:(\d{1,4}) ?(?:m|min|minutes?),? ?(?:and )?)?"
_SPOKEN = rf"{_UNITS}(\d{{1,6}}(?:\.\d{{1,3}})?) ?(?:s|secs?|seconds?)\b"
_MINUTES = r"(\d{1,4}(?:\.\d{1,2})?) ?(?:m|min|minutes?)\b"
_NUMBERED = r"(second|minute) (\d{1,6})\b"
_TIME = re.compile(rf"(?<![\d:.])(?:{_CLOCK}|{_SPOKEN}|{_MINUTES}|{_NUMBERED})")
_LIKE_A_CLOCK = re.compile(r"(?<![\d:.])\d{1,3}(?::\d{2,4}){1,3}(?![\d:])")
_FRAME = re.compile(r"\bframe (?:number |no\.? ?|#)?(\d{1,7})\b(?!:)")

# Seconds and minutes without a word before them may be a length: `a summary that reads in 30 seconds`.
_PLACED = re.compile(
    r"(?:\b(?:at|around|after|near|by|from|between|until|till|and|or|on|since|before|past|up to)|[,–-])"
    r"\s*(?:about |the )?$"
)
_AFTER = re.compile(r"\s*(?:in\b(?! total)|into\b|mark\b)")
_JOINED = re.compile(r"\s*(?:[-–—]|to|until|till|through)\s*(?:about )?")
_BETWEEN = re.compile(r"between\s*(?:about )?$")
_MINUS = re.compile(r"(?:^|\s)[-−]$")
_BELOW = re.compile(r"\b(?:at|around|from|to|after|before|until|since)\s[-−]$")

_FROM_THERE = re.compile(r"\b(?:(after|past)|since|starting (?:at|from|with)|beginning (?:at|with))\s*$")
_TO_THERE = re.compile(r"\b(?:(before|prior to)|until|till|up to|from the (?:beginning|start) to)\s*$")
_ONWARDS = re.compile(
    r"\s*(?:onwards?\b|and (?:after|later|afterwards|on)\W*$|(?:to|till|until|through) the (?:very )?end\b)"
)
_FROM = re.compile(r"\bfrom\s*$")
_ON = re.compile(r"\s*on\b(?!\s+(?:the|a|an|this|screen|display)\b)")
_NOT_THERE_S = 0.001
"""`After 00:05` begins so much later, since what is shown at 00:05 is not meant; and so with `before`."""

_LONG_EDGE_S = 5.0
"""`At the end` is a tenth of a recording, at least a second and at most this."""

_WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_RECORDING = r"(?:the|this|that|my) (?:\w+ )?(?:video|clip|recording|film|movie|audio|footage|file)"
_EDGE = re.compile(
    r"\b(?:(?:the )?(first|last|opening|final) (?:(frame)\b"
    rf"|(?:(\d{{1,5}}|{'|'.join(_WORDS)}) ?)?(s|secs?|seconds?|min|minutes?)\b)"
    rf"|(?:at|in|near|towards?) the (?:very )?(beginning|start|end)\b(?! of (?!{_RECORDING})))"
)
_CITED = re.compile(r"[\"“”«»][^\"“”«»]{1,80}[\"“”«»]")
_LONGEST = 2000


def named(question: str, whole: Span, times: Sequence[float] = ()) -> tuple[Span, ...]:
    """Find the moments that a question names, as spans in seconds; a single moment is a span of no length.

    The first and the last frame, the beginning and the end are those of `whole`; frames by number, from
    one, are those of `times`.
    """
    asked = _readable(question)
    spans = [*_edges(asked, whole), *_frames(asked, times)]
    found = [match for match in _times_in(asked) if _is_placed(asked, match)]
    while found:
        start = found.pop(0)
        end = found[0] if found and _is_span(asked, start, found[0]) else None
        if end is not None:
            found.pop(0)
            seconds = _seconds(start), _seconds(end)
            spans.append(Span(min(seconds), max(seconds)))
        else:
            spans.append(_around(asked, start, whole))
    return tuple(dict.fromkeys(spans))


def misread(question: str, times: Sequence[float] = ()) -> str:
    """Say that a question names a time that is none, as `00:60`, or a frame there is not; else nothing."""
    asked = _readable(question)
    wrong = [f"“{said}”" for said in _wrong(asked)]
    told = []
    if wrong:
        told.append(
            f"{listing(wrong)} was not understood as a time: write minutes and seconds as 01:05, "
            "or hours as 1:01:05."
        )
    numbers = [int(match[1]) for match in _FRAME.finditer(asked)]
    if times and (beyond := [str(n) for n in numbers if not 1 <= n <= len(times)]):
        told.append(
            f"There is no frame {listing(beyond)}: the video is seen in frames from 1 to {len(times)}."
        )
    return " ".join(told)


def removed(question: str) -> str:
    """Leave the moments out of a question, so that they are not taken for words to look for."""
    for pattern in (_EDGE, _FRAME, _TIME):
        question = pattern.sub(" ", question)
    return question


def ends(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Take the moments that a comparison names: those of `between 00:00 and 00:05` are two."""
    if len(spans) != 1:
        return tuple(spans)
    (span,) = spans
    return Span(span.start, span.start), Span(span.end, span.end)


def _readable(question: str) -> str:
    return _CITED.sub(" ", question[:_LONGEST].lower())


def _times_in(asked: str) -> list[re.Match[str]]:
    """Find the times that make sense."""
    return [match for match, makes_sense in _sorted(asked) if makes_sense]


def _wrong(asked: str) -> Iterator[str]:
    """Find what looks like a time and is none."""
    found = _sorted(asked)
    good = [match for match, makes_sense in found if makes_sense]
    for match in _LIKE_A_CLOCK.finditer(asked):
        if not any(match.start() < other.end() and other.start() < match.end() for other in good):
            yield f"{'-' if _MINUS.search(asked, 0, match.start()) else ''}{match[0]}"
    yield from (f"-{match[0]}" for match, makes_sense in found if match[3] is None and not makes_sense)


def _sorted(asked: str) -> list[tuple[re.Match[str], bool]]:
    """Find all times, and tell those that make sense from one below nought or with a 99th minute."""
    found: list[tuple[re.Match[str], bool]] = []
    end = -1
    for match in _TIME.finditer(asked):
        minus = (_MINUS if match[3] else _BELOW).search(asked, 0, match.start())
        # A dash between two times is no minus.
        is_negative = minus is not None and (end < 0 or bool(asked[end : minus.end() - 1].strip()))
        is_crooked = match[1] is not None and int(match[2]) > 59
        found.append((match, not is_negative and not is_crooked))
        end = match.end()
    return found


def _frames(asked: str, times: Sequence[float]) -> list[Span]:
    numbers = (int(match[1]) for match in _FRAME.finditer(asked))
    return [Span(times[n - 1], times[n - 1]) for n in numbers if 1 <= n <= len(times)]


def _edges(asked: str, whole: Span) -> list[Span]:
    spans = []
    for match in _EDGE.finditer(asked):
        if match[2]:
            length = 0.0
        elif match[4]:
            length = (_WORDS.get(match[3]) or float(match[3] or 1)) * (60 if match[4].startswith("m") else 1)
        else:
            length = min(max(whole.seconds / 10, 1.0), _LONG_EDGE_S)
        if match[1] in ("last", "final") or match[5] == "end":
            spans.append(Span(max(whole.end - length, whole.start), whole.end))
        else:
            spans.append(_until(Span(whole.start, min(whole.start + length, whole.end)), whole))
    return spans


def _until(span: Span, whole: Span) -> Span:
    """Leave out what is shown at the very end of a span: the first second has no frame at 00:01."""
    return replace(span, end=span.end - _NOT_THERE_S) if span.start < span.end < whole.end else span


def _around(asked: str, match: re.Match[str], whole: Span) -> Span:
    """Take a time for a moment; or for all before or after it, where the question says so."""
    moment, before = _seconds(match), asked[: match.start()].removesuffix("the ").removesuffix("about ")
    if onwards := _FROM_THERE.search(before):
        start = moment + (_NOT_THERE_S if onwards[1] else 0)
        return Span(start, max(whole.end, start))
    if _ONWARDS.match(asked, match.end()) or (_FROM.search(before) and _ON.match(asked, match.end())):
        return Span(moment, max(whole.end, moment))
    if until := _TO_THERE.search(before):
        end = moment - (_NOT_THERE_S if until[1] else 0)
        return Span(min(whole.start, end), end)
    return Span(moment, moment)


def _is_placed(asked: str, match: re.Match[str]) -> bool:
    if match[2] is not None or match[8] is not None:
        return True
    return bool(_PLACED.search(asked[: match.start()]) or _AFTER.match(asked, match.end()))


def _is_span(asked: str, start: re.Match[str], end: re.Match[str]) -> bool:
    between = asked[start.end() : end.start()]
    if _JOINED.fullmatch(between):
        return True
    return between.strip() in ("and", "and about") and bool(_BETWEEN.search(asked[: start.start()]))


def _seconds(match: re.Match[str]) -> float:
    """Read a moment, by whichever way of writing it has matched."""
    for group, read in _READERS.items():
        if match[group] is not None:
            return read(match)
    raise AssertionError(match)


def _sum(hours: str | None, minutes: str | None, seconds: str) -> float:
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(seconds)


_READERS: Mapping[int, Callable[[re.Match[str]], float]] = {
    3: lambda match: _sum(match[1], match[2], match[3]),
    6: lambda match: _sum(match[4], match[5], match[6]),
    7: lambda match: 60 * float(match[7]),
    8: lambda match: float(match[9]) * (60 if match[8] == "minute" else 1),
}
