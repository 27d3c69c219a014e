"""Makes the asserts of the shared modules tell what they saw, as those of tests do."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("crash")
