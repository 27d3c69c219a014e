"""A request in the process that answers it: what stays behind can be asked for, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from twinlens.domain.engine import EngineRequest, EngineTurn
from twinlens.domain.engine_media import StillImage, TextFile, Video
from twinlens.engines.builtin.engine import RememberedFacts
from twinlens.engines.builtin.eyes import Eyes
from twinlens.engines.builtin.remote import Host, portable
from twinlens.engines.builtin.sound.ears import Ears
from twinlens.processes import messages
from twinlens.processes.fork_server import ForkServer


@pytest.fixture
def request_(
    picture: Callable[..., StillImage], film: Callable[..., tuple[Video, list[int]]]
) -> EngineRequest:
    video, _ = film(("white", "Alpha"), ("black", "Beta"))
    text = TextFile("text/plain", "Some text", "text")
    return EngineRequest("m", (EngineTurn("user", (picture(), "What is this?", video, text)),))


@pytest.fixture
def host(request_: EngineRequest) -> Host:
    forks = ForkServer()
    return Host(request_, RememberedFacts(Eyes(forks)), Ears(forks), at_once=2)


def test_a_request_travels_without_its_pixels(request_: EngineRequest) -> None:
    _, body, *buffers = messages.encode(portable(request_)).parts

    image, *_ = messages.decode(bytes(body)).images
    assert not buffers
    assert (image.width, image.height) == (8, 8)


async def test_frames_are_read_on_demand(host: Host) -> None:
    frames = [frame async for frame in host.handlers["read"](1, "read", [1])]

    assert [frame.index for frame in frames] == [1]


@pytest.mark.parametrize(
    ("index", "name"), [(0, "read"), (1, "digest"), (1, "read_images"), (1, "sound"), (2, "read_texts")]
)
def test_only_what_gives_pieces_can_be_read(host: Host, index: int, name: str) -> None:
    with pytest.raises(LookupError):
        host.handlers["read"](index, name)


async def test_only_images_can_be_looked_at(host: Host) -> None:
    with pytest.raises(LookupError, match="medium 2 is no image"):
        await host.handlers["look"](2, frozenset({"text"}), False)
