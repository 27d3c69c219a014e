"""The test double: answers come from a file, everything else of the server stays real."""

from .engine import ScriptEngine

__all__ = ["ScriptEngine"]
