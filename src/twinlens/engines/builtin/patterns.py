"""The words by which the built-in engine knows what a question is after. Data only: `intents` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .facts import FactName

IntentName = Literal[
    "ask",
    "caption",
    "chart",
    "codes",
    "colours",
    "count",
    "detect",
    "difference",
    "kind",
    "length",
    "locate",
    "presence",
    "quality",
    "read",
    "refuse",
    "scenes",
    "segment",
    "size",
    "table",
    "timeline",
]
"""What a question can be after."""


def _any(*alternatives: str) -> str:
    """Join alternatives into one pattern of whole words."""
    return rf"\b(?:{'|'.join(alternatives)})\b"


_PICTURE = "(?:image|picture|photo|photograph|screenshot|video|clip|frame)"
_THIS = "(?:this|the|these|my|that)"
_RECORDING = "(?:video|clip|film|movie|recording|audio|sound|track|file|footage)"

COLOURS: Mapping[str, str] = {
    "black": "black",
    "white": "white",
    "grey": "grey gray silver",
    "red": "red crimson scarlet maroon",
    "orange": "orange",
    "brown": "brown",
    "beige": "beige cream tan",
    "yellow": "yellow gold golden",
    "green": "green lime olive",
    "turquoise": "turquoise teal cyan aqua",
    "blue": "blue navy",
    "purple": "purple violet",
    "pink": "pink magenta",
}
"""The names the colour facts have, and the words people use for each."""

TARGETS: Mapping[FactName, str] = {
    "text": _any(
        *("texts?", "words?", "letters?", "lines?", "sentences?", "paragraphs?", "headings?", "headlines?"),
        *("titles?", "labels", "writing", "characters?", "digits?", "numbers?", "text ?blocks?"),
    ),
    "faces": _any("faces?", "people", "persons?", "humans?", "heads?"),
    "codes": _any("(?:qr|bar)?[ -]?codes?", "qrs?"),
    "colours": _any("colou?rs?", "colou?red"),
    "tables": _any("tables?"),
    "charts": _any("charts?", "graphs?", "bars?", "plots?"),
}
"""The kinds of fact, and the words that name them."""

ANYTHING = "item object thing element area region shape part feature piece content everything"
"""Words for whatever there is to find."""

FORM = """
detect detection locate localize localise bounding bound box boxes bbox coordinate position prominent
main important key draw mark highlight point json output normalized format mask segmentation segment
outline contour label entry count number total amount people's visible clearly dominant different
distinct readable printed back result answer location detail exact timestamp timecode occurrence
instance appearance appear appears appearing occur during before since whole entire
"""
"""Words that say how to answer, not about what."""

AFTER_A_WORD = """
box boxes bbox bboxes position positions location locations coordinates count order level levels in on at
is are and or of from for with that which to as appear appears occur occurs boundaries
"""
"""Words after `the word` that are not the one that is meant."""

REFUSED: Mapping[str, str] = {
    "sounds": _any("audio", "sounds?", "hear", "music", "speech", "spoken", "voice", "noise"),
    "stories, quizzes and other new texts": _any(
        *("quiz", "story", "stories", "poem", "haiku", "joke", "song", "lyrics", "recipe", "essay", "tweet"),
        *("hashtags?", "slogan", "blog post", "imagine", "invent", "rewrite", "compose"),
        r"write (?:me |a |an |some )",
    ),
    "translations": _any("translat(?:e|ion|ed)"),
    "emotions": _any(
        *("emotions?", "mood", "feelings?", "feel(?:ing)? like", "facial expressions?", "smiling", "happy"),
        *("sad", "angry", "afraid", "surprised", "sentiment", "atmosphere", "vibe"),
    ),
    "age, sex and origin": _any(
        *("how old", "age of", "what age", "gender", "male or female", "man or (?:a )?woman"),
        *("boy or (?:a )?girl", "ethnicity", "nationality", "race of"),
    ),
    "who somebody is": _any(
        "who (?:is|are|was) (?:this|that|he|she|they|these|in|on)",
        "who (?:is|are|was) the (?:man|woman|person|people|guy|girl|boy)",
        *("whose (?:face|hand)", "celebrity", "famous", "identify (?:this|the) (?:person|man|woman)"),
    ),
    "actions": _any(
        *(
            "what .{0,40}doing",
            "happening",
            "going on",
            "activity",
            "activities",
            "action",
            "pose",
            "gesture",
        ),
        *("walking", "running", "sitting", "standing", "wearing", "holding"),
    ),
    "materials": _any(
        "materials?", "made (?:of|from|out of)", "wooden", "plastic", "metal", "fabric", "texture"
    ),
    "places": _any(
        r"where (?:is|was|were|are) (?:this|it|that)(?: \w+)? (?:taken|shot|from|located)",
        r"where (?:is|was) (?:this|it)(?=\W*$)",
        "(?:which|what) (?:city|country|town|place|landmark|building|location) (?:is|was) (?:this|it|that)",
        *("landmark", r"geolocat\w+", "indoors?", "outdoors?", "scene"),
    ),
    "weather and time of day": _any(
        "weather", "season", "time of (?:the )?day", "day or night", "night or day"
    ),
    "animals and plants": _any(
        *("animals?", "breed", "species", "dogs?", "cats?", "birds?", "horses?", "fish", "insects?"),
        *("plants?", "flowers?", "trees?"),
    ),
    "objects": _any(
        "what (?:objects?|items?|things?|food|dish|vehicle|car|brand|product)",
        "what kind of (?:object|thing|food|vehicle|car|product)",
        "(?:which|name the|identify the) (?:objects?|items?|food|vehicle|car)",
        "objects? (?:are|is) (?:in|on)",
        "(?:on|under|behind|beside|near|next to|in front of|against) the"
        " (?:tables?|desk|plate|floor|ground|wall|shelf|chair|street|road|grass|sky|bed|water|counter)",
    ),
    "reasons and consequences": _any(
        r"(?<!\w )why",
        *(
            "reason (?:for|why)",
            "what (?:would|will|might) happen",
            "how come",
            "caused?",
            "predict",
            "should i",
        ),
        *("is it safe", "opinion", "recommend", "funny", "artistic", "style of"),
    ),
}
"""What only a vision-language model can tell, and how questions about it are put."""

HEARD = _any(
    *("audio", "sounds?", "hear", "heard", "music", "speech", "speaks?", "speaking", "spoken", "voices?"),
    *("said", "transcri(?:be|pt|pts|ption)", "silen(?:t|ce)", "talk(?:s|ing)?", "podcast", "listen"),
)
"""Words of questions about a recording's sound."""

