"""Ablation leaves a model as it found it, however it ends, and other threads alone while it lasts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch

from lengthprobe.attribution.capture import Capture
from lengthprobe.attribution.readout import readout_of
from lengthprobe.checkpoints.chat.thinking import Room
from lengthprobe.components.ablation import Surgery
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.names import Ablation, every_component
from lengthprobe.errors import ModelError
from tests.attribution.architectures import HEADS, LAYERS, VARIANTS, random_model
from tests.components.ablated import (
    CAP,
    checkpoint_of,
    generate,
    generated,
    named,
    random_means,
    random_prompts,
)

PROMPTS, DONORS = random_prompts(5, 7), random_prompts(7, 6)
MODES = ("zero", "mean", "resample")
# A pass of two rows, without padding.
IDS = torch.tensor(random_prompts(6, 6))


def _surgery(model: Any, mode: str = "zero") -> Surgery:
    """Everything is ablated, in each of two rows."""
    ablation = Ablation(**{mode: every_component(LAYERS, HEADS)})
    donors = tuple(map(tuple, DONORS)) if mode == "resample" else ()
    return Surgery(anatomy_of(model), (ablation,) * 2, random_means(model), donors)


def _state(model: Any) -> Any:
    """Hooks, attributes and weights, by module."""
    modules = {
        name: (
            sorted(vars(module)),
            [len(v) for k, v in sorted(vars(module).items()) if k.endswith("_hooks")],
        )
        for name, module in model.named_modules()
    }
    return modules, {name: (one.data_ptr(), one._version) for name, one in model.state_dict().items()}


def _plain(model: Any) -> list[list[int]]:
    return generate(checkpoint_of(model), PROMPTS, Room(CAP), None, None)[0]


@torch.no_grad()
def _logits(model: Any) -> torch.Tensor:
    logits: torch.Tensor = model(IDS).logits
    return logits


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_is_left(variant: str, mode: str) -> None:
    """After an ablated batch no hook, weight or attribute differs, and outputs are the same bit by bit."""
    model = random_model(variant)
    before, logits, written = _state(model), _logits(model), _plain(model)
    surgery = _surgery(model, mode)
    ablated, _ = generate(checkpoint_of(model), PROMPTS, Room(CAP), None, surgery)
    assert ablated != written
    assert _state(model) == before
    assert torch.equal(_logits(model), logits)
    assert _plain(model) == written


@pytest.mark.parametrize("error", [RuntimeError("the device is gone"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("at_pass", [0, 2])
@pytest.mark.parametrize("mode", MODES)
def test_after_an_error(mode: str, at_pass: int, error: BaseException) -> None:
    """An error or Ctrl-C within a forward pass, of the prompt or of a token, leaves nothing behind."""
    model = random_model("llama")
    before, logits = _state(model), _logits(model)
    passes = iter(range(100))

    def fail(*_: object) -> None:
        if next(passes) == at_pass:
            raise error

    handle = model.model.layers[1].mlp.register_forward_hook(fail)
    capture = Capture("random", readout_of(anatomy_of(model)), (1,))
    with pytest.raises(type(error)):
        generate(checkpoint_of(model), PROMPTS, Room(CAP), capture, _surgery(model, mode))
    handle.remove()
    assert _state(model) == before
    assert torch.equal(_logits(model), logits)


def test_an_ablation_that_cannot_begin() -> None:
    """Where a hook cannot be set, those set before are taken away."""
    model = random_model("llama")
    before = _state(model)

    def refuse(_hook: object) -> None:
        raise KeyboardInterrupt

    mlp = model.model.layers[2].mlp
    mlp.register_forward_hook = refuse
    with pytest.raises(KeyboardInterrupt), _surgery(model).applied():
        pass
    del mlp.register_forward_hook
    assert _state(model) == before


@pytest.mark.parametrize("mode", MODES)
def test_logits_that_are_not_finite(mode: str) -> None:
    """NaN under ablation is an error that says so, and names a component where the whole model has it."""
    model = random_model("llama")
    surgery = _surgery(model, mode)
    model.model.norm.weight[3] = float("nan")
    with pytest.raises(ModelError, match=r"while components of it are ablated: first in model\.norm"):
        generate(checkpoint_of(model), PROMPTS, Room(CAP), None, surgery)


def test_logits_that_the_ablation_makes_infinite() -> None:
    """Where the whole model is sound no component of it is blamed."""
    model = random_model("llama")
    surgery = _surgery(model, "mean")
    assert surgery.means is not None
    surgery.means.mlps[1][0] = float("inf")
    with pytest.raises(
        ModelError, match=r"NaN or infinite in float32, .*, while components of it are ablated\n"
    ):
        generate(checkpoint_of(model), PROMPTS, Room(CAP), None, surgery)


def _in_a_thread(work: Callable[[], Any]) -> Any:
    """What some work gives in a thread of its own."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("mode", MODES)
def test_another_thread_sees_the_whole_model(mode: str) -> None:
    """In the midst of an ablated pass another thread's passes and responses are those of the whole model."""
    model = random_model("llama-biases")
    logits, written = _logits(model), _plain(model)
    expected = generate(checkpoint_of(model), PROMPTS, Room(CAP), None, _surgery(model, mode))[0]
    owner, found = threading.get_ident(), []

    def meanwhile(*_: object) -> None:
        if threading.get_ident() == owner and not found:
            found.append(_in_a_thread(lambda: (_logits(model), _plain(model))))

    handle = model.model.layers[1].register_forward_hook(meanwhile)
    ablated = generate(checkpoint_of(model), PROMPTS, Room(CAP), None, _surgery(model, mode))[0]
    handle.remove()
    ((of_other, written_by_other),) = found
    assert torch.equal(of_other, logits)
    assert written_by_other == written
    assert ablated == expected != written


def test_two_threads_ablate_at_once() -> None:
    """Two threads ablate one model, each its own components, while both are in the midst of a pass."""
    model = random_model("llama-biases")
    cuts = [Ablation(zero=named("L0")), Ablation(zero=named("L2"))]
    expected = [generated(model, PROMPTS, [cut] * 2)[0] for cut in cuts]
    both = threading.Barrier(2, timeout=60)
    first = threading.local()

    def meet(*_: object) -> None:
        if not hasattr(first, "done"):
            first.done = True
            both.wait()

    handle = model.model.layers[1].register_forward_hook(meet)
    found: dict[int, Any] = {}
    threads = [
        threading.Thread(
            target=lambda at=at: found.update({at: generated(model, PROMPTS, [cuts[at]] * 2)[0]})
        )
        for at in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handle.remove()
    assert [found[at] for at in range(2)] == expected
