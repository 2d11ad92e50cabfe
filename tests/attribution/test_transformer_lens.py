"""Direct logit attribution equals TransformerLens, another's code by another way, on every architecture."""

from __future__ import annotations

import pytest
import torch

from lengthprobe.attribution import direct_logit_attribution
from tests.attribution.agreement import distance
from tests.attribution.architectures import HEADS, LAYERS, VARIANTS, random_model, random_rows
from tests.attribution.lens import bridge_of, by_transformer_lens

# TransformerLens leaves a norm after the heads out of its head results, cannot centre an unembedding whose
# logits are soft-capped, and does not fold the norms of Phi-3.
FOLDED = [variant for variant in VARIANTS if not variant.startswith(("gemma", "olmo2", "phi3"))]


@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_transformer_lens(variant: str) -> None:
    """Heads, MLPs, embedding, biases and logits are those of its caches, relative 1e-4 in float32."""
    model = random_model(variant)
    ids, mask, start = random_rows()
    actual = direct_logit_attribution(model, ids, torch.ones_like(mask), start)
    assert distance(actual, by_transformer_lens(model, ids, start)) < 1e-4


@pytest.mark.parametrize("variant", FOLDED)
def test_equals_its_logit_attributions(variant: str) -> None:
    """Heads and MLPs are those of its own `logit_attrs`, with norms folded and the unembedding centred."""
    model = random_model(variant)
    ids, mask, start = random_rows()
    actual = direct_logit_attribution(model, ids, torch.ones_like(mask), start)
    bridge = bridge_of(model)
    # Value biases folded into the output's would move part of a head to the biases.
    bridge.enable_compatibility_mode(fold_value_biases=False)
    steps = (start - 1, -1)
    with torch.no_grad():
        _, cache = bridge.run_with_cache(ids)
        heads, mlps = (
            cache.logit_attrs(stack, ids[:, start:], pos_slice=steps).movedim(0, -1)
            for stack in (
                cache.stack_head_results(pos_slice=steps),
                cache.decompose_resid(mode="mlp", incl_embeds=False, pos_slice=steps),
            )
        )
    scale = float(actual.logits.abs().max())
    assert (actual.heads - heads.unflatten(-1, (LAYERS, HEADS))).abs().max() < 1e-4 * scale
    assert (actual.mlps - mlps).abs().max() < 1e-4 * scale
