"""The versions of the API, which all mean the same here: what begins a path."""

from __future__ import annotations

VERSIONS = ("v1beta", "v1alpha", "v1")
"""The first is the usual one. Longer names come before those that they begin with."""
