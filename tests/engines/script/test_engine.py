from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import numpy as np
import pytest

from stills import still
from twinlens.domain.engine import (
    Blocked,
    EngineRequest,
    EngineTurn,
    Event,
    Finished,
    FunctionCall,
    FunctionResult,
    InputPart,
    Medium,
    Text,
    Thought,
)
from twinlens.domain.engine_media import StillImage
from twinlens.domain.errors import FailedPrecondition, ResourceExhausted, TwinlensError, Unavailable
from twinlens.domain.media import Image, Json
from twinlens.domain.rendering import text_of
from twinlens.domain.request import OutputFormat
from twinlens.engines.base import EngineSetupError
from twinlens.engines.script import ScriptEngine
from twinlens.engines.script.answers_file import ERRORS

DOCS = Path(__file__).parents[3] / "docs" / "engines.md"


def image(mime_type: str = "image/png") -> StillImage:
    return still(Image(np.zeros((2, 3, 3), np.uint8), 3, 2, mime_type, tokens=1, digest=mime_type))


def asking(
    text: str = "hello",
    *given: InputPart,
    model: str = "gemini-2.5-flash",
    system: str = "",
    schema: Json | None = None,
    before: tuple[EngineTurn, ...] = (),
    tools: tuple[str, ...] = (),
) -> EngineRequest:
    return EngineRequest(
        model=model,
        turns=(*before, EngineTurn("user", (*given, text))),
        system=system,
        output=OutputFormat("application/json", schema) if schema else OutputFormat(),
        tools=[{"name": name} for name in tools] or None,
    )


RESULT = FunctionResult("get_x", {"x": 1, "y": {"z": [True], "more": None}}, "call_1", (image(),))
NAMESAKE: FunctionResult[Medium] = FunctionResult("get_x", {"x": True}, "call_2")
RESPONDED = EngineTurn("user", (RESULT,))
TOLD = EngineTurn("model", ("It is 1.",))


def engine_of(tmp_path: Path, yaml: str) -> ScriptEngine:
    path = tmp_path / "answers.yaml"
    path.write_text(yaml, encoding="utf-8")
    return ScriptEngine(ScriptEngine.Options(script=path))


def matching(tmp_path: Path, match: str) -> ScriptEngine:
    """Build an engine that says "yes" to what matches, and "no" to the rest."""
    return engine_of(
        tmp_path, f"rules: [{{match: {match}, answer: {{text: 'yes'}}}}]\ndefault: {{text: 'no'}}"
    )


async def events(engine: ScriptEngine, request: EngineRequest) -> list[Event]:
    return [event async for event in engine.generate(request)]


async def answer(engine: ScriptEngine, request: EngineRequest) -> str:
    return "".join(event.text for event in await events(engine, request) if isinstance(event, Text))


def refusal(tmp_path: Path, yaml: str) -> str:
    with pytest.raises(EngineSetupError) as caught:
        engine_of(tmp_path, yaml)
    return str(caught.value)


# --- without a file


async def test_without_a_file_everything_is_answered_with_ok() -> None:
    engine = ScriptEngine(ScriptEngine.Options())

    assert await events(engine, asking("anything", image())) == [Text("ok"), Finished()]


def test_the_model_name_can_be_chosen() -> None:
    assert ScriptEngine(ScriptEngine.Options()).capabilities.model == "twinlens-script"
    assert ScriptEngine(ScriptEngine.Options(model="double-1")).capabilities.model == "double-1"


# --- matching


