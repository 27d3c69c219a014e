"""Texts of an engine, made such that they can be written: no half of a character stands alone.

Python's strings may hold one half of a surrogate pair, and JSON may spell one (`"\\ud83d"`), but UTF-8 has
none. Engines that read JSON, or cut texts without looking, let them through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace

from ..domain.engine import Blocked, Event, Finished, FunctionCall, Text, Thought
from ..domain.errors import TwinlensError
from ..domain.media import Json
from .output_limits import Events

_HALF = re.compile("[\ud800-\udfff]")


async def well_formed(events: Events) -> Events:
    """Join the halves of characters, also from one piece to the next; U+FFFD stands for a lone one.

    A first half is held back until the next piece. Closing the result closes `events`.
    """
    held: Text | Thought | None = None
    async with aclosing(events):
        try:
            async for event in events:
                if held and type(event) is type(held):
                    event, held = replace(event, text=held.text + event.text), None
                elif held:
                    yield replace(held, text="\ufffd")
                    held = None
                if isinstance(event, Text | Thought) and "\ud800" <= event.text[-1:] <= "\udbff":
                    held = replace(event, text=event.text[-1])
                    event = replace(event, text=event.text[:-1])
                    if not event.text:
                        continue
                yield _mended_event(event)
        except TwinlensError as error:
            error.message = _mended(error.message)
            raise


def _mended_event(event: Event) -> Event:
    match event:
        case Text(text) | Thought(text):
            return replace(event, text=_mended(text))
        case FunctionCall(name, arguments, call_id):
            return FunctionCall(_mended(name), _mended_json(arguments), _mended(call_id))
        case Finished(message=message):
            return replace(event, message=_mended(message)) if message else event
        case Blocked():
            return event


def _mended(text: str) -> str:
    if not _HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _mended_json(value: Mapping[str, Json]) -> Mapping[str, Json]:
    """Mend all texts of a JSON value, keys too: as one text, however deep they stand."""
    text = json.dumps(value, ensure_ascii=False)
    mended = _mended(text)
    return value if mended is text else json.loads(mended)