OF_RECORDINGS: Mapping[IntentName, str] = {
    "length": _any(
        *(f"how long (?:is|are|does|do) (?:{_THIS} )?(?:{_RECORDING}|it|they)", "duration"),
        *(f"length of {_THIS} {_RECORDING}", f"{_RECORDING}(?:'s)? length", "run(?:ning)? ?time"),
        *("how many (?:seconds|minutes|hours|frames)", "frames per second", "frame ?rate", "fps"),
    ),
    "scenes": _any(
        "(?:scene|camera|shot|hard|jump) ?(?:changes?|cuts?|transitions?|boundar(?:y|ies)|detection)",
        r"(?:how many|list|number of|count|find|when do|which|each|all)(?: \w+){0,3} (?:scenes|cut|shot)",
        *(
            "scenes? (?:does |do )?(?:change|begin|start|switch)",
            "when .{0,30}(?:cut|scene)",
            "cuts",
            "shots",
        ),
    ),
    "timeline": _any(
        *("timestamps?", "time ?lines?", "chapters?", "storyboard", "minute by minute", "over time"),
        "(?:salient|key|main|important|notable|significant|major) (?:events?|moments?)",
        *("(?:list|all|which|what) (?:the )?events", "chronolog(?:y|ical|ically)", "breakdown"),
    ),
}
"""What only recordings can be asked, in the order it is tried."""

WITH_TIMES = _any(
    *(
        "text",
        "captions?",
        "subtitles?",
        "words?",
        "(?:qr|bar)?[ -]?codes?",
        "faces?",
        "detect",
        "bbox(?:es)?",
    ),
    *("bounding ?box(?:es)?", "box_2d", "segment(?:ation)?", "masks?", "tables?(?! of)", "colou?rs?"),
)
"""What is told of a video with its times, whether they are asked for or not."""

HAPPENING = _any("happen(?:s|ed|ing)?", "going on", "takes? place", "(?:is|are) (?:being )?shown")
"""Words for whatever a recording shows: actions are not told, but what is known is."""

WHEN = r"^\W*(?:when|at (?:what|which) (?:time|times|point|second|minute|moment|timestamp|frame))\b"