@pytest.mark.parametrize(
    ("match", "fitting", "other"),
    [
        ("{model: gemini-2.5-*}", asking(), asking(model="gemini-3-pro")),
        ("{text: cats}", asking("how many cats?"), asking("how many Cats?")),
        ("{text: '/cats?$/i'}", asking("one CAT"), asking("cats, please")),
        ("{text: /a.b/}", asking("a b"), asking("ab")),
        ("{text: a.b}", asking("a.b"), asking("a b")),
        ("{system: terse}", asking(system="Be terse."), asking("terse")),
        ("{media: 2}", asking("", image(), image()), asking("", image())),
        ("{media: 0}", asking(), asking("", image())),
        ("{media: {image: 1}}", asking("", image()), asking()),
        ("{mime: image/j*}", asking("", image(), image("image/jpeg")), asking("", image())),
        ("{turns: 2}", asking(before=(EngineTurn("model", ("hi",)),)), asking()),
        ("{schema: true}", asking(schema={"type": "object"}), asking()),
        ("{schema: false}", asking(), asking(schema={"type": "object"})),
        (
            "{schema: [box_2d, label]}",
            asking(
                schema={"type": "array", "items": {"properties": {"box_2d": {}, "label": {}, "mask": {}}}}
            ),
            asking(schema={"properties": {"label": {}}}),
        ),
        ("{tools: true}", asking(tools=("f",)), asking()),
        ("{tools: false}", asking(), asking(tools=("f",))),
        ("{tools: [f, g]}", asking(tools=("f", "e", "g")), asking(tools=("f",))),
        ("{function_response: get_*}", asking("", RESULT), asking("", FunctionResult("set_x", {}))),
        ("{function_response: get_x}", asking("", before=(RESPONDED,)), asking("", before=(RESPONDED, TOLD))),
        ("{function_response: '*'}", asking("", RESULT), asking(text_of(RESULT))),
        ("{function_response: '*'}", asking("", RESULT), asking("", FunctionCall("get_x", {}, "call_1"))),
        ("{text: '\"x\":1'}", asking("", RESULT), asking("", FunctionResult("get_x", {"x": 2}))),
        ("{media: 2}", asking("", RESULT, image()), asking("", RESULT)),
        ("{function_response: {name: get_*, id: call_1}}", asking("", RESULT), asking("", NAMESAKE)),
        ("{function_response: {media: 1}}", asking("", RESULT), asking("", NAMESAKE, image())),
        ("{function_response: {response: {x: 1}}}", asking("", RESULT), asking("", NAMESAKE)),
        (
            "{function_response: {response: {y: {z: [true]}}}}",
            asking("", RESULT),
            asking("", FunctionResult("get_x", {"y": {"z": [True, False]}})),
        ),
        (
            "{function_response: {response: {y: {more: null}}}}",
            asking("", RESULT),
            asking("", FunctionResult("get_x", {"y": {}})),
        ),
        (
            "{function_response: {name: get_y, response: {x: 1}}}",
            asking("", RESULT, FunctionResult("get_y", {"x": 1})),
            asking("", RESULT, FunctionResult("get_y", {"x": 2})),
        ),
        ("{function_response: {response: {}}}", asking("", RESULT), asking("", FunctionResult("get_x"))),
        ("{text: a, media: 1}", asking("a", image()), asking("a")),
    ],
)
async def test_a_rule_fits_when_all_its_keys_do(
    tmp_path: Path, match: str, fitting: EngineRequest, other: EngineRequest
) -> None:
    engine = matching(tmp_path, match)

    assert [await answer(engine, fitting), await answer(engine, other)] == ["yes", "no"]


async def test_the_first_rule_that_fits_wins(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, "rules: [{answer: {text: first}}, {answer: {text: second}}]")

    assert await answer(engine, asking()) == "first"


async def test_only_the_last_user_turn_is_the_question(tmp_path: Path) -> None:
    engine = matching(tmp_path, "{text: cats}")
    history = (EngineTurn("user", ("cats?",)), EngineTurn("model", ("Two.",)))

    assert await answer(engine, asking("and dogs?", before=history)) == "no"


async def test_a_rule_with_times_gives_way_when_it_is_used_up(tmp_path: Path) -> None:
    engine = engine_of(
        tmp_path, "rules: [{times: 2, answer: {text: a}}, {times: 1, answer: {text: b}}]\ndefault: {text: c}"
    )

    assert [await answer(engine, asking()) for _ in range(5)] == ["a", "a", "b", "c", "c"]


