"""A checkpoint's attributions: captured while it answers, asked once, their failures their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from lengthprobe import load
from lengthprobe.asking.answers import Answers, Proof
from lengthprobe.attribution.capture import Capture
from lengthprobe.attribution.trace import Contributions
from lengthprobe.components.architectures import ARCHITECTURES
from lengthprobe.errors import LanguageError, ModelError
from lengthprobe.generation.batches import batches
from lengthprobe.measures import cwa, exact_match
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts
from tests.test_probe import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 8, "cap": 12, "batch_size": 3}


@pytest.fixture
def name(checkpoints: Callable[..., Path]) -> str:
    """The random Llama's directory."""
    return str(checkpoints("llama"))


@pytest.fixture
def recorded(name: str) -> tuple[Probe, Recorder]:
    """A probe, and what it asks."""
    exchange = Recorder()
    return Probe(name, Settings(**SMALL), exchange=exchange), exchange


def _assert_same(one: Contributions | None, other: Contributions | None) -> None:
    assert one is not None
    assert other is not None
    for name in Contributions.names():
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_one_of_each_response(name: str) -> None:
    """Each response has its attribution, in the order of the prompts, as its text has its tokens."""
    probe = load(name, **SMALL)
    traced = probe.traces("it")
    assert tuple(one.response for one in traced) == probe.responses("it")
    for one in traced:
        assert one.trace is not None
        assert one.adherence is not None
        steps = len(one.response.token_ids) + (one.response.finish_reason == "stop")
        assert one.trace.token.heads.shape == one.trace.stop.heads.shape == (steps, 3, 4)
        assert len(one.adherence.counts) == steps


def test_asked_once(recorded: tuple[Probe, Recorder]) -> None:
    """Prepared with attributions, neither they nor the responses are asked for again."""
    probe, exchange = recorded
    probe.prepare(traces=True)
    # The proof of the components, and two languages of 8 prompts, at most 3 at once.
    assert len(exchange.asked) == len(set(exchange.asked)) == 1 + 2 * 3
    traces, responses = probe.traces("en"), probe.responses("en")
    probe.prepare(traces=True)
    probe.prepare()
    for one, first in zip(probe.traces("en"), traces, strict=True):
        assert (one.response, one.trace, one.adherence) == (first.response, first.trace, first.adherence)
    assert probe.responses("en") == responses
    assert len(exchange.asked) == 7


def test_asked_for_after_the_responses(recorded: tuple[Probe, Recorder]) -> None:
    """Wanted later, the responses are written again, and come out the same."""
    probe, exchange = recorded
    before = probe.responses("en")
    assert len(exchange.asked) == 3
    assert tuple(one.response for one in probe.traces("en")) == before == probe.responses("en")
    assert len(exchange.asked) == 3 + 1 + 3


def test_of_another_process(name: str, recorded: tuple[Probe, Recorder]) -> None:
    """What another process measured is read: the numbers are the same bits, and nothing is run."""
    probe, exchange = recorded
    probe.prepare(["en"], traces=True)
    other = Recorder(exchange.had)
    reader = Probe(name, Settings(**SMALL), exchange=other)
    for one, wanted in zip(reader.traces("en"), probe.traces("en"), strict=True):
        assert (one.response, one.adherence) == (wanted.response, wanted.adherence)
        for target in ("token", "stop"):
            _assert_same(getattr(one.trace, target), getattr(wanted.trace, target))
    assert other.made == []


def test_components(name: str) -> None:
    """What is known of the components, found out once."""
    probe = load(name, **SMALL)
    found = probe.proof
    assert (found.architecture, found.n_layers, found.n_heads, found.problem) == ("llama", 3, 4, None)
    assert 0 < found.gap < 1e-5
    assert probe.proof is found


def test_the_gap_is_the_largest_of_the_run(name: str, recorded: tuple[Probe, Recorder]) -> None:
    """What is told of the components is how far they miss in any step of the run, not only in the proof."""
    probe, exchange = recorded
    assert probe.proof.gap > 0
    exact = Recorder(dict.fromkeys(exchange.asked, Proof("llama", 3, 4, gap=0.0).to_bytes()))
    probe = Probe(name, Settings(**SMALL), exchange=exact)
    assert probe.proof.gap == 0
    probe.prepare(traces=True)
    asked = batches([*prompts("en", budget=8), *prompts("it", budget=8)], 3)
    made = [exact.had[key] for key in exact.asked[1:]]
    assert probe.proof.gap == max(Answers.from_bytes(*each).gap for each in zip(made, asked, strict=True)) > 0


def test_unknown_language(name: str) -> None:
    """A language that nobody has written is refused, and others can still be asked."""
    probe = load(name, **SMALL)
    with pytest.raises(LanguageError):
        probe.traces("xx")
    assert probe.traces("en")


