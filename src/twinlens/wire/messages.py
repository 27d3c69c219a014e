"""The messages a request of the Gemini dialect is made of: the tables that proto-JSON is read by.

What each field means is decided in `contents.py` and `generation.py`; `docs/api-coverage.md` has a
row for every field here, with the same status.
"""

from __future__ import annotations

from typing import Any

from .proto import (
    MAX_ITEMS,
    Field,
    Message,
    Reader,
    Reading,
    anything,
    binary,
    boolean,
    double,
    duration,
    enumeration,
    int32,
    mapping,
    refused,
    repeated,
    string,
    struct,
)
from .schema import SCHEMA, read_schema

LEVELS = ("UNSPECIFIED", "LOW", "MEDIUM", "HIGH")


def _ignored(name: str, read: Reader = anything) -> Field:
    """Declare a field that is accepted and changes nothing."""
    return Field(name, read, status="ignored")


def _refused(name: str, sentence: str) -> Field:
    return Field(name, refused(sentence), status="refused")


BLOB = Message("Blob", Field("mimeType", string), Field("data", binary), _ignored("displayName", string))
FILE_DATA = Message(
    "FileData", Field("mimeType", string), Field("fileUri", string), _ignored("displayName", string)
)
VIDEO_METADATA = Message(
    "VideoMetadata",
    Field("startOffset", duration),
    Field("endOffset", duration),
    Field("fps", double),
)
MEDIA_RESOLUTION = Message(
    "MediaResolution",
    Field("level", enumeration("MediaResolution.Level", "MEDIA_RESOLUTION_", (*LEVELS, "ULTRA_HIGH"))),
    Field("numTokens", int32),
)
FUNCTION_CALL = Message(
    "FunctionCall",
    Field("id", string),
    Field("name", string),
    Field("args", struct),
    _ignored("partialArgs"),
    _ignored("willContinue", boolean),
)
FUNCTION_RESPONSE_PART = Message(
    "FunctionResponsePart",
    Field("inlineData", BLOB, oneof="data"),
    Field("fileData", FILE_DATA, oneof="data"),
    Field("mediaResolution", MEDIA_RESOLUTION),
    Field("videoMetadata", VIDEO_METADATA),
    _ignored("mediaProcessing"),
)
FUNCTION_RESPONSE = Message(
    "FunctionResponse",
    Field("id", string),
    Field("name", string),
    Field("response", struct),
    Field("parts", repeated(FUNCTION_RESPONSE_PART)),
    _ignored("willContinue", boolean),
    _ignored("scheduling"),
)
EXECUTABLE_CODE = Message(
    "ExecutableCode",
    Field("language", enumeration("ExecutableCode.Language", "", ("LANGUAGE_UNSPECIFIED", "PYTHON"))),
    Field("code", string),
    _ignored("id", string),
)
CODE_EXECUTION_RESULT = Message(
    "CodeExecutionResult",
    Field(
        "outcome",
        enumeration(
            "CodeExecutionResult.Outcome", "OUTCOME_", ("UNSPECIFIED", "OK", "FAILED", "DEADLINE_EXCEEDED")
        ),
    ),
    Field("output", string),
    _ignored("id", string),
)
PART = Message(
    "Part",
    Field("text", string, oneof="data"),
    Field("inlineData", BLOB, oneof="data"),
    Field("fileData", FILE_DATA, oneof="data"),
    Field("functionCall", FUNCTION_CALL, oneof="data"),
    Field("functionResponse", FUNCTION_RESPONSE, oneof="data"),
    Field("executableCode", EXECUTABLE_CODE, oneof="data"),
    Field("codeExecutionResult", CODE_EXECUTION_RESULT, oneof="data"),
    Field("toolCall", anything, oneof="data", status="ignored"),
    Field("toolResponse", anything, oneof="data", status="ignored"),
    Field("thought", boolean),
    _ignored("thoughtSignature", binary),
    Field("videoMetadata", VIDEO_METADATA),
    Field("mediaResolution", MEDIA_RESOLUTION),
    _ignored("mediaProcessing"),
    _ignored("partMetadata", struct),
    _ignored("audioTranscription"),
    _ignored("speechMetadata"),
)
CONTENT = Message("Content", Field("role", string), Field("parts", repeated(PART)))
_RESPONSES = ("functionResponse", "function_response")


