"""Python values as messages between two processes of ours; arrays travel without being copied into a pickle.

A message is read by an unpickler that makes values only: frozen values of ours, arrays and plain Python
types. A process that a caller's data has taken over could not name a function for the other side to call.
"""

from __future__ import annotations

import asyncio
import dataclasses
import io
import pickle
import struct
import sys
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from ..domain.errors import TwinlensError

_COUNT = struct.Struct(">I")
_LENGTH = struct.Struct(">Q")
_PROTOCOL = 5
_MOST_PARTS, _MOST_BYTES = 100_000, 1 << 31
"""Neither side allocates without an end because the other says so."""

_PLAIN: frozenset[tuple[str, str]] = frozenset(
    {
        *(("builtins", name) for name in ("bytearray", "complex", "frozenset", "range", "set", "slice")),
        *(("collections", name) for name in ("Counter", "OrderedDict", "deque")),
        *(("datetime", name) for name in ("date", "datetime", "time", "timedelta", "timezone")),
        *(("numpy", name) for name in ("dtype", "ndarray")),
        *((f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
        *((f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core")),
        *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    }
)
"""What a message may be made of beside values of ours."""

_OURS = ("twinlens.domain.", "twinlens.engines.", "twinlens.processes.")


def encode(value: object) -> list[memoryview | bytes]:
    """Write a value as the parts of a message: a head, the pickle, and the buffers of its arrays."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(value, _PROTOCOL, buffer_callback=buffers.append)
    parts: list[memoryview | bytes] = [body, *(buffer.raw() for buffer in buffers)]
    sizes = [len(part) if isinstance(part, bytes) else part.nbytes for part in parts]
    return [_COUNT.pack(len(parts)) + b"".join(map(_LENGTH.pack, sizes)), *parts]


async def receive(reader: asyncio.StreamReader) -> Any:
    """Read the next message. Raises `EOFError` where the other side has hung up."""
    try:
        (count,) = _COUNT.unpack(await reader.readexactly(_COUNT.size))
        if count > _MOST_PARTS:
            raise pickle.UnpicklingError(f"a message of {count} parts")
        sizes = [_LENGTH.unpack(await reader.readexactly(_LENGTH.size))[0] for _ in range(count)]
        if sum(sizes) > _MOST_BYTES:
            raise pickle.UnpicklingError(f"a message of {sum(sizes)} bytes")
        body, *buffers = [bytearray(await reader.readexactly(size)) for size in sizes]
    except (asyncio.IncompleteReadError, OSError) as end:
        raise EOFError from end
    return decode(body, buffers)


def decode(body: bytes | bytearray, buffers: Sequence[bytearray] = ()) -> Any:
    """Make the value that a message holds. Raises `UnpicklingError` for anything but a value."""
    return _Values(io.BytesIO(body), buffers=buffers).load()


class _Values(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Find a type by its name, of those that only hold values."""
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith(_OURS) and module in sys.modules and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and _is_value(found):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no value that a message may hold")


def _is_value(found: type) -> bool:
    return any(test(found) for test in _VALUES)


_VALUES: Sequence[Callable[[type], bool]] = (
    lambda found: dataclasses.is_dataclass(found) and found.__dataclass_params__.frozen,  # type: ignore[attr-defined]
    lambda found: issubclass(found, Enum),
    lambda found: issubclass(found, TwinlensError),
)
