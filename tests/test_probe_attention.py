"""Attention that a probe is asked for: in one go, once, and shared between processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lengthprobe.activations.look import Look
from lengthprobe.activations.looks import look
from lengthprobe.asking.progress import Progress
from lengthprobe.components.names import Component
from lengthprobe.errors import ModelError
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.distractor import distracted_prompt
from lengthprobe.task.prompts import prompts
from tests.test_probe import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 8, "cap": 12, "batch_size": 3}
BOTH = [distracted_prompt(prompt, range(3, 10), before=True) for prompt in prompts("en", budget=5)]
LOOKS = tuple(
    Look(one.prompt, tuple(range(100, 104 + at)), (1, 3), (one.number, (one.distractor,)))
    for at, one in enumerate(BOTH)
)
HEADS = (Component(0, 1), Component(2, 3))


@pytest.fixture
def name(checkpoints: Callable[..., Path]) -> str:
    """The random Llama's directory."""
    return str(checkpoints("llama"))


def test_asked_once(name: str) -> None:
    """The same looks are asked once for all measures; other heads are another question."""
    exchange = Recorder()
    probe = Probe(name, Settings(**SMALL), exchange=exchange)
    first = probe.attention(LOOKS, HEADS)
    # The proof of the components, and 5 looks, at most 3 at once.
    assert len(exchange.asked) == 1 + 2
    again = probe.attention(list(LOOKS), "L2H3, L0H1")
    assert all(one is other for one, other in zip(again, first, strict=True))
    assert len(exchange.asked) == 3
    probe.attention(LOOKS, "L0H0")
    assert len(exchange.asked) == len(set(exchange.asked)) == 5
    expected = look(probe.checkpoint, LOOKS, probe.settings, HEADS, batch_size=5)
    for one, wanted in zip(first, expected, strict=True):
        assert one.shape == (2, 2, 2)
        np.testing.assert_allclose(one, wanted, atol=1e-5)


def test_of_another_process(name: str) -> None:
    """What another process measured is read, bit by bit."""
    one = Recorder()
    first = Probe(name, Settings(**SMALL), exchange=one).attention(LOOKS, HEADS)
    other = Recorder(one.had)
    again = Probe(name, Settings(**SMALL), exchange=other).attention(LOOKS, HEADS)
    assert other.made == []
    assert all(np.array_equal(found, wanted) for found, wanted in zip(again, first, strict=True))


def test_nothing_is_asked(name: str) -> None:
    """No look gives nothing."""
    assert Probe(name, Settings(**SMALL)).attention([], HEADS) == ()


def test_a_text_that_does_not_fit(name: str) -> None:
    """Its error is its own: other looks, and prompts, are answered."""
    probe = Probe(name, Settings(**SMALL))
    long = Look(BOTH[0].prompt, (100,) * 600, (600,), LOOKS[0].targets)
    for _ in range(2):
        with pytest.raises(ModelError, match="reads at most 512 tokens"):
            probe.attention([long], HEADS)
    assert len(probe.attention(LOOKS, HEADS)) == 5
    assert len(probe.responses("en")) == 8


def test_end_of_the_pass_is_told(name: str) -> None:
    """After the last batch all five are done, so that no bar is left open."""
    told: list[Progress] = []
    probe = Probe(name, Settings(**SMALL), progress=told.append)
    probe.attention(LOOKS, HEADS)

    assert [(one.done, one.total) for one in told if one.unit == "texts"] == [(0, 5), (3, 5), (5, 5)]
