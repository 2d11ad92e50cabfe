"""Ablation equals TransformerLens, another's code by another way, on every architecture."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lengthprobe.components.ablation import MeanOutputs, Surgery
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.names import Ablation, Component
from tests.attribution.architectures import HEADS, VARIANTS, random_model, random_rows
from tests.attribution.lens import bridge_of
from tests.components.ablated import distance, named, random_means


def _by_transformer_lens(model: Any, ids: torch.Tensor, ablation: Ablation, means: MeanOutputs) -> Any:
    """The logits with its hooks on z and on what an MLP adds to the stream."""

    def put(one: Component) -> Any:
        def hook(value: torch.Tensor, hook: object) -> torch.Tensor:  # noqa: ARG001  (its hooks are told)
            value = value.clone()
            place = (..., slice(None)) if one.head is None else (..., one.head, slice(None))
            of_mean = (
                means.mlps[one.layer] if one.head is None else means.heads[one.layer].chunk(HEADS)[one.head]
            )
            value[place] = of_mean if one in ablation.mean else 0.0
            return value

        return "hook_mlp_out" if one.head is None else "attn.hook_z", hook

    hooks = [(f"blocks.{one.layer}.{name}", hook) for one in ablation.components for name, hook in [put(one)]]
    return bridge_of(model).run_with_hooks(ids, fwd_hooks=hooks)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("mode", ["zero", "mean"])
def test_equals_transformer_lens(variant: str, mode: str) -> None:
    """The logits are those of its hooks on z (`hook_z`) and on MLPs (`hook_mlp_out`), to float32 rounding."""
    model = random_model(variant)
    means, (ids, _, _) = random_means(model), random_rows()
    ablation = Ablation(**{mode: named("L0H1,L1H0,L1H3,MLP1")})
    with torch.no_grad():
        expected = _by_transformer_lens(model, ids, ablation, means)
        with Surgery(anatomy_of(model), (ablation,) * len(ids), means).applied():
            actual = model(ids).logits
        whole = model(ids).logits
    assert distance(actual, expected) < 1e-4
    assert distance(whole, expected) > 0.1
