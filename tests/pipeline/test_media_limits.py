"""How many media a request may have."""

from __future__ import annotations

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.domain.generations import LINES
from twinlens.domain.request import Inline, Media, Request, Turn
from twinlens.pipeline.media_limits import EARLIER, check_images, too_much

GENERATION = LINES["gemini-1.5"]


def request(count: int, **changes: str | None) -> Request:
    part = Media(Inline(b""), changes.get("mime_type"), "contents[0]", kind=changes.get("kind"))  # type: ignore[arg-type]
    return Request("gemini-1.5-pro", (Turn("user", (part,) * count),))


@pytest.mark.parametrize("said", [{"mime_type": "image/png"}, {"mime_type": "IMAGE/JPEG"}, {"kind": "image"}])
def test_images_are_counted_by_what_was_said_of_them(said: dict[str, str]) -> None:
    check_images(request(GENERATION.max_images, **said), GENERATION)

    with pytest.raises(InvalidArgument, match="fewer than"):
        check_images(request(GENERATION.max_images + 1, **said), GENERATION)


def test_other_media_are_not_counted_as_images() -> None:
    check_images(request(GENERATION.max_images + 1, mime_type="audio/wav"), GENERATION)


def test_media_of_earlier_turns_are_told_of() -> None:
    now, before = Media(Inline(b""), None, "input[0]"), Media(Inline(b""), None, EARLIER)

    assert too_much("Too many.", [now]).violations[0].field == "contents"
    error = too_much("Too many.", [now, before])
    assert error.violations[0].field == EARLIER
    assert error.message == "Too many. What came with earlier turns counts too."
