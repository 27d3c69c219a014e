"""A fetched body on its way into a file: counted as it comes, unzipped in small steps, mapped at the end.

The bytes lie in memory once, as pages of a file without a name, and a worker process reads that very file.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ..descriptors import anonymous_file, write_all
from ..domain.media import Data, Descriptor

STEP_BYTES = 64 * 1024
"""Decompressed at a time, so that a zip bomb neither blocks the loop nor fills memory. Not measured."""


class TooLarge(Exception):
    """The body has more bytes than are taken."""


class BrokenCoding(Exception):
    """The body is not coded as its header says."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch brought: the bytes, the file they lie in, and the type that the server named if any."""

    data: Data
    mime_type: str | None
    file: Descriptor


class Body:
    """Takes a coded body piece by piece, up to `max_bytes` before and after decoding.

    `coding` is a name for which `is_known` holds.
    """

    def __init__(self, coding: str, max_bytes: int) -> None:
        self._decoder = _DECODERS[coding]()
        self._max_bytes = max_bytes
        self._received = 0
        self._size = 0
        with anonymous_file(sealable=True) as file:
            self._file = Descriptor(os.dup(file.fileno()))

    @staticmethod
    def is_known(coding: str) -> bool:
        """Whether a content coding can be decoded."""
        return coding in _DECODERS

    def add(self, piece: bytes) -> Iterator[None]:
        """Add a piece in steps; others may run after each. Raises `TooLarge`, `BrokenCoding`."""
        self._received += len(piece)
        for plain in self._decoder.decoded(piece):
            if max(self._received, self._size + len(plain)) > self._max_bytes:
                raise TooLarge
            self._size = write_all(self._file.fileno(), plain, self._size)
            yield

    def finish(self, mime_type: str | None) -> Fetched:
        """Return the whole body. Raises `BrokenCoding` where it is not whole."""
        self._decoder.finish()
        if hasattr(fcntl, "F_ADD_SEALS") and hasattr(os, "memfd_create"):
            # A worker gets this file: if it could cut it, reading the mapping would end the server.
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
            fcntl.fcntl(self._file, fcntl.F_ADD_SEALS, seals)
        return Fetched(_mapped(self._file, self._size), mime_type, self._file)


class _Plain:
    """A body that is as it is."""

    def decoded(self, piece: bytes) -> Iterator[bytes]:
        yield piece

    def finish(self) -> None:
        pass


class _Gzip:
    """A gzip body. It was not requested, but some servers send it anyway."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def decoded(self, piece: bytes) -> Iterator[bytes]:
        """Decompress step by step; what a zip bomb holds beyond the last step is never produced."""
        rest, full = piece, True
        while rest or full:
            plain = self._step(rest)
            rest, full = self._decoder.unconsumed_tail, len(plain) == STEP_BYTES
            yield plain

    def finish(self) -> None:
        if not self._decoder.eof:
            raise BrokenCoding

    def _step(self, piece: bytes) -> bytes:
        if self._decoder.eof and piece:
            raise BrokenCoding
        try:
            plain = self._decoder.decompress(piece, STEP_BYTES)
        except zlib.error as cause:
            raise BrokenCoding from cause
        if self._decoder.unused_data:
            raise BrokenCoding
        return plain


_DECODERS: dict[str, type[_Plain | _Gzip]] = {
    "": _Plain,
    "identity": _Plain,
    "gzip": _Gzip,
    "x-gzip": _Gzip,
}


def _mapped(file: Descriptor, size: int) -> Data:
    return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)) if size else b""
