"""What a caller asks for."""

from __future__ import annotations

from twinlens.domain.request import Inline, Media, Request, Text, Turn


def test_the_media_of_a_request_are_in_the_order_they_were_sent() -> None:
    first, second, third = (Media(Inline(b""), None, f"contents[{i}]") for i in range(3))
    request = Request(
        "gemini-3",
        (Turn("user", (first, Text("What is this?"), second)), Turn("model", (Text("A cat."), third))),
    )

    assert request.media == (first, second, third)