def _conversation(reading: Reading, value: Any, path: str) -> Any:
    """Parse the turns, unless they and their parts are too many: they are counted first."""
    if (size := _size(value)) > MAX_ITEMS:
        reading.refuse(
            path, f"{path} has {size} parts and turns, all together: at most {MAX_ITEMS} are allowed."
        )
        return None
    return _CONTENTS(reading, value, path)


_CONTENTS = repeated(CONTENT)


def _size(contents: Any) -> int:
    turns = contents if isinstance(contents, list) else [contents]
    parts = [
        parts for turn in turns if isinstance(turn, dict) and isinstance(parts := turn.get("parts"), list)
    ]
    answers = (
        part.get(name) for own in parts for part in own if isinstance(part, dict) for name in _RESPONSES
    )
    media = (one.get("parts") for one in answers if isinstance(one, dict))
    return len(turns) + sum(map(len, parts)) + sum(len(one) for one in media if isinstance(one, list))


THINKING_CONFIG = Message(
    "ThinkingConfig",
    Field("includeThoughts", boolean),
    Field("thinkingBudget", int32),
    Field(
        "thinkingLevel",
        enumeration(
            "ThinkingConfig.ThinkingLevel",
            "",
            ("THINKING_LEVEL_UNSPECIFIED", "LOW", "HIGH", "MEDIUM", "MINIMAL", "XHIGH"),
        ),
    ),
)
GENERATION_CONFIG = Message(
    "GenerationConfig",
    Field("temperature", double),
    Field("topP", double),
    Field("topK", int32),
    Field("candidateCount", int32),
    Field("maxOutputTokens", int32),
    Field("stopSequences", repeated(string)),
    Field("seed", int32),
    Field("presencePenalty", double),
    Field("frequencyPenalty", double),
    Field("responseMimeType", string),
    Field("responseSchema", read_schema),
    Field(
        "responseJsonSchema",
        anything,
        aliases=("_responseJsonSchema", "_response_json_schema"),
    ),
    _refused(
        "responseFormat",
        "responseFormat is not supported: use responseMimeType with responseSchema or responseJsonSchema.",
    ),
    Field("mediaResolution", enumeration("GenerationConfig.MediaResolution", "MEDIA_RESOLUTION_", LEVELS)),
    Field("thinkingConfig", THINKING_CONFIG),
    Field(
        "responseModalities",
        repeated(
            enumeration(
                "GenerationConfig.Modality", "", ("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO")
            )
        ),
    ),
    _ignored("responseLogprobs", boolean),
    _ignored("logprobs", int32),
    _refused("translationConfig", "translationConfig is not supported: ask for it in the prompt."),
    _ignored("speechConfig"),
    _ignored("imageConfig"),
    _ignored("audioTranscriptionConfig"),
    _ignored("enableEnhancedCivicAnswers", boolean),
    _ignored("routingConfig"),
)

