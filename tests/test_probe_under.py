"""Prompts under ablations of their own, many in one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe import load
from lengthprobe.components.names import Ablation, Component, find_components
from lengthprobe.errors import SettingsError
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts
from tests.test_probe import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 8, "cap": 12, "batch_size": 3}


@pytest.fixture
def name(checkpoints: Callable[..., Path]) -> str:
    """The random Llama's directory."""
    return str(checkpoints("llama"))


@pytest.fixture
def probe(name: str) -> Probe:
    """A probe of the random Llama, of 3 layers of 4 heads."""
    return load(name, **SMALL)


@pytest.mark.parametrize("within", ["whole", "ablated"])
def test_under(probe: Probe, within: str) -> None:
    """Many ablations in one go give, prompt by prompt, what each gives in a block of its own."""
    asked = [*prompts("en", budget=3), prompts("it", budget=1)[0]]
    cuts = [("L0H0", "zero"), ("L1", "zero"), ("L1H0,MLP2", "mean"), ("L2H*", "resample")]
    each = [
        (prompt, Ablation().and_also(find_components(names, n_layers=3, n_heads=4, model="llama"), mode))
        for names, mode in cuts
        for prompt in asked
    ]
    with probe.ablated("L0H3,L1H0") as outer:
        one = probe if within == "whole" else outer
        found = one.under(each)
        assert [response.prompt for response in found] == [prompt for prompt, _ in each]
        for at, (names, mode) in enumerate(cuts):
            with one.ablated(names, mode=mode) as ablated:
                own = {x.prompt.id: x for x in (*ablated.responses("en"), *ablated.responses("it"))}
            for place, prompt in enumerate(asked):
                assert found[at * len(asked) + place] == own[prompt.id]


def test_under_is_asked_once(name: str) -> None:
    """What was asked before, in any order or twice at once, is not asked again; fewer are another batch."""
    exchange = Recorder()
    probe = Probe(name, Settings(**SMALL), exchange=exchange)
    asked, ablation = prompts("en", budget=4), Ablation(zero=(Component(1, 0),))
    first = probe.under([(one, ablation) for one in asked] * 2)
    assert first[:4] == first[4:]
    # The proof of the components, and 4 prompts, at most 3 at once.
    assert len(exchange.asked) == 1 + 2
    assert probe.under([(one, ablation) for one in asked[::-1]]) == first[3::-1]
    assert len(exchange.asked) == 3
    assert probe.under([(asked[2], ablation), (asked[0], ablation)]) == (first[2], first[0])
    assert len(exchange.asked) == 4
    assert probe.under([]) == ()


def test_under_what_comes_to_the_same(name: str) -> None:
    """Ablations that come to the same beside what the probe ablates are one question."""
    probe = load(name, **SMALL | {"batch_size": 1})
    prompt, head = prompts("en", budget=1)[0], Component(1, 0)
    with probe.ablated("L1H0,L2") as ablated:
        one, other = ablated.under([(prompt, Ablation()), (prompt, Ablation(zero=(head,)))])
        assert one == other
        assert one == next(x for x in ablated.responses("en") if x.prompt == prompt)


def test_under_components_that_are_not_there(probe: Probe) -> None:
    """A component that the model does not have is refused, and not an ablation of nothing."""
    prompt = prompts("en", budget=1)[0]
    for one in (Component(3, 0), Component(0, 4), Component(3)):
        with pytest.raises(SettingsError, match=f"component '{one}' is not in .*3 layers of 4 heads"):
            probe.under([(prompt, Ablation(zero=(one,)))])
