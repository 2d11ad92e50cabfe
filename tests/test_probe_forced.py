"""Texts that are forced on a checkpoint: in one go, once, and a failure says nothing of the checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lengthprobe import load
from lengthprobe.asking.progress import Progress
from lengthprobe.attribution.forced import attribute_forced
from lengthprobe.attribution.forced_text import Forced
from lengthprobe.attribution.trace import Contributions
from lengthprobe.errors import ModelError
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts
from tests.conftest import SHAPES
from tests.test_probe import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 8, "cap": 12, "batch_size": 3}
TEXTS = tuple(
    Forced(prompt, tuple(range(100, 104 + at)), None, ended=at % 2 == 0)
    for at, prompt in enumerate(prompts("en", budget=5))
)


@pytest.fixture
def name(checkpoints: Callable[..., Path]) -> str:
    """The random Llama's directory."""
    return str(checkpoints("llama"))


@pytest.mark.parametrize("target", ["token", "stop_margin"])
def test_texts_are_attributed(name: str, target: str) -> None:
    """Each text's attribution, in the order of the texts, whatever the batches."""
    probe = load(name, **SMALL)
    found = probe.forced(TEXTS, target=target)
    expected = attribute_forced(probe.checkpoint, TEXTS, probe.settings, target=target, batch_size=5)
    for one, wanted in zip(found, expected, strict=True):
        assert one.adherence == wanted.adherence
        for array in Contributions.names():
            actual, other = (getattr(each.contributions, array) for each in (one, wanted))
            np.testing.assert_allclose(actual, other, rtol=1e-4, atol=1e-4, err_msg=array)


@pytest.mark.parametrize("shape", SHAPES)
def test_own_responses(checkpoints: Callable[..., Path], shape: str) -> None:
    """A model forced on what it wrote gives, in every architecture, what was captured while it wrote."""
    probe = load(str(checkpoints(shape)), **SMALL)
    traced = probe.traces("en")
    texts = [
        Forced(one.response.prompt, one.response.token_ids, None, one.response.finish_reason == "stop")
        for one in traced
    ]
    for target, trace in (("token", "token"), ("stop_margin", "stop")):
        for one, own in zip(probe.forced(texts, target=target), traced, strict=True):
            assert one.adherence == own.adherence
            for array in Contributions.names():
                actual, expected = (
                    getattr(one.contributions, array),
                    getattr(getattr(own.trace, trace), array),
                )
                scale = float(abs(expected).max())
                np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-4 * scale, err_msg=array)


def test_asked_once(name: str) -> None:
    """The same texts are forced once for all measures; another target is another question."""
    exchange = Recorder()
    probe = Probe(name, Settings(**SMALL), exchange=exchange)
    first = probe.forced(TEXTS, target="token")
    # The proof of the components, and 5 texts, at most 3 at once.
    assert len(exchange.asked) == 1 + 2
    again = probe.forced(list(TEXTS), target="token")
    assert all(one is other for one, other in zip(again, first, strict=True))
    assert len(exchange.asked) == 3
    probe.forced(TEXTS, target="stop_margin")
    assert len(exchange.asked) == len(set(exchange.asked)) == 5


def test_of_another_process(name: str) -> None:
    """What another process forced is read, bit by bit."""
    one = Recorder()
    first = Probe(name, Settings(**SMALL), exchange=one).forced(TEXTS, target="token")
    other = Recorder(one.had)
    again = Probe(name, Settings(**SMALL), exchange=other).forced(TEXTS, target="token")
    assert other.made == []
    for found, wanted in zip(again, first, strict=True):
        assert found.adherence == wanted.adherence
        assert np.array_equal(found.contributions.heads, wanted.contributions.heads)


def test_no_texts(name: str) -> None:
    """No text gives nothing."""
    assert load(name, **SMALL).forced([], target="token") == ()


def test_the_same_text_again(name: str) -> None:
    """A text that comes several times is answered each time, be the batches all alike."""
    probe = load(name, **SMALL)
    found = probe.forced([TEXTS[0]] * 6, target="token")
    assert [len(one.contributions.logits) for one in found] == [5] * 6  # four tokens, and the end


def test_components_that_do_not_add_up(name: str) -> None:
    """Where the components are not known to add up, nothing is said of forced texts either."""
    probe = load(name, **SMALL)
    layer = probe.checkpoint.model.model.layers[1]
    handle = layer.register_forward_hook(lambda _module, _inputs, output: output + 1.0)
    with pytest.raises(ModelError, match="do not add up"):
        probe.forced(TEXTS, target="token")
    handle.remove()


def test_a_text_that_cannot_be_forced(name: str) -> None:
    """Its error is its own: other texts, and prompts, are answered."""
    probe = load(name, **SMALL)
    long = Forced(TEXTS[0].prompt, (100,) * 500, None, ended=False)
    for _ in range(2):
        with pytest.raises(ModelError, match="reads at most 512 tokens"):
            probe.forced([long], target="token")
    assert len(probe.forced(TEXTS, target="token")) == 5
    assert len(probe.responses("en")) == 8


def test_what_was_asked_is_known(name: str) -> None:
    """So that a figure can show what a claim has measured, and cost nothing where none has."""
    probe = load(name, **SMALL)
    assert not probe.has_forced("stop_margin")
    probe.forced(list(TEXTS), target="stop_margin")
    assert probe.has_forced("stop_margin")
    assert probe.has_forced("stop_margin", TEXTS)
    assert not probe.has_forced("stop_margin", TEXTS[:1])
    assert not probe.has_forced("token")


def test_end_of_the_pass_is_told(name: str) -> None:
    """After the last batch all five are done, so that no bar is left open."""
    told: list[Progress] = []
    probe = Probe(name, Settings(**SMALL), progress=told.append)
    probe.forced(TEXTS, target="token")

    assert [(one.done, one.total) for one in told if one.unit == "texts"] == [(0, 5), (3, 5), (5, 5)]
