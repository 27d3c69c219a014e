"""Bytes that several processes see at one place: nobody can change them, and nobody is fooled."""

from __future__ import annotations

import asyncio
import mmap
import os
import pickle
import socket
from collections.abc import AsyncIterator
from contextlib import closing

import numpy as np
import pytest

from twinlens.descriptors import anonymous_file
from twinlens.domain.media import Image
from twinlens.processes import messages
from twinlens.processes.peer import Peer
from twinlens.processes.shared_memory import SHARED_BYTES, Segment, mapped, place_of, sealed, shared

LARGE = np.arange(SHARED_BYTES * 3, dtype=np.uint32).view(np.uint8)[: SHARED_BYTES * 3]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_what_is_shared_cannot_be_written_to_grown_or_cut() -> None:
    segment = shared(LARGE.data)
    assert segment is not None

    with pytest.raises(OSError, match="not permitted"):
        os.pwrite(segment.descriptor, b"x", 0)
    with pytest.raises(OSError, match="not permitted"):
        os.ftruncate(segment.descriptor, 1)
    with pytest.raises(PermissionError):
        mmap.mmap(segment.descriptor, 0)
    assert bytes(segment) == LARGE.tobytes()


def test_a_file_that_somebody_may_still_write_to_is_not_mapped() -> None:
    with anonymous_file(sealable=True) as file:
        os.ftruncate(file.fileno(), 4096)
        writer = mmap.mmap(file.fileno(), 4096)

        assert sealed(file.fileno(), 4096) is None
        assert mapped(file.fileno(), 4096) is None

        writer.close()
        assert isinstance(sealed(file.fileno(), 4096), Segment)


def test_a_file_that_is_shorter_than_was_said_is_not_mapped() -> None:
    with anonymous_file(sealable=True) as file:
        os.ftruncate(file.fileno(), 4096)

        assert sealed(file.fileno(), 4097) is None


def test_a_part_of_an_array_is_found_in_its_segment() -> None:
    segment = shared(LARGE.data)
    assert segment is not None
    array = np.frombuffer(segment, np.uint8).reshape(3, -1)

    assert place_of(array[2].data) == (segment, 2 * SHARED_BYTES)
    assert place_of(LARGE.data) is None


def test_a_segment_that_nobody_uses_gives_its_descriptors_back() -> None:
    before = descriptors()

    array = np.frombuffer(shared(LARGE.data) or b"", np.uint8)
    assert descriptors() > before
    del array

    assert descriptors() == before


@pytest.fixture
async def peers() -> AsyncIterator[tuple[Peer, Peer]]:
    """Two ends of a connection in this process: the second calls, the first returns what it is given."""
    connection, channel = socket.socketpair(), socket.socketpair()
    ends = []
    for own, beside in zip(connection, channel, strict=True):
        reader, writer = await asyncio.open_unix_connection(sock=own)
        ends.append(Peer(reader, writer, {"same": lambda value: value}, channel=beside))
    tasks = [asyncio.create_task(peer.run()) for peer in ends]
    yield ends[0], ends[1]
    for peer in ends:
        peer.close()
    await asyncio.gather(*tasks)


def image(pixels: np.ndarray) -> Image:
    return Image(pixels, 1, 1, "image/png", 1, "digest")


async def test_large_pixels_arrive_as_they_were_and_are_nobodys_copy(peers: tuple[Peer, Peer]) -> None:
    segment = shared(LARGE.data)
    assert segment is not None
    own = np.frombuffer(segment, np.uint8).reshape(-1, 128, 3)

    (there, _), small = await peers[1].call("same", (image(own), image(own))), image(own[:2])

    np.testing.assert_array_equal(there.pixels, own)
    place = place_of(there.pixels.data)
    assert place is not None
    assert os.fstat(place[0].descriptor).st_ino == os.fstat(segment.descriptor).st_ino
    assert (await peers[1].call("same", small)).pixels.shape == (2, 128, 3)


async def test_without_room_for_descriptors_pixels_are_sent(
    peers: tuple[Peer, Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise BlockingIOError

    monkeypatch.setattr(socket, "send_fds", refuse)

    there = await peers[1].call("same", image(LARGE.reshape(-1, 128, 3)))

    np.testing.assert_array_equal(there.pixels.reshape(-1), LARGE)


async def test_a_descriptor_of_what_is_not_sealed_ends_the_connection() -> None:
    ours, theirs = socket.socketpair()
    reader = asyncio.StreamReader()
    message = messages.encode(image(LARGE.reshape(-1, 128, 3)), share=True)
    with closing(ours), closing(theirs), anonymous_file() as file:
        os.ftruncate(file.fileno(), LARGE.nbytes)
        socket.send_fds(theirs, [b"."], [file.fileno()])
        for part in message.parts:
            reader.feed_data(bytes(part))

        with pytest.raises(pickle.UnpicklingError, match="not sealed"):
            await messages.receive(reader, ours)


async def test_a_message_whose_descriptors_do_not_come_ends_the_connection() -> None:
    ours, theirs = socket.socketpair()
    reader = asyncio.StreamReader()
    message = messages.encode(image(LARGE.reshape(-1, 128, 3)), share=True)
    with closing(ours), closing(theirs):
        theirs.send(b".")
        for part in message.parts:
            reader.feed_data(bytes(part))

        with pytest.raises(pickle.UnpicklingError, match="without its descriptors"):
            await messages.receive(reader, ours)