async def test_a_request_that_nothing_fits_is_told_what_was_asked(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, "rules: [{match: {text: cats}, answer: {text: Two.}}]")

    with pytest.raises(FailedPrecondition, match=r"answers\.yaml fits this request.*'dogs'.*1 media"):
        await events(engine, asking("dogs", image()))


# --- answering


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        ("{text: Two.}", [Text("Two."), Finished()]),
        ("{json: {a: [1, null, 'ü']}}", [Text('{"a":[1,null,"ü"]}'), Finished()]),
        ("{json: null}", [Text("null"), Finished()]),
        (r'{json: {"a": "\uD83D\uDE00"}}', [Text('{"a":"😀"}'), Finished()]),
        (r'{text: "\uD83D\uDE00"}', [Text("😀"), Finished()]),
        ("{chunks: [a, {text: b, delay: 0.001}]}", [Text("a"), Text("b"), Finished()]),
        ("{thoughts: hm, text: a}", [Thought("hm"), Text("a"), Finished()]),
        ("{thoughts: [hm, ah], text: a}", [Thought("hm"), Thought("ah"), Text("a"), Finished()]),
        ("{block: SAFETY}", [Blocked("SAFETY")]),
        ("{text: a, finish: MAX_TOKENS}", [Text("a"), Finished("MAX_TOKENS")]),
        ("{finish: SAFETY, finish_message: No.}", [Finished("SAFETY", "No.")]),
        ("{text: a, delay: 0.001}", [Text("a"), Finished()]),
        ("{call: {name: f}}", [FunctionCall("f", {}), Finished()]),
        (
            "{call: {name: f, args: {a: [1, {b: null}]}, id: x}, text: a, thoughts: hm}",
            [Thought("hm"), Text("a"), FunctionCall("f", {"a": [1, {"b": None}]}, "x"), Finished()],
        ),
        ("{call: [{name: f}, {name: g}]}", [FunctionCall("f", {}), FunctionCall("g", {}), Finished()]),
    ],
)
async def test_an_answer_becomes_these_events(tmp_path: Path, default: str, expected: list[Event]) -> None:
    engine = engine_of(tmp_path, f"default: {default}")

    assert await events(engine, asking()) == expected


async def test_placeholders_are_filled_once(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, "default: {text: '{media}: {text} {other}'}")

    assert await answer(engine, asking("{media} {text}", image())) == "1: {media} {text} {other}"


async def test_an_error_comes_after_what_stands_beside_it(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, "default: {chunks: [a, b], error: {status: UNAVAILABLE, message: Gone.}}")
    stream = engine.generate(asking())

    assert [await anext(stream), await anext(stream)] == [Text("a"), Text("b")]
    with pytest.raises(Unavailable, match=r"^Gone\.$"):
        await anext(stream)


@pytest.mark.parametrize("kind", [kind for _, kind, _ in ERRORS])
async def test_every_status_can_be_raised(tmp_path: Path, kind: type[TwinlensError]) -> None:
    engine = engine_of(tmp_path, f"default: {{error: {{status: {kind.status}}}}}")

    with pytest.raises(kind):
        await events(engine, asking())


async def test_a_quota_error_says_when_to_come_back(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, "default: {error: {code: 429, retry_after: 1.5}}")

    with pytest.raises(ResourceExhausted) as caught:
        await events(engine, asking())

    assert caught.value.retry_after_s == 1.5


async def test_closing_during_a_pause_ends_it(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, "default: {chunks: [a, {text: b, delay: 3600}]}")
    stream = engine.generate(asking())
    assert await anext(stream) == Text("a")

    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await stream.aclose()

    assert waiting.cancelled()


