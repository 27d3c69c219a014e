"""Where in an answer a value is to stand, and what records have to say to that place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...domain.media import Json
from . import naming
from .evidence import Evidence
from .labels import header_terms, terms_of
from .naming import Record
from .schema import Schema

_OWNERS = frozenset(("vendor", "customer"))
_TOTALS = frozenset(("total", "subtotal", "tax", "discount"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the answer a value is to stand, what it is called, and the record it is to come from."""

    path: str = ""
    names: tuple[str, ...] = ()
    record: Record | None = None
    open_refs: frozenset[str] = frozenset()
    depth: int = 0

    def field(self, name: str, schema: Schema) -> Place:
        """Go down to a property; in `vendor: {name}` it is the vendor's name that is looked for."""
        own: list[str] = [
            name,
            *(str(schema[key]) for key in ("title", "description") if _is_short(schema, key)),
        ]
        parent = self.names[0] if self.names and self.record is None else ""
        joined = [f"{parent} {name}"] if parent else []
        names = joined if terms_of(parent) & _OWNERS else [*joined, *own]
        path = f"{self.path}.{name}" if self.path else name
        return replace(self, path=path, names=tuple(names), depth=self.depth + 1)

    def item(self, index: int, record: Record | None) -> Place:
        """Go down to an item of an array."""
        return replace(self, path=f"{self.path}[{index}]", record=record, depth=self.depth + 1)

    @property
    def is_owners(self) -> bool:
        """Whether the value belongs to a party of a contract, who must be named beside it."""
        return bool(self.names and terms_of(self.names[0]) & _OWNERS)

    @property
    def gap(self) -> str:
        """The path as the finish message shows it."""
        return self.path or "the whole answer"


def looked_up(place: Place) -> Json:
    """Find the value of the record that goes by the place's name; the closest name wins."""
    if not place.record:
        return None
    for name in place.names:
        if name in place.record:
            return place.record[name]
        if naming.is_box(name):
            return place.record.get("box_2d")
    keys = {key: header_terms(key) for key in place.record}
    for wanted in (header_terms(name) for name in place.names):
        for key, terms in keys.items():
            if terms == wanted or {*terms, *wanted} == {"amount", "total"}:
                return place.record[key]
    for wanted in (header_terms(name) for name in place.names):
        for key, terms in keys.items():
            if wanted and (wanted < terms or terms < wanted):
                return place.record[key]
    return None


def rows(names: Sequence[str], evidence: Evidence) -> list[Record] | None:
    """Take the rows of the table whose headers say most of these names; sums at its foot are no rows."""
    best: list[Record] | None = None
    most = 1 if len(names) == 1 else 2
    for table in (table for facts in evidence.facts for table in facts.tables or () if len(table.rows) > 1):
        header, *body = table.rows
        record = dict.fromkeys(header, "")
        matched = sum(looked_up(Place(names=(name,), record=record)) is not None for name in names)
        if matched >= most:
            best, most = [dict(zip(header, row, strict=False)) for row in body if _is_entry(row)], matched + 1
    return best


def _is_entry(row: Sequence[str]) -> bool:
    filled = [cell for cell in row if cell.strip()]
    if not filled or (len(filled) < len(row) / 2 and not row[0].strip()):
        return False
    return not (len(filled) < len(row) and any(terms_of(cell.partition(":")[0]) & _TOTALS for cell in filled))


def _is_short(schema: Schema, key: str) -> bool:
    said = schema.get(key)
    return isinstance(said, str) and 0 < len(said.split()) <= 5
