"""A caller's JSON Schema filled from facts: values beside labels, rows of tables, sizes, counts, places.

What no fact answers is null or left out where the schema allows it, else a neutral value whose path is
listed. The value written is always valid JSON, with the properties in the schema's order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...domain.errors import InvalidArgument
from ...domain.media import Json
from . import choices, naming, values
from .evidence import Evidence, Moment
from .labels import find_first
from .naming import Names, Record
from .place import Place, looked_up, rows
from .schema import (
    SCHEMA_FIELD,
    Schema,
    Schemas,
    bounds_of_items,
    bounds_of_properties,
    fits_number,
    fits_string,
    is_nullable,
    members,
    neutral_member,
    neutral_number,
    types,
)
from .wording import shortened

_MOST_ROWS = 500
_MOST_PADDING = 1000
_MOST_SHOWN = 3
_MOST_WHOLE = 1e21
"""Larger numbers are written with an exponent, as everywhere."""
_PROSE = frozenset(("caption", "summary", "description", "text", "transcript", "content", "answer"))


@dataclass(frozen=True, slots=True)
class Filled:
    """A value, how many facts are in it, the paths that hold neutral values, and remarks on what was read.

    `unmet` are the paths where neither a fact nor anything neutral is what the schema asks for.
    """

    value: Json
    facts: int = 0
    gaps: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()


def fill(schema: Json, evidence: Evidence) -> Filled:
    """Fill a schema from the evidence; refuse one that forces a value where there is none to give."""
    filled = _Filler(schema, evidence).fill(schema, Place())
    if filled.unmet:
        raise _unmet(tuple(dict.fromkeys(filled.unmet)))
    return replace(
        filled, gaps=tuple(dict.fromkeys(filled.gaps)), remarks=tuple(dict.fromkeys(filled.remarks))
    )


class _Filler:
    def __init__(self, root: Json, evidence: Evidence) -> None:
        self._schemas = Schemas(root)
        self._evidence = evidence

    def fill(self, schema: Json, place: Place) -> Filled:
        """Fill one place: what is fixed first, then one of several, then by type."""
        self._schemas.visit()
        if schema is False:
            return _nothing(place)
        ref = schema.get("$ref") if isinstance(schema, Mapping) else None
        if isinstance(ref, str):
            if ref in place.open_refs:
                return _nothing(place)
            place = replace(place, open_refs=place.open_refs | {ref})
        plain = self._schemas.plain(schema, place.depth)
        if "const" in plain:
            return Filled(plain["const"])
        found = self._unless_null(plain, place)
        if (found.facts == 0 or found.unmet) and is_nullable(plain):
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
        return Filled(None) if nullable and (best.facts == 0 or best.unmet) else best

    def _best(self, schemas: Iterable[Json], place: Place) -> Filled:
        filled = [self.fill(schema, place) for schema in schemas]
        return max(filled, key=lambda f: (not f.unmet, f.facts))

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
        required = dict.fromkeys(_list_of(schema, "required", str))
        if place.record is None and any(map(naming.is_box, properties)) and self._evidence.items:
            place = replace(place, record=self._evidence.items[0].as_record())
        elif not properties and not required:
            return self._free(schema, place)
        written: dict[str, Filled] = {}
        spare: dict[str, Filled] = {}
        for name, inner in properties.items():
            below = place.field(name, self._schemas.plain(inner, place.depth))
            filled = self.fill(inner, below)
            said = filled.facts > 0 or (filled.value is None and not filled.gaps)
            (written if name in required or (said and not filled.unmet) else spare)[name] = filled
        more = schema.get("additionalProperties", {})
        for name in required:
            if name not in properties:
                written[name] = Filled(None) if more in ({}, True) else self.fill(more, place.field(name, {}))
        met = _as_many_as_allowed(written, spare, schema, required)
        found = _together({name: written[name] for name in [*properties, *written] if name in written})
        return found if met else replace(found, unmet=(*found.unmet, place.gap))

    def _free(self, schema: Schema, place: Place) -> Filled:
        """Fill an object without named properties with what is written as `label: value`."""
        inner = schema.get("additionalProperties")
        least, most = bounds_of_properties(schema)
        none = Filled({}, gaps=(place.gap,), unmet=(place.gap,) if least else ())
        if inner is False or place.record is not None:
            return none
        inner = inner if isinstance(inner, Mapping) else {"type": "string"}
        pairs = {k: v for labels in self._evidence.labels for k, v in labels.pairs().items()}
        written: dict[str, Filled] = {}
        for name, value in pairs.items():
            below = replace(place.field(name, {}), record={name: value})
            filled = self.fill(inner, below)
            if filled.facts and not filled.unmet and (most is None or len(written) < most):
                written[name] = filled
        return _together(written) if written and len(written) >= least else none

    def _array(self, schema: Schema, place: Place) -> Filled:
        least, most = bounds_of_items(schema)
        if fixed := _list_of(schema, "prefixItems", object):
            return self._tuple(fixed, schema, place)
        inner = schema.get("items")
        found = self._listed(inner if isinstance(inner, Mapping) else {}, place)
        parts = [part for part in found or () if part.facts or not part.unmet]
        parts = parts[: most if most is not None else _MOST_ROWS]
        if schema.get("uniqueItems") is True:
            parts = _unlike(parts)
        short = found is None or len(parts) < least
        parts += self._padding(len(parts), least, {} if inner is None else inner, place)
        filled = _together(parts)
        known = filled.facts + (0 if short else 1)
        gaps = (*filled.gaps, *((place.gap,) if short else ()))
        unmet = filled.unmet if self._fits(parts, schema) else (*filled.unmet, place.gap)
        return replace(filled, facts=known, gaps=gaps, unmet=unmet)

    def _tuple(self, schemas: Sequence[Json], schema: Schema, place: Place) -> Filled:
        """Fill a value for each of the first places, and what has to come after them."""
        least, most = bounds_of_items(schema)
        given = looked_up(place)
        taken = given if isinstance(given, list) and len(given) == len(schemas) else [None] * len(schemas)
        parts = []
        for index, (inner, value) in list(enumerate(zip(schemas, taken, strict=True)))[:most]:
            below = place.item(index, None if value is None else {"item": value})
            parts.append(self.fill(inner, below if value is None else replace(below, names=("item",))))
        parts += self._padding(len(parts), least, schema.get("items", {}), place)
        found = _together(parts)
        return found if self._fits(parts, schema) else replace(found, unmet=(*found.unmet, place.gap))

    def _padding(self, first: int, least: int, inner: Json, place: Place) -> list[Filled]:
        """Fill as many items as have to be there although nothing is known of them."""
        return [self.fill(inner, place.item(index, {})) for index in range(first, min(least, _MOST_PADDING))]

    def _fits(self, parts: Sequence[Filled], schema: Schema) -> bool:
        least, most = bounds_of_items(schema)
        unlike = schema.get("uniqueItems") is not True or len(_unlike(parts)) == len(parts)
        return unlike and least <= len(parts) and (most is None or len(parts) <= most)

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
        pattern = self._schemas.pattern(schema)

        def read(text: str) -> str | None:
            said = _formed(text, schema, place, remarks)
            return said if said and fits_string(said, schema, pattern) else None

        found = self._sought(place, read, naming.text)
        if found is not None:
            return Filled(found, 1, remarks=tuple(remarks))
        neutral = self._schemas.neutral_string(schema)
        return _nothing(place) if neutral is None else Filled(neutral, gaps=(place.gap,))

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
        if value is None:
            return _nothing(place)
        whole = int(value) if abs(value) < _MOST_WHOLE and value == int(value) else value
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
    unmet = tuple(path for part in all_parts for path in part.unmet)
    return Filled(value, sum(part.facts for part in all_parts), gaps, remarks, unmet)


def _as_many_as_allowed(
    written: dict[str, Filled], spare: Mapping[str, Filled], schema: Schema, required: Collection[str]
) -> bool:
    """Leave out what is too much, or take from what is spare; tell whether the number is right then."""
    least, most = bounds_of_properties(schema)
    extra = [name for name in written if name not in required]
    while most is not None and len(written) > most and extra:
        del written[extra.pop()]
    best = sorted(spare, key=lambda name: bool(spare[name].unmet))
    for name in best[: max(0, least - len(written))]:
        written[name] = spare[name]
    return least <= len(written) and (most is None or len(written) <= most)


def _nothing(place: Place) -> Filled:
    return Filled(None, gaps=(place.gap,), unmet=(place.gap,))


def _unlike(parts: Sequence[Filled]) -> list[Filled]:
    """Leave out what is there before."""
    return [part for i, part in enumerate(parts) if all(part.value != other.value for other in parts[:i])]


def _unmet(paths: Sequence[str]) -> InvalidArgument:
    shown = ", ".join(paths[:_MOST_SHOWN]) + (
        f" and {len(paths) - _MOST_SHOWN} more" if paths[_MOST_SHOWN:] else ""
    )
    return InvalidArgument(
        f"The response schema forces a value for {shown}: no fact fits there, and nothing neutral keeps its "
        "pattern, format, length, bounds or number of items. Allow null there, or do not require it.",
        field=SCHEMA_FIELD,
    )


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
    return said


def _list_of(schema: Schema, key: str, kind: type) -> list[Any]:
    said = schema.get(key)
    return [value for value in said if isinstance(value, kind)] if isinstance(said, list | tuple) else []