# --- mistakes in the file


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("", "answers.yaml is empty: give 'rules' or a 'default'."),
        ("{}", "answers.yaml:1: it says nothing: give 'rules' or a 'default'"),
        ("- a", "answers.yaml:1: must have keys (rules, default)"),
        (
            "rules:\n- answer: {text: 'a'}\n  wehn: {}",
            "answers.yaml:3: rules[0].wehn: 'wehn' is not known",
        ),
        (
            "rules:\n- match: {txt: a}\n  answer: {text: a}",
            "rules[0].match.txt: 'txt' is not known here; did",
        ),
        ("rules:\n- match: {text: a}", "answers.yaml:2: rules[0]: an 'answer' is missing"),
        ("rules: [{times: 0, answer: {text: a}}]", "rules[0].times: must be a whole number from 1"),
        ("default: {text: a, delay: -1}", "answers.yaml:1: default.delay: must be a number from 0 to 3600"),
        ("default: {text: a, delay: .nan}", "default.delay: must be a number"),
        ("default: {text: a, delay: true}", "default.delay: must be a number"),
        ("default: {text: yes}", "default.text: must be a text; put it in quotes"),
        ("default: {text: a, text: b}", "default.text: stands here twice"),
        ("default: {text: a, json: 1}", "default: give one of text and json, not both"),
        ("default: {block: SAFETY, finish: STOP}", "default: give one of block and finish, not both"),
        ("default: {delay: 1}", "default: it says nothing"),
        ("default: {block: SAFETY, text: a}", "default.block: a blocked prompt has no answer beside it"),
        ("default: {block: SAFETY, call: {name: f}}", "default.block: a blocked prompt has no answer"),
        ("default: {call: f}", "answers.yaml:1: default.call: must have keys (name, args, id)"),
        ("default: {call: []}", "default.call: must not be empty"),
        ("default:\n  call:\n  - {name: f}\n  - {args: {}}", ":4: default.call[1]: a 'name' is missing"),
        ("default:\n  call: {name: ''}", ":2: default.call.name: must not be empty"),
        ("default: {call: {name: f, id: ''}}", "default.call.id: must not be empty"),
        (
            "default:\n  call:\n  - {name: f, id: x}\n  - {name: g, id: x}",
            ":4: default.call[1].id: 'x' is another call's of this answer",
        ),
        (
            "rules:\n- match:\n    tools: []\n  answer: {text: a}",
            ":3: rules[0].match.tools: must not be empty",
        ),
        ("rules: [{match: {schema: []}, answer: {text: a}}]", "rules[0].match.schema: must not be empty"),
        ("rules: [{match: {media: {}}, answer: {text: a}}]", "rules[0].match.media: must not be empty"),
        (
            'default:\n  text: "a\\uD83Db"',
            r":2: default.text: holds half a character, such as \ud83d without",
        ),
        (r'default: {call: {name: f, args: {a: "\uDE00"}}}', "default.call.args: holds half a character"),
        ("default: {call: {name: 1}}", "default.call.name: must be a text"),
        ("default: {call: {name: f, arg: {}}}", "default.call.arg: 'arg' is not known here; did you mean"),
        ("default: {call: {name: f, args: [1]}}", "default.call.args: must have keys"),
        ("default: {call: {name: f, args: {a: .nan}}}", "default.call.args: JSON cannot say this"),
        ("default: {call: {name: f, id: 1}}", "default.call.id: must be a text"),
        ("rules: [{match: {tools: f}, answer: {text: a}}]", "rules[0].match.tools: must be true or false"),
        ("rules: [{match: {tools: [1]}, answer: {text: a}}]", "rules[0].match.tools[0]: must be a text"),
        (
            "rules: [{match: {function_response: true}, answer: {text: a}}]",
            "rules[0].match.function_response: must be a text",
        ),
        ("rules: [{match: {function_response: {}}, answer: {text: a}}]", "must not be empty"),
        (
            "rules: [{match: {function_response: {nme: f}}, answer: {text: a}}]",
            "rules[0].match.function_response.nme: 'nme' is not known here; did you mean 'name'?",
        ),
        (
            "rules: [{match: {function_response: {response: 1}}, answer: {text: a}}]",
            "rules[0].match.function_response.response: must have keys: those that the response must have",
        ),
        ("default: {block: SAFTEY}", "default.block: 'SAFTEY' is not known here; did you mean 'SAFETY'?"),
        ("default: {error: {code: 418}}", "default.error.code: '418' is not known here; known: 400, 401"),
        ("default: {error: {code: true}}", "default.error.code: 'True' is not known here"),
        ("default: {error: {message: a}}", "default.error: give a 'code' or a 'status'"),
        (
            "default: {error: {code: 503, retry_after: 1}}",
            "default.error.retry_after: only RESOURCE_EX",
        ),
        ("default: {chunks: a}", "default.chunks: must be a list"),
        ("default: {chunks: [a, {delay: 1}]}", "default.chunks[1]: a 'text' is missing"),
        ("default: {json: 2026-01-01}", "default.json: JSON cannot say this"),
        ("default: {json: 2026-13-45}", "default.json: cannot be read"),
        ("default: {json: .inf}", "default.json: JSON cannot say this"),
        ("default: {json: &a [*a]}", "default.json: JSON cannot say this"),
        ("default: {json: !!python/name:os.system x}", "default.json: cannot be read"),
        ("rules: [{match: {text: /(/}, answer: {text: a}}]", "rules[0].match.text: /(/ is not a regular exp"),
        ("rules: [{match: {schema: 1}, answer: {text: a}}]", "rules[0].match.schema: must be true or false"),
        (
            "rules: [{match: {media: {film: 1}}, answer: {text: a}}]",
            "rules[0].match.media.film: 'film' is",
        ),
        ("rules:\n- answer: {text: a: b}", "answers.yaml:2: this is not valid YAML"),
        ("[" * 5000, "answers.yaml: this is not valid YAML"),
        ("default: *a", "answers.yaml:1: this is not valid YAML"),
        ("a: 1\n---\nb: 2", "this is not valid YAML"),
        ("default: {text: a}\x00", "answers.yaml: this is not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_path(tmp_path: Path, yaml: str, message: str) -> None:
    assert message in refusal(tmp_path, yaml)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineSetupError, match=r"nowhere\.yaml cannot be read: No such file or directory\."):
        ScriptEngine(ScriptEngine.Options(script=tmp_path / "nowhere.yaml"))


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(EngineSetupError, match=r"answers\.yaml is not UTF-8 text\."):
        ScriptEngine(ScriptEngine.Options(script=path))


