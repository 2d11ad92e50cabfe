"""Attribution leaves a model as it found it, after an error too."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from lengthprobe.attribution import direct_logit_attribution
from lengthprobe.attribution.capture import Capture
from lengthprobe.attribution.readout import readout_of
from lengthprobe.components.anatomy import anatomy_of
from tests.attribution.agreement import distance
from tests.attribution.architectures import VARIANTS, random_model, random_rows

TARGETS = ["token", "stop_margin"]


def _state(model: Any) -> Any:
    """All that attribution could leave behind: attributes, hooks, weights, flags, configs."""
    modules = {
        name: (type(module), module.training, sorted(vars(module)), _hooks(module))
        for name, module in model.named_modules()
    }
    tensors = {
        name: (tensor.data_ptr(), tensor.dtype, tensor.requires_grad, tensor._version)
        for name, tensor in model.state_dict(keep_vars=True).items()
    }
    return modules, tensors, model.config.to_dict(), model.generation_config.to_dict()


def _hooks(module: Any) -> list[int]:
    return [len(value) for name, value in sorted(vars(module).items()) if name.endswith("_hooks")]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_changes(variant: str, target: str) -> None:
    """No weight, hook, attribute, flag or config of the model differs afterwards, and no input either."""
    model = random_model(variant)
    rows = random_rows()
    given = copy.deepcopy(rows)
    before, weights = _state(model), copy.deepcopy(model.state_dict())
    direct_logit_attribution(model, *rows, target=target, end_token_ids=(1, 2))
    assert _state(model) == before
    assert all(torch.equal(model.state_dict()[name], weights[name]) for name in weights)
    assert torch.equal(rows[0], given[0])
    assert torch.equal(rows[1], given[1])


@pytest.mark.parametrize("where", ["self_attn.o_proj", "mlp"])
@pytest.mark.parametrize("target", TARGETS)
def test_after_an_error(target: str, where: str) -> None:
    """An error in the middle of the pass leaves no hook behind, and the next call is right."""
    model = random_model("llama")
    expected = direct_logit_attribution(model, *random_rows(), target=target, end_token_ids=(1, 2))
    before = _state(model)
    broken = model.model.layers[1].get_submodule(where)

    def fail(*_: object) -> None:
        raise RuntimeError("the device is gone")

    handle = broken.register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="the device is gone"):
        direct_logit_attribution(model, *random_rows(), target=target, end_token_ids=(1, 2))
    handle.remove()
    assert _state(model) == before
    actual = direct_logit_attribution(model, *random_rows(), target=target, end_token_ids=(1, 2))
    assert distance(actual, expected) == 0


def test_after_an_interrupt_while_generating() -> None:
    """Ctrl-C while a response is written leaves no hook behind."""
    model = random_model("gemma2")
    before = _state(model)
    watcher = Capture("random", readout_of(anatomy_of(model)), (1, 2))
    ids, mask, _ = random_rows()

    def write() -> None:
        with watcher.watching(len(ids)):
            model(ids, attention_mask=mask)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert _state(model) == before


def test_makes_no_graph() -> None:
    """No gradient is recorded, whether or not the weights ask for one."""
    model = random_model("llama").requires_grad_()
    attribution = direct_logit_attribution(model, *random_rows())
    assert not attribution.heads.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_results_can_be_used_in_training() -> None:
    """The numbers are ordinary tensors: a loss may use them as constants."""
    attribution = direct_logit_attribution(random_model("llama"), *random_rows())
    weight = torch.ones((), requires_grad=True)
    (weight * attribution.heads).sum().backward()
    assert weight.grad is not None


def test_works_while_inference_is_on() -> None:
    """It may be called within inference mode."""
    model = random_model("llama")
    expected = direct_logit_attribution(model, *random_rows())
    with torch.inference_mode():
        actual = direct_logit_attribution(model, *random_rows())
    assert distance(actual, expected) == 0


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_attention_implementations_agree(implementation: str) -> None:
    """Either attention implementation gives the same numbers."""
    model = random_model("qwen3")
    expected = direct_logit_attribution(model, *random_rows())
    model.set_attn_implementation(implementation)
    assert distance(direct_logit_attribution(model, *random_rows()), expected) < 1e-4
