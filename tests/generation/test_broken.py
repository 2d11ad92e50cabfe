"""The component of a model that is the first to give NaN is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from lengthprobe.asking.answering import answer
from lengthprobe.attribution.readout import readout_of
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.errors import ModelError
from lengthprobe.generation.broken import first_broken_component
from lengthprobe.generation.transformers_engine import check_logits
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts
from tests.attribution.architectures import VARIANTS, random_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lengthprobe.checkpoints.loading import Checkpoint

CPU = Settings(device_map="cpu", cap=6)
ROWS = [[5, 6, 7], [8, 9, 10, 11]]


def _spoil(module: torch.nn.Module, value: float) -> Any:
    """Make the last position's output NaN or infinite from now on."""

    def spoil(_module: object, _args: object, output: Any) -> None:
        output[..., -1, :] = value

    return module.register_forward_hook(spoil)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "part",
    ["model.embed_tokens", "model.layers.1.mlp.down_proj", "model.layers.2.self_attn.o_proj", "lm_head"],
)
def test_first_broken_component(part: str, value: float) -> None:
    """It is the innermost module whose output is not finite, and later ones are not blamed for it."""
    model = random_model("llama")
    _spoil(model.get_submodule(part), value)
    assert first_broken_component(model, ROWS) == part


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_is_broken(variant: str) -> None:
    """A healthy model of any architecture has no such component, and no hook afterwards."""
    model = random_model(variant)
    assert first_broken_component(model, ROWS) is None
    assert not any(module._forward_hooks for module in model.modules())


def test_a_later_row() -> None:
    """A component that breaks on some rows only is found."""
    model = random_model("llama")
    model.model.embed_tokens.weight[11] = float("nan")
    assert first_broken_component(model, ROWS) == "model.embed_tokens"
    assert first_broken_component(model, ROWS[:1]) is None


def test_named_when_the_model_is_tried(own: Checkpoint) -> None:
    """The check before a run says where NaN comes from."""
    _spoil(own.model.model.layers[1].mlp, float("nan"))
    with pytest.raises(ModelError, match=r"logits that are NaN .*: first in model\.layers\.1\.mlp"):
        check_logits(own, prompts("en", budget=1)[0], CPU)


@pytest.mark.parametrize("attributed", [False, True])
def test_named_while_generating(own: Checkpoint, attributed: bool) -> None:
    """A response during which a layer overflows says so, whether or not attribution is wanted."""
    _spoil(own.model.model.layers[0].self_attn.o_proj, float("inf"))
    asked = prompts("en", budget=3)
    readout = readout_of(anatomy_of(own.model)) if attributed else None
    with pytest.raises(ModelError, match=r"first in model\.layers\.0\.self_attn\.o_proj"):
        answer(own, asked, CPU, readout)


@pytest.mark.parametrize(
    ("dtype", "fix"),
    [
        ("float32", "no wider format is to be had"),
        ("bfloat16", "run it in a wider format: --lengthprobe-dtype=float32"),
        ("float16", "float16 is too narrow for it: --lengthprobe-dtype=bfloat16"),
    ],
)
def test_format_to_try(checkpoints: Callable[..., Path], dtype: str, fix: str) -> None:
    """A format is advised that the model does not run in already."""
    settings = Settings(device_map="cpu", cap=6, dtype=dtype)
    checkpoint = load_checkpoint(str(checkpoints("llama")), settings)
    _spoil(checkpoint.model.model.layers[1].mlp, float("nan"))
    with pytest.raises(ModelError, match=f"NaN or infinite in {dtype}") as raised:
        check_logits(checkpoint, prompts("en", budget=1)[0], settings)
    assert raised.value.fix.startswith(fix)
    assert f"dtype={dtype}" not in raised.value.fix