SEGMENT = _any("segment(?:ation|ed|s)?", "masks? (?:for|of)", "(?:contour|outline)s? of")
DIFFERENCE = _any(
    *("differ(?:s|ent|ence|ences)?", "compare", "comparison", "chang(?:e|ed|es)", "identical"),
    f"same (?:{_PICTURE}|scene)",
)
DETECT = _any(
    *("detect", "locali[sz]e", "bounding ?box(?:es)?", "bbox(?:es)?", "box_2d", "draw (?:a )?box(?:es)?"),
    *("boxes (?:of|for|around)", "coordinates of", "find (?:all|every)", "label the"),
)
PRESENCE = (
    r"^\W*(?:is|are) (?:there|any)\b|\b(?:do|can) you (?:see|find|read)\b"
    r"|^\W*(?:does|do) .{0,40}\b(?:contain|have|show|include)\b"
    r"|^\W*(?:does|do|did) .{0,40}\b(?:say|read|mention)s?\b"
)
DESCRIBE = r"^\W*(?:(?:please|can you|could you) )*(?:caption|describe|summari[sz]e|analy[sz]e|tell me)\b"

COUNT = _any("how many(?! (?:mega)?pixels)", "count", "number of (?!the|this)")
CODES = _any("qr", "bar ?codes?", "decode", "scan (?:the|this)")
QUALITY = _any(
    *("blurr?(?:y|ed)", "sharp(?:ness)?", "(?:in|out of) focus", f"{_PICTURE} quality"),
    *("(?:over|under)?-?exposed", "exposure", "too (?:dark|bright)", f"(?:dark|bright) {_PICTURE}", "noisy"),
)
SIZE = _any(
    f"what size is {_THIS} {_PICTURE}",
    f"{_PICTURE} (?:size|dimensions?|resolution|width|height)",
    "what (?:is|are) (?:the|its) (?:dimensions|resolution|aspect ratio)",
    f"how (?:big|large|wide|tall|high) is {_THIS} {_PICTURE}",
    f"(?:size|width|height|dimensions|resolution|aspect ratio) of {_THIS} {_PICTURE}",
    *("in pixels", "how many (?:mega)?pixels", "portrait or landscape", "landscape or portrait"),
)
KIND = _any(
    f"(?:what|which) (?:kind|type|sort) of (?:{_PICTURE}|document|visual|media)",
    "is (?:this|it) an? (?:photo|photograph|drawing|screenshot|chart|graph)",
    "is (?:this|it) an? (?:document|illustration|scan|painting)",
    *(f"classify {_THIS} {_PICTURE}", "black.and.white", "photo(?:graph)? or"),
)
COLOUR = _any(
    r"(?:what|which|list|name|describe|identify|extract|give)(?: \w+){0,4} colou?rs?"
    rf"(?!s? (?:is|are) the (?!background|{_PICTURE}))",
    *("(?:main|dominant|primary|predominant) colou?rs?", "colou?r (?:palette|scheme)", "palette"),
)
TABLE = _any("tables?", "as csv", "rows? and columns?", "spreadsheet", "markdown")
CHART = _any("chart", "graph", "plot", "bars?", "axis", "axes", "histogram")
READ = _any(
    r"(?:what|which|any|all|the|this|extract|list|show|give|copy) (?:\w+ )?(?:texts?|words)",
    *(
        "read",
        "transcri(?:be|ption|pt)",
        "ocr",
        "what does .{0,40}says?",
        "what(?: i|')s (?:written|printed)",
    ),
    *("text (?:content|in|on|from)", "written (?:here|on|in)"),
)
CAPTION = _any(
    *("caption", "describe", "description", "summari[sz]e", "summary", "overview", "analy[sz]e"),
    *(f"explain {_THIS} {_PICTURE}", f"tell me (?:something |more )?about {_THIS}", "alt.?text", "title for"),
    *("what (?:do|can) you see", "what(?:'s| is| are) (?:this|that|these|it)", "whats? this"),
    f"what(?:'?s| is| are) (?:in|on|shown|depicted|displayed|visible)(?: in| on)? {_THIS}",
    f"what does {_THIS} {_PICTURE} (?:show|depict|contain)",
    "what(?:'s| is| was| are| were| appears)?(?: shown| displayed| visible)? on (?:the )?(?:screen|display)",
)
LOCATE = r"^\W*where\b|\b(?:location|position) of\b"
