"""How large a model's components' outputs are, and what they are on average: taken once, where it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from lengthprobe import load
from lengthprobe.activations.outputs import outputs_of
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.names import Ablation, Component
from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.languages import NO_TOPIC, load_language
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


def test_outputs(probe: Probe) -> None:
    """Sizes and means are of the whole model, on its responses to discovery topics, within a block too."""
    chosen = [
        one
        for language in ("en", "it")
        for one in probe.responses(language)
        if one.prompt.topic != NO_TOPIC
        and load_language(language).topics[one.prompt.topic].split == "discovery"
    ]
    assert 0 < len(chosen) < 16
    model = probe.checkpoint.model
    expected = outputs_of(probe.checkpoint, anatomy_of(model), chosen, probe.settings, batch_size=3)
    with probe.ablated("L1") as ablated:
        assert ablated.outputs() is probe.outputs()
    assert probe.outputs().heads.tobytes() == expected.heads.tobytes()
    assert torch.equal(torch.stack(probe.outputs().means.mlps), torch.stack(expected.means.mlps))


def test_means_are_made_once(name: str) -> None:
    """The means of a model are made once, in whatever block they are first wanted, and shared."""
    exchange = Recorder()
    probe = Probe(name, Settings(**SMALL), exchange=exchange)
    with probe.ablated("L1H0", mode="mean") as ablated:
        found = ablated.responses("en")
    probe.outputs()
    made = len(exchange.made)
    with probe.ablated("L1H1", mode="mean") as ablated:
        ablated.responses("en")
    assert len(exchange.made) == made + 3, "three batches, and no means"
    other = Recorder(exchange.had)
    with Probe(name, Settings(**SMALL), exchange=other).ablated("L1H0", mode="mean") as ablated:
        assert ablated.responses("en") == found
    assert other.made == []


def test_no_discovery_topic(name: str) -> None:
    """Where no prompt is on a discovery topic there is no mean, which is said with what to type."""
    seed = next(
        seed for seed in range(100) if not any(_is_discovery(language, seed) for language in ("en", "it"))
    )
    probe = load(name, **SMALL | {"budget": 1, "seed": seed})
    with pytest.raises(SettingsError, match="of 1 prompts in en, it none is on one") as told:
        probe.outputs()
    assert told.value.fix == "--lengthprobe-budget=300, or another mode of ablation: zero, resample"
    with probe.ablated("L1", mode="mean") as ablated, pytest.raises(SettingsError, match="none is on one"):
        ablated.responses("en")
    assert len(probe.responses("en")) == 1, "no failure of the checkpoint"


def _is_discovery(language: str, seed: int) -> bool:
    topic = prompts(language, budget=1, seed=seed)[0].topic
    return topic != NO_TOPIC and load_language(language).topics[topic].split == "discovery"


def test_components_that_do_not_add_up(name: str) -> None:
    """Where the components are not known to add up nothing is ablated: who knows what that would do."""
    probe = load(name, **SMALL)
    layer = probe.checkpoint.model.model.layers[1]
    handle = layer.register_forward_hook(lambda _module, _inputs, output: output + 1.0)
    prompt = prompts("en", budget=1)[0]
    for ask in (
        lambda: probe.ablated("L1").__enter__(),
        lambda: probe.under([(prompt, Ablation(zero=(Component(1, 0),)))]),
        probe.outputs,
    ):
        with pytest.raises(ModelError, match="do not add up"):
            ask()
    handle.remove()
    assert len(probe.under([(prompt, Ablation())])) == 1, "nothing is ablated, and nothing need be known"
