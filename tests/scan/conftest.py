"""Small scans of the fixture models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lengthprobe.probe import Probe
from lengthprobe.scan.partial_scan import PartialScan
from lengthprobe.scan.plan import Plan
from lengthprobe.scan.scanning import Found, Scan
from lengthprobe.settings import Settings

SETTINGS = Settings(languages=("en",), budget=20, cap=40, device_map="cpu", batch_size=32)


@pytest.fixture(scope="session")
def probe() -> Probe:
    """The healthy fixture model."""
    return Probe("tiny-it", SETTINGS)


@pytest.fixture
def plan() -> Plan:
    """A plan that finds the two components that tiny-it stops by in English, on few prompts."""
    return Plan("en", top=2, prompts=6, sample=2)


@pytest.fixture
def scanned(probe: Probe) -> Callable[..., tuple[Found, PartialScan]]:
    """Return a function that scans, and returns what was found and kept."""

    def scan(plan: Plan, kept: PartialScan | None = None, progress: Any = None) -> tuple[Found, PartialScan]:
        kept = kept or PartialScan({})
        found = Scan(probe, plan, kept, progress or (lambda _what, _done, _total: None)).run()
        return found, kept

    return scan
