"""Python values as messages between two processes of ours; large arrays stay where they are in memory.

A message is read by an unpickler that makes values only: frozen values of ours, arrays and plain Python
types. A process that malicious data has taken over could not name a function for the other side to call.
"""

from __future__ import annotations

import asyncio
import dataclasses
import io
import os
import pickle
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from ..domain.errors import TwinlensError
from .shared_memory import SHARED_BYTES, Segment, mapped, place_of, shared

_COUNT = struct.Struct(">I")
_PART = struct.Struct(">BQQ")
_INLINE, _SHARED = 0, 1
"""Of each part: how it is sent, its size, and its offset in the segment."""

_PROTOCOL = 5
_MOST_PARTS, _MOST_BYTES = 100_000, 1 << 31
_MOST_SEGMENTS = 64
"""Limits, so that neither side allocates without bound because the other says so."""

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


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """A value as it travels: parts for the stream, and segments whose descriptors go beside it, in order."""

    parts: Sequence[memoryview | bytes]
    segments: Sequence[Segment] = ()


def encode(value: object, *, share: bool = False) -> Message:
    """Encode a value as a head, the pickle, and the buffers of its arrays: large ones shared, if wanted."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(value, _PROTOCOL, buffer_callback=buffers.append)
    head, parts = [_PART.pack(_INLINE, len(body), 0)], [memoryview(body)]
    segments: list[Segment] = []
    for buffer in buffers:
        raw = buffer.raw()
        place = _shared_place(raw) if share and len(segments) < _MOST_SEGMENTS else None
        if place is None:
            head.append(_PART.pack(_INLINE, raw.nbytes, 0))
            parts.append(raw)
        else:
            head.append(_PART.pack(_SHARED, raw.nbytes, place[1]))
            segments.append(place[0])
    return Message([_COUNT.pack(len(head)) + b"".join(head), *parts], segments)


def _shared_place(data: memoryview) -> tuple[Segment, int] | None:
    if data.nbytes < SHARED_BYTES:
        return None
    place = place_of(data)
    if place is not None:
        return place
    segment = shared(data)
    return (segment, 0) if segment is not None else None


async def receive(reader: asyncio.StreamReader, channel: socket.socket | None = None) -> Any:
    """Read the next message; descriptors come over `channel`.

    Raises `EOFError` where the other side has hung up, `UnpicklingError` for what is no message.
    """
    try:
        (count,) = _COUNT.unpack(await reader.readexactly(_COUNT.size))
        if count > _MOST_PARTS:
            raise pickle.UnpicklingError(f"a message of {count} parts")
        head = await reader.readexactly(_PART.size * count)
        parts = list(_PART.iter_unpack(head))
        if sum(size for _, size, _ in parts) > _MOST_BYTES:
            raise pickle.UnpicklingError("a message of too many bytes")
        shared_parts = iter(_received(channel, [part[1:] for part in parts if part[0] == _SHARED]))
        body, *buffers = [
            next(shared_parts) if kind == _SHARED else bytearray(await reader.readexactly(size))
            for kind, size, _ in parts
        ]
    except (asyncio.IncompleteReadError, OSError) as end:
        raise EOFError from end
    return decode(body, buffers)


def _received(channel: socket.socket | None, wanted: Sequence[tuple[int, int]]) -> list[memoryview]:
    """Receive the descriptors of segments, sent before the message, and map each (size, offset)."""
    if not wanted:
        return []
    if channel is None or len(wanted) > _MOST_SEGMENTS:
        raise pickle.UnpicklingError("a message with descriptors that cannot come")
    flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
    _, descriptors, _, _ = socket.recv_fds(channel, 1, len(wanted), flags)
    try:
        if len(descriptors) != len(wanted):
            raise pickle.UnpicklingError("a message without its descriptors")
        views = []
        for descriptor, (size, offset) in zip(descriptors, wanted, strict=True):
            segment = mapped(descriptor, offset + size)
            if segment is None:
                raise pickle.UnpicklingError("a descriptor of what is not sealed")
            views.append(memoryview(segment)[offset : offset + size])
        return views
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def decode(body: bytes | bytearray | memoryview, buffers: Sequence[bytearray | memoryview] = ()) -> Any:
    """Return the value in a message. Raises `UnpicklingError` for anything but a value."""
    return _Values(io.BytesIO(body), buffers=buffers).load()


class _Values(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Look up a type by its name, of those that only hold values."""
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
