"""Steps: a batch tells how far it has come while it is written."""

from __future__ import annotations

import pytest

from lengthprobe import load
from lengthprobe.generation import steps
from lengthprobe.generation.batches import batches
from lengthprobe.generation.transformers_engine import respond_to_batch
from lengthprobe.task.prompts import prompts


def test_tells_of_every_step_and_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens written, one more each time, responses that have ended, and the cap; the answers stay."""
    monkeypatch.setattr(steps, "_SECONDS_BETWEEN", 0.0)
    probe = load("tiny-it", languages=("en",), budget=4, cap=30, device_map="cpu")
    (batch,) = batches(prompts("en", lengths=(3, 9), budget=4, seed=0), 4)
    alone = respond_to_batch(probe.checkpoint, batch, probe.settings)
    told: list[tuple[int, int, int]] = []
    with steps.tell_steps(lambda *now: told.append(now)):
        watched = respond_to_batch(probe.checkpoint, batch, probe.settings)

    assert watched.responses == alone.responses
    assert [written for _, written, _ in told] == list(range(1, len(told) + 1))
    assert [ended for ended, _, _ in told] == sorted(ended for ended, _, _ in told)
    assert told[-1][0] == 4
    assert {cap for _, _, cap in told} == {30}


def test_nobody_listens_after_the_block() -> None:
    """Nor before it: a batch is then written as ever."""
    with steps.tell_steps(lambda *_now: None):
        assert len(steps.steps(1, 1, 1, (0,))) == 1
    assert steps.steps(1, 1, 1, (0,)) == []