SAFETY_SETTING = Message(
    "SafetySetting",
    Field(
        "category",
        enumeration(
            "HarmCategory",
            "HARM_CATEGORY_",
            (
                "UNSPECIFIED",
                # 1 to 6 were PaLM's, and Gemini refuses them.
                *[""] * 6,
                "HARASSMENT",
                "HATE_SPEECH",
                "SEXUALLY_EXPLICIT",
                "DANGEROUS_CONTENT",
                "CIVIC_INTEGRITY",
                "JAILBREAK",
                "IMAGE_HATE",
                "IMAGE_DANGEROUS_CONTENT",
                "IMAGE_HARASSMENT",
                "IMAGE_SEXUALLY_EXPLICIT",
            ),
        ),
    ),
    _ignored(
        "threshold",
        enumeration(
            "SafetySetting.HarmBlockThreshold",
            "",
            (
                "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
                "BLOCK_LOW_AND_ABOVE",
                "BLOCK_MEDIUM_AND_ABOVE",
                "BLOCK_ONLY_HIGH",
                "BLOCK_NONE",
                "OFF",
            ),
        ),
    ),
)

FUNCTION_DECLARATION = Message(
    "FunctionDeclaration",
    Field("name", string),
    Field("description", string),
    Field("parameters", read_schema, oneof="parameters"),
    Field("parametersJsonSchema", anything, oneof="parameters"),
    Field("response", read_schema, oneof="response"),
    Field("responseJsonSchema", anything, oneof="response"),
    _ignored("behavior"),
)
_TOOLS = (
    "googleSearch",
    "googleSearchRetrieval",
    "codeExecution",
    "urlContext",
    "computerUse",
    "fileSearch",
    "googleMaps",
    "mcpServers",
    "retrieval",
    "enterpriseWebSearch",
    "parallelAiSearch",
    "exaAiSearch",
)
TOOL = Message(
    "Tool",
    Field("functionDeclarations", repeated(FUNCTION_DECLARATION)),
    *(
        _refused(
            name,
            f"Tool {name} is not offered by twinlens, functions are: "
            "declare one in functionDeclarations, and answer its calls.",
        )
        for name in _TOOLS
    ),
)
FUNCTION_CALLING_CONFIG = Message(
    "FunctionCallingConfig",
    Field(
        "mode",
        enumeration(
            "FunctionCallingConfig.Mode", "", ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")
        ),
    ),
    Field("allowedFunctionNames", repeated(string)),
)
TOOL_CONFIG = Message(
    "ToolConfig",
    Field("functionCallingConfig", FUNCTION_CALLING_CONFIG),
    _ignored("retrievalConfig"),
    _ignored("includeServerSideToolInvocations", boolean),
)

GENERATE_CONTENT_REQUEST = Message(
    "GenerateContentRequest",
    Field("contents", _conversation),
    Field("systemInstruction", CONTENT),
    Field("generationConfig", GENERATION_CONFIG),
    Field("safetySettings", repeated(SAFETY_SETTING)),
    Field("tools", repeated(TOOL)),
    Field("toolConfig", TOOL_CONFIG),
    Field("cachedContent", string, status="refused"),
    Field("model", string),
    _ignored("labels", mapping(string)),
    _ignored("serviceTier", enumeration("ServiceTier", "", ("UNSPECIFIED", "STANDARD", "FLEX", "PRIORITY"))),
    _ignored("store", boolean),
    _ignored("continuationToken", binary),
)
COUNT_TOKENS_REQUEST = Message(
    "CountTokensRequest",
    Field("contents", _conversation),
    Field("generateContentRequest", GENERATE_CONTENT_REQUEST),
    _ignored("model", string),
)

MESSAGES = (
    GENERATE_CONTENT_REQUEST,
    COUNT_TOKENS_REQUEST,
    CONTENT,
    PART,
    BLOB,
    FILE_DATA,
    VIDEO_METADATA,
    MEDIA_RESOLUTION,
    FUNCTION_CALL,
    FUNCTION_RESPONSE,
    FUNCTION_RESPONSE_PART,
    EXECUTABLE_CODE,
    CODE_EXECUTION_RESULT,
    GENERATION_CONFIG,
    THINKING_CONFIG,
    SCHEMA,
    SAFETY_SETTING,
    TOOL,
    FUNCTION_DECLARATION,
    TOOL_CONFIG,
    FUNCTION_CALLING_CONFIG,
)
