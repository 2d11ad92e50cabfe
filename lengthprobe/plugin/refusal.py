"""Refusals: usage errors for a wrong command line, ini file or marker."""

from __future__ import annotations

import pytest

from lengthprobe.errors import LengthprobeError


def refusal(problem: str, fix: str = "") -> pytest.UsageError:
    """The usage error with a problem and its fix, each on a single line that is safe on any terminal."""
    return pytest.UsageError(str(LengthprobeError(problem, fix)))
