"""A real checkpoint, where the package that holds it can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.real import UnavailableError, smollm2
from lengthprobe import load

if TYPE_CHECKING:
    from pathlib import Path

    from lengthprobe.probe import Probe


@pytest.fixture(scope="session")
def smollm2_file() -> Path:
    """The GGUF file of SmolLM2-135M-Instruct.

    Where it cannot be had its tests do not run, and the last lines of the run say so (tests/conftest.py).
    """
    try:
        return smollm2()
    except UnavailableError as error:
        pytest.skip(f"{error.problem}; {error.fix}")


@pytest.fixture(scope="session")
def smollm2_probe(smollm2_file: Path) -> Probe:
    """The checkpoint after a few English prompts, with attributions."""
    probe = load(str(smollm2_file), budget=12, languages=("en",), cap=24, device_map="cpu")
    probe.prepare(traces=True)
    return probe
