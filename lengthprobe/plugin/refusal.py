"""Refusals: how pytest is told that a command line, an ini file or a marker cannot be used."""

from __future__ import annotations

import pytest

from lengthprobe.errors import LengthprobeError


def refusal(problem: str, fix: str = "") -> pytest.UsageError:
    """The usage error that says a problem and its fix, each on one line that any terminal may show."""
    return pytest.UsageError(str(LengthprobeError(problem, fix)))
