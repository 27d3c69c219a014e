"""How many media a request may have, and which field the error names."""

from __future__ import annotations

from collections.abc import Iterable

from ..domain.errors import InvalidArgument
from ..domain.generations import Generation
from ..domain.media_types import kind_of
from ..domain.request import Media, Request

EARLIER = "previous_interaction_id"
"""The field of media that came with an earlier turn, which the server added to the request."""


def check_images(request: Request, generation: Generation) -> None:
    """Raise where the images, as far as the request alone tells, are more than the model family takes."""
    images = [part for part in request.media if _is_image(part)]
    if len(images) > generation.max_images:
        raise too_much(
            f"Please use fewer than {generation.max_images} images in your request to models/{request.model}",
            images,
        )


def too_much(sentence: str, media: Iterable[Media]) -> InvalidArgument:
    """Return the error that these media are too much; it mentions earlier turns where they count."""
    if any(part.field == EARLIER for part in media):
        sentence = f"{sentence.removesuffix('.')}. What came with earlier turns counts too."
        return InvalidArgument(sentence, field=EARLIER)
    return InvalidArgument(sentence, field="contents")


def _is_image(part: Media) -> bool:
    return part.kind == "image" or kind_of(part.mime_type) == "image"
