"""From a measure to the model there are few steps, so that a traceback can be read."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

import lengthprobe
from lengthprobe import load, measures

# As many of ours as stand above the model's `generate` at the most.
MOST = 9


def test_a_claim_on_exact_answers_is_near_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted where the model writes the answers to a whole batch."""
    probe = load("tiny-it", budget=4, cap=72, device_map="cpu", languages=("en",))
    model, root = probe.checkpoint.model, str(Path(lengthprobe.__file__).parent)
    generate, frames = model.generate, list[list[str]]()

    def counted(*given: Any, **more: Any) -> Any:
        ours = [one.name for one in traceback.extract_stack() if one.filename.startswith(root)]
        frames.append(ours)
        return generate(*given, **more)

    monkeypatch.setattr(model, "generate", counted)
    measures.exact_match(probe, language="en")

    # The first run is a check of the logits of a single prompt.
    assert len(frames) == 2
    assert frames[-1][0] == "exact_match"
    assert len(frames[-1]) <= MOST
