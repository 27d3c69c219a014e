"""A caller's JSON Schema filled from facts: values beside labels, rows of tables, sizes, counts, places.

What no fact answers is null or left out where the schema allows it, else a neutral value whose path is
listed. The value written is always valid JSON, with the properties in the schema's order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...domain.media import Json
from . import choices, naming, values
from .evidence import Evidence, Moment
from .labels import find_first
from .naming import Names, Record
from .place import Place, looked_up, rows
from .schema import (
    Schema,
    Schemas,
    bounds_of_items,
    fits_number,
    fits_string,
    is_nullable,
    members,
    neutral_member,
    neutral_number,
    neutral_string,
    types,
)
from .wording import shortened

_MOST_ROWS = 500
_MOST_PADDING = 100
_PROSE = frozenset(("caption", "summary", "description", "text", "transcript", "content", "answer"))


@dataclass(frozen=True, slots=True)
class Filled:
    """A value, how many facts are in it, the paths that hold neutral values, and remarks on what was read."""

    value: Json
    facts: int = 0
    gaps: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def fill(schema: Json, evidence: Evidence) -> Filled:
    """Fill a schema from the evidence."""
    filled = _Filler(schema, evidence).fill(schema, Place())
    return replace(
        filled, gaps=tuple(dict.fromkeys(filled.gaps)), remarks=tuple(dict.fromkeys(filled.remarks))
    )


class _Filler:
    def __init__(self, root: Json, evidence: Evidence) -> None:
        self._schemas = Schemas(root)
        self._evidence = evidence

    def fill(self, schema: Json, place: Place) -> Filled:
        """Fill one place: what is fixed first, then one of several, then by type."""
        if place.record is None:
            self._schemas.visit()
        ref = schema.get("$ref") if isinstance(schema, Mapping) else None
        if isinstance(ref, str):
            if ref in place.open_refs:
                return Filled(None, gaps=(place.gap,))
            place = replace(place, open_refs=place.open_refs | {ref})
        plain = self._schemas.plain(schema, place.depth)
        if "const" in plain:
            return Filled(plain["const"])
        found = self._unless_null(plain, place)
        if found.facts == 0 and is_nullable(plain):
            return Filled(None)
        return found

    def _unless_null(self, schema: Schema, place: Place) -> Filled:
        if values_allowed := members(schema):
            return self._member(values_allowed, place)
        for key in ("anyOf", "oneOf"):
            if branches := _list_of(schema, key, object):
                return self._branch(schema, key, branches, place)
        kinds = types(schema)
        if not kinds and is_nullable(schema):
            return Filled(None)
        if len(kinds) > 1:
            return self._best([{**schema, "type": kind} for kind in kinds], place)
        return _FILLERS.get(kinds[0] if kinds else "", _Filler._anything)(self, schema, place)

    def _branch(self, schema: Schema, key: str, branches: Sequence[Json], place: Place) -> Filled:
        """Fill the alternative that facts say most about; none said, null or the first one stands."""
        rest = {k: v for k, v in schema.items() if k not in (key, "title", "description", "default")}
        plain = [self._schemas.plain(branch, place.depth) for branch in branches]
        if rest.keys() & {"properties", "type", "required"}:
            branches = [{"allOf": [rest, branch]} for branch in branches]
        nullable = any(is_nullable(branch) and not types(branch) for branch in plain)
        some = [b for b, p in zip(branches, plain, strict=True) if types(p) or not is_nullable(p)]
        best = self._best(some, place) if some else Filled(None)
        return Filled(None) if nullable and best.facts == 0 else best

    def _best(self, schemas: Iterable[Json], place: Place) -> Filled:
        filled = [self.fill(schema, place) for schema in schemas]
        return max(filled, key=lambda f: f.facts)

    def _member(self, allowed: Sequence[Json], place: Place) -> Filled:
        if len(allowed) == 1:
            return Filled(allowed[0])
        chosen = choices.choose(allowed, place.names, self._evidence, looked_up(place))
        if chosen is not None:
            return Filled(chosen, 1)
        return Filled(neutral_member(allowed), gaps=(place.gap,))

    def _object(self, schema: Schema, place: Place) -> Filled:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        required = _list_of(schema, "required", str)
        if place.record is None and any(map(naming.is_box, properties)) and self._evidence.items:
            place = replace(place, record=self._evidence.items[0].as_record())
        elif not properties and isinstance(schema.get("additionalProperties", True), Mapping | bool):
            return self._free(schema, place)
        written: dict[str, Filled] = {}
        spare: dict[str, Filled] = {}
        for name, inner in properties.items():
            below = place.field(name, self._schemas.plain(inner, place.depth))
            filled = self.fill(inner, below)
            keep = name in required or filled.facts > 0 or (filled.value is None and not filled.gaps)
            (written if keep else spare)[name] = filled
        written |= {name: Filled(None) for name in required if name not in properties}
        least = schema.get("minProperties")
        while isinstance(least, int) and len(written) < least and spare:
            written |= [spare.popitem()]
        return _together({name: written[name] for name in [*properties, *written] if name in written})

    def _free(self, schema: Schema, place: Place) -> Filled:
        """Fill an object without named properties with what is written as `label: value`."""
        inner = schema.get("additionalProperties")
        if inner is False or place.record is not None:
            return Filled({}, gaps=(place.gap,))
        inner = inner if isinstance(inner, Mapping) else {"type": "string"}
        pairs = {k: v for labels in self._evidence.labels for k, v in labels.pairs().items()}
        written: dict[str, Filled] = {}
        for name, value in pairs.items():
            below = replace(place.field(name, {}), record={name: value})
            filled = self.fill(inner, below)
            if filled.facts:
                written[name] = filled
        return _together(written) if written else Filled({}, gaps=(place.gap,))

    def _array(self, schema: Schema, place: Place) -> Filled:
        least, most = bounds_of_items(schema)
        if fixed := _list_of(schema, "prefixItems", object):
            return self._tuple(fixed, place)
        inner = schema.get("items")
        found = self._listed(inner if isinstance(inner, Mapping) else {}, place)
        parts = list(found or ())[: most if most is not None else _MOST_ROWS]
        if schema.get("uniqueItems"):
            parts = [p for i, p in enumerate(parts) if all(p.value != other.value for other in parts[:i])]
        short = found is None or len(parts) < least
        while len(parts) < min(least, _MOST_PADDING):
            parts.append(self.fill(inner or {}, place.item(len(parts), {})))
        filled = _together(parts)
        known = filled.facts + (0 if short else 1)
        return replace(filled, facts=known, gaps=(*filled.gaps, *((place.gap,) if short else ())))

    def _tuple(self, schemas: Sequence[Json], place: Place) -> Filled:
        given = looked_up(place)
        taken = given if isinstance(given, list) and len(given) == len(schemas) else [None] * len(schemas)
        parts = []
        for index, (inner, value) in enumerate(zip(schemas, taken, strict=True)):
            below = place.item(index, None if value is None else {"item": value})
            parts.append(self.fill(inner, below if value is None else replace(below, names=("item",))))
        return _together(parts)

    def _listed(self, inner: Schema, place: Place) -> list[Filled] | None:
        """Find what an array is to hold; None where there is no telling."""
        plain = self._schemas.plain(inner, place.depth)
        given = looked_up(place)
        if isinstance(given, list):
            return self._items(inner, place, [{"item": value} for value in given], named="item")
        if place.record is not None:
            return None
        kind = next(iter(types(plain)), "string")
        if kind == "object":
            records = self._records(plain, place)
            return None if records is None else self._items(inner, place, records)
        if kind in ("number", "integer"):
            found: Sequence[Json] | None = naming.series(place.names, self._evidence)
        else:
            found = naming.texts(place.names, self._evidence) if kind == "string" else None
        if found is None:
            return None
        filled = self._items(inner, place, [{"item": value} for value in found], named="item")
        return [part for part in filled if part.facts]

    def _items(
        self, inner: Schema, place: Place, records: Iterable[Record], named: str | None = None
    ) -> list[Filled]:
        given = list(records)
        places = (place.item(index, record) for index, record in enumerate(given[:_MOST_ROWS]))
        filled = [self.fill(inner, replace(p, names=(named,)) if named else p) for p in places]
        if len(given) > len(filled):
            cut = f"{place.gap} has the first {len(filled)} of {len(given)} entries"
            filled[-1] = replace(filled[-1], remarks=(*filled[-1].remarks, cut))
        return filled

    def _records(self, item: Schema, place: Place) -> Sequence[Record] | None:
        properties = item.get("properties")
        names = list(properties) if isinstance(properties, Mapping) else []
        if any(map(naming.is_box, names)) and self._evidence.items is not None:
            return [found.as_record() for found in self._evidence.items]
        named: Sequence[Record] | None = naming.named(place.names, self._evidence, naming.is_records)
        if named is not None:
            return named
        if (timed := naming.timed(names, place.names, self._evidence)) is not None:
            return timed
        found = rows(names, self._evidence)
        return found if found is not None else naming.records(place.names, self._evidence)

    def _string(self, schema: Schema, place: Place) -> Filled:
        remarks: list[str] = []

        def read(text: str) -> str | None:
            return _formed(text, schema, place, remarks)

        found = self._sought(place, read, naming.text)
        if found is not None:
            return Filled(found, 1, remarks=tuple(remarks))
        return Filled(neutral_string(schema), gaps=(place.gap,))

    def _number(self, schema: Schema, place: Place) -> Filled:
        def read(said: Json) -> float | None:
            value = _seconds(said, schema) if isinstance(said, Moment) else said
            value = values.number(value) if isinstance(value, str) else value
            fits = (
                isinstance(value, int | float) and not isinstance(value, bool) and fits_number(value, schema)
            )
            return value if fits else None

        found = self._sought(place, read, naming.number)
        value = found if found is not None else neutral_number(schema)
        whole = int(value) if value == int(value) else value
        return Filled(whole, 1) if found is not None else Filled(whole, gaps=(place.gap,))

    def _boolean(self, _schema: Schema, place: Place) -> Filled:
        def read(said: Json) -> bool | None:
            return said if isinstance(said, bool) else choices.truth_of(str(said))

        found = self._sought(place, read, naming.truth)
        return Filled(found, 1) if found is not None else Filled(False, gaps=(place.gap,))

    def _anything(self, _schema: Schema, place: Place) -> Filled:
        """Fill a place that may hold any value: with what the record or the labels say, else with null."""
        found = self._sought(place, lambda said: said, naming.text)
        return Filled(found, 1) if found is not None else Filled(None)

    def _sought(
        self,
        place: Place,
        read: Callable[[Json], Json],
        by_name: Callable[[Names, Evidence], Json],
    ) -> Json:
        """Look in the record where there is one; else beside labels, then among the facts of that name."""
        if place.record is not None:
            given = looked_up(place)
            return None if given is None else read(given)
        if (
            named := naming.named(place.names, self._evidence, lambda value: read(value) is not None)
        ) is not None:
            return read(named)
        beside = find_first(self._evidence.labels, place.names, read) if place.names else None
        if beside is not None:
            return beside.value
        if place.is_owners:
            # The one e-mail address of a page may be anybody's; the customer's must be marked as such.
            return None
        said = by_name(place.names, self._evidence)
        return None if said is None else read(said)


_FILLERS: Mapping[str, Callable[[_Filler, Schema, Place], Filled]] = {
    "object": _Filler._object,
    "array": _Filler._array,
    "string": _Filler._string,
    "number": _Filler._number,
    "integer": _Filler._number,
    "boolean": _Filler._boolean,
}


def _together(parts: Mapping[str, Filled] | Sequence[Filled]) -> Filled:
    """Join the parts of an object or an array."""
    all_parts = list(parts.values()) if isinstance(parts, Mapping) else list(parts)
    value: Json = [part.value for part in all_parts]
    if isinstance(parts, Mapping):
        value = {name: part.value for name, part in parts.items()}
    gaps = tuple(gap for part in all_parts for gap in part.gaps)
    remarks = tuple(remark for part in all_parts for remark in part.remarks)
    return Filled(value, sum(part.facts for part in all_parts), gaps, remarks)


def _seconds(moment: Moment, schema: Schema) -> float:
    return int(moment.seconds) if "integer" in types(schema) else moment.seconds


def _formed(text: Json, schema: Schema, place: Place, remarks: list[str]) -> str | None:
    """Bring a text into the form the schema asks for; None where it cannot be that."""
    if isinstance(text, Mapping | list | tuple):
        return None
    said = f"{text:g}" if isinstance(text, float) else str(text).strip()
    form = str(schema.get("format"))
    if form in ("date", "date-time"):
        found = values.day(said)
        if found is None:
            return None
        if found.ambiguous:
            remarks.append(f"{place.gap} was read with the month first")
        said = found.value.isoformat()
        said += f"T{values.clock(str(text)) or '00:00:00'}Z" if form == "date-time" else ""
    elif form == "time":
        said = f"{clock}Z" if (clock := values.clock(said)) else ""
    elif form in values.SHAPES:
        shape = values.SHAPES[form].search(said)
        said = shape[0] if shape else ""
    most = schema.get("maxLength")
    if isinstance(most, int) and len(said) > most and naming.words_of(place.names) & _PROSE:
        said = shortened(said, most)
    return said if said and fits_string(said, schema) else None


def _list_of(schema: Schema, key: str, kind: type) -> list[Any]:
    said = schema.get(key)
    return [value for value in said if isinstance(value, kind)] if isinstance(said, list | tuple) else []
