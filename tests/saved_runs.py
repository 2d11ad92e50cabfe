"""A saved run of a fixture model, for tests."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import lengthprobe
from lengthprobe.margins import Margins
from lengthprobe.plugin.saving import answers_of
from lengthprobe.reporting.ledger import Ledger
from lengthprobe.runs.saved import SavedRun, read_run
from lengthprobe.runs.writing import write_run

SETTINGS = {"budget": 40, "cap": 30, "languages": ("en", "it"), "device_map": "cpu"}


def save(
    folder: Path, name: str, model: str, *, traced: tuple[str, ...] = (), **settings: object
) -> SavedRun:
    """Save the answers of a fixture model, without any verdict."""
    probe = lengthprobe.load(model, **{**SETTINGS, **settings})
    answered = answers_of(probe, probe.settings.languages, traced)
    report = Ledger(models={"model": probe.identity().as_dict()}).as_dict(
        asdict(probe.settings) | {"margins": asdict(Margins())}
    )
    return read_run(write_run(folder / name, report, {"model": answered}))
