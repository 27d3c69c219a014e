"""What happens to files on their way: bytes change, pieces are lost or shuffled, and numbers lie."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

import clips

Numbers = Sequence[re.Pattern[bytes]]
"""Where a kind of file says how large, how many or where something is: groups of digits, or of bytes."""

Damage = Callable[[bytes, Random, Numbers], bytes]


def damaged(data: bytes, seed: str, numbers: Numbers) -> Iterator[bytes]:
    """Damage a file in one way after the other, without an end; the same for the same seed."""
    random = Random(seed)
    while True:
        (damage,) = random.choices(list(_DAMAGES), list(_DAMAGES.values()))
        found = damage(data, random, numbers)
        if found not in (data, b""):
            yield found


def _changed(data: bytes, random: Random, numbers: Numbers) -> bytes:
    return next(clips.mutations(data, 1, random.getrandbits(32)))


def _cut_off(data: bytes, random: Random, numbers: Numbers) -> bytes:
    return data[: random.randrange(len(data))]


def _shuffled(data: bytes, random: Random, numbers: Numbers) -> bytes:
    """Let two pieces change places."""
    a, b, c, d = sorted(random.randrange(len(data) + 1) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _lying(data: bytes, random: Random, numbers: Numbers) -> bytes:
    """Let one of the numbers, or a few, be something else."""
    for _ in range(random.choice((1, 1, 1, 3))):
        places = [found.span(1) for number in numbers for found in number.finditer(data)]
        if places:
            data = _with_lie(data, random, *random.choice(places))
    return data


def _with_lie(data: bytes, random: Random, start: int, end: int) -> bytes:
    lie = random.choice((*_LIES, len(data), random.randrange(1 << 16)))
    if _DIGITS.fullmatch(data, start, end):
        return data[:start] + b"%d" % random.choice((lie, -lie, random.randrange(20))) + data[end:]
    width = min(random.choice((2, 4, 8)), end - start)
    at = random.randrange(start, end - width + 1, width)
    written = (lie % (1 << 8 * width)).to_bytes(width, "big" if random.random() < 0.5 else "little")
    return data[:at] + written + data[at + width :]


_DIGITS = re.compile(rb"[-.0-9]+")
_LIES = (0, 1, 2, 255, 65_536, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 16, (1 << 32) - 1, (1 << 63) - 1)

_DAMAGES: Mapping[Damage, int] = {_changed: 8, _lying: 8, _cut_off: 2, _shuffled: 2}
"""How often each comes, of twenty times."""
