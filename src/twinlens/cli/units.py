"""Amounts as people write them: `2GiB`, `500MB`, `55d`, `10s`. A number alone has the setting's own unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import click

_SIZES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_TIMES = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_AMOUNT = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)")


@dataclass(frozen=True, slots=True)
class Unit:
    """What may stand behind a number, with its worth in the unit of the setting; how help shows a default.

    The last of `shown` that divides an amount is taken.
    """

    worth: Mapping[str, Decimal]
    shown: tuple[str, ...]

    def read(self, text: str) -> Decimal | None:
        """Parse an amount to the setting's own unit; None where it is none."""
        found = _AMOUNT.fullmatch(text.strip())
        worth = self._worth(found[2]) if found else None
        return Decimal(found[1]) * worth if found and worth else None

    def write(self, amount: float) -> str:
        """Write an amount so that it reads well, and exactly."""
        exact = Decimal(str(amount))
        fitting = [name for name in self.shown if not exact % self.worth[name]] if exact else []
        name = fitting[-1] if fitting else self.shown[0]
        return f"{(exact / self.worth[name]).normalize():f}{name}"

    def _worth(self, name: str) -> Decimal | None:
        """Look up a unit by its name; many write `Gib` or `KB`."""
        plain = {known.lower(): worth for known, worth in self.worth.items()}
        return self.worth.get(name) or plain.get(name.lower())


def _table(worths: Mapping[str, int], own: int = 1) -> dict[str, Decimal]:
    return {name: Decimal(worth) / own for name, worth in worths.items()}


UNITS: Mapping[str, Unit] = {
    "bytes": Unit(_table(_SIZES), ("B", "KiB", "MiB", "GiB", "TiB")),
    "MiB": Unit(_table(_SIZES, 2**20), ("MiB", "GiB")),
    "pixels": Unit(_table({"MP": 10**6, "px": 1}), ("px", "MP")),
    "seconds": Unit(_table(_TIMES) | {"ms": Decimal("0.001"), "m": Decimal(60)}, ("s", "min", "h", "d")),
}
"""By the unit that a setting has."""


class Amount(click.ParamType):  # type: ignore[type-arg]
    """A number with or without a unit, as `kind` of the setting's own."""

    def __init__(self, unit: str, kind: type[int] | type[float]) -> None:
        self.name = unit
        self._unit = UNITS[unit]
        self._kind = kind

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """Read what was given; fail with what could be given in its place."""
        if isinstance(value, (int, float)):
            return value
        text = str(value)
        try:
            return self._kind(text)
        except ValueError:
            amount = self._unit.read(text)
        if amount is None:
            self.fail(f"{text!r} is not a number of {self.name}, nor one with {self._units()}.", param, ctx)
        if self._kind is int and amount != int(amount):
            self.fail(f"{text!r} is not a whole number of {self.name}.", param, ctx)
        return self._kind(amount)

    def _units(self) -> str:
        *most, last = self._unit.worth
        return f"{', '.join(most)} or {last}"