def test_unknown_language_of_the_settings(name: str) -> None:
    """The components are proved in the first language; without it, others can still be asked."""
    probe = load(name, languages=("xx",), **SMALL)
    with pytest.raises(LanguageError):
        probe.traces("en")
    assert probe.responses("en")


@pytest.fixture
def odd_architecture(tmp_path: Path, tiny_it: Probe) -> str:
    """A random model of an architecture that has no entry, with the fixture model's tokenizer."""
    import torch
    from transformers import BloomConfig, BloomForCausalLM, GenerationConfig

    tokenizer = tiny_it.checkpoint.tokenizer
    torch.manual_seed(0)
    model = BloomForCausalLM(BloomConfig(vocab_size=len(tokenizer), hidden_size=32, n_layer=2, n_head=4))
    model.generation_config = GenerationConfig(eos_token_id=[1, 2], pad_token_id=5)  # type: ignore[no-untyped-call]
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return str(tmp_path)


def test_architecture_that_is_not_known(odd_architecture: str, tiny_it: Probe) -> None:
    """Its behaviour is measured like any other's; its components are refused, and what is known is named."""
    probe = load(odd_architecture, **SMALL | {"cap": 72})
    probe.prepare(["en"], traces=True)
    assert len(probe.responses("en")) == 8
    assert exact_match(probe, language="en").n == 8
    for ask in (
        lambda: probe.traces("en"),
        lambda: cwa(probe, component="late heads", language="en"),
        lambda: cwa(probe, component="late heads", language="en", text_of=tiny_it),
    ):
        with pytest.raises(ModelError, match="is of architecture 'bloom'") as told:
            ask()
        assert all(architecture in told.value.fix for architecture in ARCHITECTURES)
    assert len(probe.responses("it")) == 8


@pytest.fixture
def hooked(name: str) -> Iterator[Callable[..., Probe]]:
    """Return a function that makes a probe with a module hooked."""
    handles = []

    def probe(module: str, function: Callable[..., Any]) -> Probe:
        made = load(name, **SMALL)
        handles.append(made.checkpoint.model.get_submodule(module).register_forward_hook(function))
        return made

    yield probe
    for handle in handles:
        handle.remove()


def test_components_that_do_not_add_up(hooked: Callable[..., Probe]) -> None:
    """A stream to which a layer adds something else is an error of the attributions, and of nothing more."""
    probe = hooked("model.layers.1", lambda _module, _inputs, output: output + 1.0)
    assert probe.proof.problem is not None
    with pytest.raises(ModelError, match="the components of architecture llama do not add up to its logits"):
        probe.traces("en")
    assert len(probe.responses("en")) == 8


def test_components_that_add_up_at_first(hooked: Callable[..., Probe]) -> None:
    """A failure that the proof did not see is told by the attributions that have it; the responses stand."""
    proved: list[bool] = []
    probe = hooked("model.layers.1", lambda _module, _inputs, output: output + 1.0 if proved else output)
    assert probe.proof.problem is None
    expected = probe.traces("it")
    proved.append(True)
    probe.prepare(["en"], traces=True)
    for _ in range(2):
        with pytest.raises(ModelError, match="do not add up"):
            probe.traces("en")
    assert len(probe.responses("en")) == 8
    for one, first in zip(probe.traces("it"), expected, strict=True):
        assert (one.response, one.trace, one.adherence) == (first.response, first.trace, first.adherence)


def test_memory_is_out_for_attributions_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured of behaviour is measured; attributions are an error that says why."""

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    probe = load(name, **SMALL | {"cap": 72})
    assert probe.proof.problem is None
    monkeypatch.setattr(Capture, "step", full)
    probe.prepare(["en"], traces=True)
    assert exact_match(probe, language="en").n == 8
    for _ in range(2):
        with pytest.raises(ModelError, match=r"out of memory on cpu .*, while its components are watched"):
            cwa(probe.in_role("base"), component="late heads", language="en")


def test_nan_in_one_layer(name: str) -> None:
    """A checkpoint that gives NaN is tried once: an error for all, which names the first component."""
    probe = load(name, **SMALL)
    weight = probe.checkpoint.model.model.layers[1].mlp.down_proj.weight.data
    weight[3, 5] = float("nan")
    for ask in (probe.traces, probe.responses):
        with pytest.raises(ModelError, match=r"NaN or infinite.* first in model\.layers\.1\.mlp\.down_proj"):
            ask("en")
        weight[3, 5] = 0.0


def test_context_too_short(name: str) -> None:
    """A cap that the context has no room for is an error that says which one has."""
    probe = load(name, **SMALL | {"cap": 500})
    with pytest.raises(ModelError, match="reads at most 512 tokens") as told:
        probe.traces("en")
    assert "--lengthprobe-cap=" in told.value.fix
