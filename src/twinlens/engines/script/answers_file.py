"""The answers file: YAML in, a `Script` out. Every mistake is told with its line and its path.

`docs/engines.md` describes the format; the tables below and in `matchers.py` are its keys.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

from ...domain.engine import Blocked, BlockReason, Finished, FinishReason, FunctionCall
from ...domain.errors import (
    AlreadyExists,
    Cancelled,
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    TwinlensError,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)
from .fields import YamlNode, root
from .matchers import MATCHERS
from .rules import Chunk, Reply, Rule, Script, ScriptedError

MAX_DELAY_S = 3600.0

BLOCKS: tuple[BlockReason, ...] = get_args(BlockReason)
FINISHES: tuple[FinishReason, ...] = get_args(FinishReason)

ERRORS: tuple[tuple[int, type[TwinlensError], str], ...] = (
    (400, InvalidArgument, "Request contains an invalid argument."),
    (400, FailedPrecondition, "Precondition check failed."),
    (401, Unauthenticated, "Request had invalid authentication credentials."),
    (403, PermissionDenied, "The caller does not have permission."),
    (404, NotFound, "Requested entity was not found."),
    (409, AlreadyExists, "Requested entity already exists."),
    (429, ResourceExhausted, "Resource has been exhausted (e.g. check quota)."),
    (499, Cancelled, "The operation was cancelled."),
    (500, Internal, "An internal error has occurred. Please retry."),
    (501, Unimplemented, "Operation is not implemented, or supported, or enabled."),
    (503, Unavailable, "The model is overloaded. Please try again later."),
    (504, DeadlineExceeded, "Deadline expired before operation could complete."),
)
"""How a file may name an error: by a code (the first row that has it) or by the class's status."""


def read(path: Path) -> Script:
    """Parse an answers file, checking every key and value of it."""
    whole = root(path)
    fields = whole.mapping(("rules", "default"))
    if not fields:
        raise whole.wrong("it says nothing: give 'rules' or a 'default'")
    rules = tuple(_rule(item) for item in fields["rules"].items()) if "rules" in fields else ()
    default = _reply(fields["default"]) if "default" in fields else None
    return Script(path.name, rules, default)


def _rule(field: YamlNode) -> Rule:
    fields = field.mapping(("match", "answer", "times"))
    if "answer" not in fields:
        raise field.wrong("an 'answer' is missing")
    wanted = fields["match"].mapping(MATCHERS) if "match" in fields else {}
    tests = tuple(MATCHERS[key](value) for key, value in wanted.items())
    times = fields["times"].integer(1) if "times" in fields else None
    return Rule(tests, _reply(fields["answer"]), times)


_BODIES = ("text", "json", "chunks")
_ENDS = ("block", "error", "finish")
_ANSWER = (*_BODIES, "call", *_ENDS, "thoughts", "delay", "finish_message")


def _reply(field: YamlNode) -> Reply:
    fields = field.mapping(_ANSWER)
    bodies = [key for key in _BODIES if key in fields]
    ends = [key for key in _ENDS if key in fields]
    if len(bodies) > 1 or len(ends) > 1:
        raise field.wrong(f"give one of {' and '.join(bodies if len(bodies) > 1 else ends)}, not both")
    if not bodies and not ends and "call" not in fields:
        raise field.wrong("it says nothing: give a text, json, chunks, call, block, error or finish")
    if "block" in fields and (bodies or fields.keys() & {"thoughts", "call"}):
        raise fields["block"].wrong("a blocked prompt has no answer beside it")
    return Reply(
        chunks=_BODY[bodies[0]](fields[bodies[0]]) if bodies else (),
        calls=_calls(fields["call"]) if "call" in fields else (),
        thoughts=_thoughts(fields["thoughts"]) if "thoughts" in fields else (),
        delay_s=_delay(fields.get("delay")),
        end=_end(fields),
    )


def _text_body(field: YamlNode) -> tuple[Chunk, ...]:
    return (_chunk_of(field),)


def _json_body(field: YamlNode) -> tuple[Chunk, ...]:
    return (Chunk(field.json_text()),)


def _chunks_body(field: YamlNode) -> tuple[Chunk, ...]:
    return tuple(_chunk_of(item) for item in field.items())


_BODY: Mapping[str, Callable[[YamlNode], tuple[Chunk, ...]]] = {
    "text": _text_body,
    "json": _json_body,
    "chunks": _chunks_body,
}


def _chunk_of(field: YamlNode) -> Chunk:
    fields = field.mapping(("text", "delay")) if field.is_mapping else {"text": field}
    if "text" not in fields:
        raise field.wrong("a 'text' is missing")
    text = fields["text"].text()
    return Chunk(text, _delay(fields.get("delay")), "{text}" in text or "{media}" in text)


def _calls(field: YamlNode) -> tuple[FunctionCall, ...]:
    ids: set[str] = set()
    return tuple(_call(item, ids) for item in (field.items(1) if field.is_sequence else [field]))


def _call(field: YamlNode, ids: set[str]) -> FunctionCall:
    """Parse one call; its id is added to those of the calls before it, since ids must be unique."""
    fields = field.mapping(("name", "args", "id"))
    if "name" not in fields:
        raise field.wrong("a 'name' is missing")
    if "args" in fields and not fields["args"].is_mapping:
        raise fields["args"].wrong("must have keys: the names of the arguments")
    return FunctionCall(
        name=fields["name"].name(),
        arguments=json.loads(fields["args"].json_text()) if "args" in fields else {},
        id=_id(fields["id"], ids) if "id" in fields else "",
    )


def _id(field: YamlNode, ids: set[str]) -> str:
    call_id = field.name()
    if call_id in ids:
        raise field.wrong(f"{call_id!r} is another call's of this answer")
    ids.add(call_id)
    return call_id


def _thoughts(field: YamlNode) -> tuple[str, ...]:
    return tuple(item.text() for item in (field.items() if field.is_sequence else [field]))


def _delay(field: YamlNode | None) -> float:
    return field.number(MAX_DELAY_S) if field else 0.0


def _end(fields: Mapping[str, YamlNode]) -> Finished | Blocked | ScriptedError:
    if "block" in fields:
        return Blocked(fields["block"].one_of(BLOCKS))
    if "error" in fields:
        return _failure(fields["error"])
    message = fields["finish_message"].text() if "finish_message" in fields else None
    return Finished(fields["finish"].one_of(FINISHES) if "finish" in fields else "STOP", message)


def _failure(field: YamlNode) -> ScriptedError:
    fields = field.mapping(("code", "status", "message", "retry_after"))
    if ("code" in fields) is ("status" in fields):
        raise field.wrong("give a 'code' or a 'status'")
    if "code" in fields:
        code = fields["code"].one_of(tuple(dict.fromkeys(row[0] for row in ERRORS)))
        _, kind, message = next(row for row in ERRORS if row[0] == code)
    else:
        status = fields["status"].one_of(tuple(kind.status for _, kind, _ in ERRORS))
        _, kind, message = next(row for row in ERRORS if row[1].status == status)
    if "retry_after" in fields and kind is not ResourceExhausted:
        raise fields["retry_after"].wrong("only RESOURCE_EXHAUSTED (429) carries it")
    return ScriptedError(
        kind,
        fields["message"].text() if "message" in fields else message,
        fields["retry_after"].number(MAX_DELAY_S) if "retry_after" in fields else None,
    )