# --- the documentation


EXAMPLES = re.findall(r"```yaml\n(.*?)```\n\n```text\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
CODES = {kind.status: code for code, kind, _ in ERRORS}


async def told(engine: ScriptEngine, question: str) -> str:
    """Ask what an example of the documentation asks, and write what came as it writes it."""
    text, _, beside = question.partition(" + ")
    kind, _, what = beside.partition(" ")
    given: list[InputPart] = [image()] if kind == "1" else []
    if kind == "response":
        given.append(FunctionResult(**json.loads(what)))
    parts: list[str] = []
    try:
        async for event in engine.generate(asking(text, *given, tools=(what,) if kind == "function" else ())):
            match event:
                case Text(piece):
                    parts.append(piece)
                case FunctionCall(name, arguments):
                    parts.append(f"{name} {json.dumps(arguments, separators=(',', ':'))}")
                case Blocked(reason):
                    parts.append(f"blocked: {reason}")
                case Finished(reason) if reason != "STOP":
                    parts.append(f" ({reason})")
    except TwinlensError as error:
        parts.append(f"{' ' if parts else ''}{CODES[error.status]} {error.message}")
    return "".join(parts)


@pytest.mark.parametrize(("yaml", "talk"), EXAMPLES)
async def test_the_examples_of_the_documentation_are_true(tmp_path: Path, yaml: str, talk: str) -> None:
    engine = engine_of(tmp_path, yaml)

    for line in talk.strip().splitlines():
        question, _, expected = line.partition(" → ")
        assert await told(engine, question) == expected


def test_the_documentation_has_examples() -> None:
    assert len(EXAMPLES) == 3
