"""Values of a YAML file that know their line and their path, so that a mistake can be pointed at."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from math import isfinite
from pathlib import Path
from typing import TypeVar

import yaml

from ...domain.media import Json
from ..base import EngineSetupError
from ..options import not_known

T = TypeVar("T", bound=str | int)


class YamlNode:
    """One value: read it as what it must be, or get an error that says where it stands."""

    def __init__(self, node: yaml.Node, path: str, file: str) -> None:
        self._node = node
        self._path = path
        self._file = file

    def wrong(self, why: str) -> EngineSetupError:
        """Make the error that points here."""
        where = f"{self._file}:{self._node.start_mark.line + 1}"
        return EngineSetupError(": ".join(filter(None, (where, self._path, why))))

    @property
    def is_mapping(self) -> bool:
        """Whether this has keys."""
        return isinstance(self._node, yaml.MappingNode)

    @property
    def is_sequence(self) -> bool:
        """Whether this is a list."""
        return isinstance(self._node, yaml.SequenceNode)

    def mapping(self, known: Collection[str]) -> dict[str, YamlNode]:
        """Return the mapping's fields, each key at most once and each a known one."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.wrong(f"must have keys ({', '.join(known)})")
        fields: dict[str, YamlNode] = {}
        for key, value in self._node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            field = YamlNode(value, f"{self._path}.{name}".lstrip("."), self._file)
            if name not in known:
                raise YamlNode(key, field._path, self._file).wrong(not_known(name, known))
            if name in fields:
                raise YamlNode(key, field._path, self._file).wrong("stands here twice")
            fields[name] = field
        return fields

    def items(self, least: int = 0) -> list[YamlNode]:
        """Return the items of a list of at least so many."""
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.wrong("must be a list")
        nodes: Sequence[yaml.Node] = self._node.value
        if len(nodes) < least:
            raise self.wrong("must not be empty")
        return [YamlNode(node, f"{self._path}[{index}]", self._file) for index, node in enumerate(nodes)]

    def value(self) -> Json:
        """Return whatever value is here."""
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_document(self._node)
        except (yaml.YAMLError, ValueError, RecursionError) as cause:
            raise self.wrong("cannot be read; text of this form needs quotes") from cause
        finally:
            loader.dispose()

    def json_text(self) -> str:
        """Return whatever value is here, as compact JSON."""
        try:
            text = json.dumps(self.value(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError) as cause:
            raise self.wrong("JSON cannot say this; a date or a number such as .inf needs quotes") from cause
        return self.joined(text)

    def text(self) -> str:
        """Return a string."""
        value = self.value()
        if not isinstance(value, str):
            raise self.wrong("must be a text; put it in quotes")
        return self.joined(value)

    def name(self) -> str:
        """Return a string that is not empty."""
        text = self.text()
        if not text:
            raise self.wrong("must not be empty")
        return text

    def joined(self, text: str) -> str:
        """Join characters that were written as JSON does, in halves; refuse a half that stands alone."""
        try:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError as cause:
            raise self.wrong(r"holds half a character, such as \ud83d without the other half") from cause

    def flag(self) -> bool:
        """Return true or false."""
        value = self.value()
        if not isinstance(value, bool):
            raise self.wrong("must be true or false")
        return value

    def integer(self, least: int) -> int:
        """Return an integer that is not below `least`."""
        value = self.value()
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(f"must be a whole number from {least}")
        return value

    def number(self, most: float) -> float:
        """Return a number from 0 to `most`."""
        value = self.value()
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not isfinite(value) or not 0 <= value <= most:
            raise self.wrong(f"must be a number from 0 to {most:g}")
        return float(value)

    def one_of(self, values: Collection[T]) -> T:
        """Return one of the given values."""
        value = self.value()
        for known in values:
            if type(value) is type(known) and value == known:
                return known
        raise self.wrong(not_known(str(value), [str(known) for known in values]))


def root(path: Path) -> YamlNode:
    """Parse a YAML file of one document."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as cause:
        raise EngineSetupError(f"{path} cannot be read: {cause.strerror}.") from cause
    except UnicodeDecodeError as cause:
        raise EngineSetupError(f"{path.name} is not UTF-8 text.") from cause
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as cause:
        mark = getattr(cause, "problem_mark", None)
        where = f"{path.name}:{mark.line + 1}" if mark else path.name
        raise EngineSetupError(
            f"{where}: this is not valid YAML. Text with marks like : # ? [ {{ needs quotes."
        ) from cause
    if node is None:
        raise EngineSetupError(f"{path.name} is empty: give 'rules' or a 'default'.")
    return YamlNode(node, "", path.name)
