"""The same heads' attribution by other tools, as somebody who knows them would write it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from nnsight import NNsight
from random_llama import Rows
from transformer_lens.model_bridge.sources import build_bridge_from_module


def bridge_of(model: Any) -> Any:
    """TransformerLens' bridge around a copy of a model, since it replaces modules of what it is given."""
    return build_bridge_from_module(
        copy.deepcopy(model), type(model).__name__, hf_config=copy.deepcopy(model.config)
    )


def transformer_lens_cache(bridge: Any, rows: Rows) -> Callable[[], Any]:
    """`run_with_cache` and nothing more."""

    @torch.inference_mode()
    def run() -> Any:
        return bridge.run_with_cache(rows.ids)[1]

    return run


def transformer_lens(bridge: Any, rows: Rows) -> Callable[[], torch.Tensor]:
    """From its cache: the heads' results at the response's steps, the final norm's scale, the unembedding.

    Returns:
        What gives the heads' attribution, [n, T, L, H].
    """
    steps = (rows.start - 1, -1)
    shape = (bridge.cfg.n_layers, bridge.cfg.n_heads)
    # As `center_unembed` does it; once a model, like lengthprobe's own.
    mean = bridge.W_U.mean(-1)

    @torch.inference_mode()
    def run() -> torch.Tensor:
        _, cache = bridge.run_with_cache(rows.ids)
        heads = cache.stack_head_results(pos_slice=steps)  # [L · H, n, T, d]
        scaled = cache.apply_ln_to_stack(heads, layer=-1, pos_slice=steps)
        directions = (bridge.W_U.T[rows.ids[:, rows.start :]] - mean) * bridge.ln_final.weight
        return (scaled * directions).sum(-1).movedim(0, -1).unflatten(-1, shape)

    return run


def nnsight(model: Any, rows: Rows) -> Callable[[], torch.Tensor]:
    """By a trace that reduces each layer's heads where it meets them, without the other positions' logits.

    Returns:
        What gives the heads' attribution, [n, T, L, H].
    """
    traced = NNsight(model)
    first, last = rows.start - 1, rows.ids.shape[1] - 1
    n_heads = model.config.num_attention_heads
    mean = model.lm_head.weight.float().mean(0)

    @torch.inference_mode()
    def run() -> torch.Tensor:
        tokens = rows.ids[:, rows.start :]
        directions = (model.lm_head.weight[tokens].float() - mean) * model.model.norm.weight.float()
        with traced.trace(input_ids=rows.ids, attention_mask=rows.mask, use_cache=False, logits_to_keep=1):
            found = []
            for layer in traced.model.layers:
                outputs = layer.self_attn.o_proj.input[:, first:last].float()
                weights = layer.self_attn.o_proj.weight.float()
                terms = outputs * (directions @ weights)
                found.append(terms.unflatten(-1, (n_heads, -1)).sum(-1))
            stream = traced.model.norm.input[:, first:last].float()
            scale = (stream.pow(2).mean(-1) + traced.model.norm.variance_epsilon).rsqrt()
            heads = (torch.stack(found, 2) * scale[..., None, None]).save()
        # Saved, it outlives the trace; what is returned inside does not.
        return heads  # noqa: RET504

    return run
