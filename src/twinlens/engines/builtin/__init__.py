"""The default engine: facts read from the pixels, and answers made of facts only."""

from .engine import BuiltinEngine

__all__ = ["BuiltinEngine"]
