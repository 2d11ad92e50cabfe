"""Direct logit attribution by TransformerLens, from nothing but its caches and its names for the weights."""

from __future__ import annotations

import copy
from typing import Any

import torch
from transformer_lens.model_bridge.sources import build_bridge_from_module

from tests.attribution.architectures import HEADS, LAYERS
from tests.attribution.brute_force import Expected


def bridge_of(model: Any) -> Any:
    """A TransformerBridge around a copy of a model: it replaces modules of what it is given.

    Without its compatibility mode no weight is folded or centred.
    """
    own = copy.deepcopy(model)
    return build_bridge_from_module(own, type(model).__name__, hf_config=copy.deepcopy(model.config))


@torch.no_grad()
def by_transformer_lens(model: Any, tokens: torch.Tensor, start: int) -> Expected:
    """The attribution of the tokens from column `start` on, of rows without padding [n, S]."""
    bridge = bridge_of(model)
    _, cache = bridge.run_with_cache(tokens)
    # Before a soft cap.
    logits = cache["unembed.hook_out"]
    steps, targets = slice(start - 1, -1), tokens[:, start:]
    final = bridge.ln_final
    gain = final.weight + 1.0 if _adds_one(bridge) else final.weight
    # Centred, as `center_unembed` would do; a column a token.
    unembedding = bridge.W_U - bridge.W_U.mean(-1, keepdim=True)
    directions = unembedding.T[targets]  # [n, T, d]

    def effects(stack: torch.Tensor) -> torch.Tensor:
        """[k, n, S, d] to [n, T, k], by the final norm's cached scale."""
        scaled = cache.apply_ln_to_stack(stack, layer=-1)[:, :, steps]
        return ((scaled * gain) * directions).sum(-1).movedim(0, -1)

    heads = cache.stack_head_results().unflatten(0, (LAYERS, HEADS))
    mlps = cache.decompose_resid(mode="mlp", incl_embeds=False)
    embedding = cache.decompose_resid(layer=0)
    biases = torch.stack(
        [bridge.accumulated_bias(at + 1, include_mlp_biases=False).expand_as(mlps[0]) for at in range(LAYERS)]
    ).diff(dim=0, prepend=torch.zeros_like(mlps[:1]))
    if hasattr(bridge.blocks[0], "ln1_post"):
        after = _after(bridge, cache)  # [L, n, S, d]
        heads, biases = heads * after[:, None], biases * after
    shift = final.bias if getattr(final, "bias", None) is not None else torch.zeros_like(gain)
    b_u = bridge.b_U
    return Expected(
        heads=effects(heads.flatten(0, 1)).unflatten(-1, (LAYERS, HEADS)),
        mlps=effects(mlps),
        embedding=effects(embedding).sum(-1),
        biases=effects(biases).sum(-1) + directions @ shift + b_u[targets] - b_u.mean(),
        logits=(logits - logits.mean(-1, keepdim=True))[:, steps].gather(-1, targets[..., None])[..., 0],
        mask=torch.ones_like(targets, dtype=torch.bool),
    )


def _adds_one(bridge: Any) -> bool:
    return bool(getattr(bridge.cfg, "rmsnorm_uses_offset", False))


def _after(bridge: Any, cache: Any) -> torch.Tensor:
    """What the norm after the attention multiplies each dimension with, its cached scale and its gain."""
    return torch.stack(
        [
            (block.ln1_post.weight + float(_adds_one(bridge))) / cache[f"blocks.{at}.ln1_post.hook_scale"]
            for at, block in enumerate(bridge.blocks)
        ]
    )
