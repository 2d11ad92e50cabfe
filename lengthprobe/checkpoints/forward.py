"""Forward: a pass of a model's decoder over given rows, without the logits."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def cache_keyword(model: Any) -> str:
    """The keyword by which a model's forward takes a cache, and under which its output holds the cache.

    transformers renamed `past_key_values` to `cache` in 5.24. The signature says which name is right, also
    for a model with a forward of its own.

    Args:
        model: A model of transformers, or its decoder.
    """
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


def decoder_of(model: Any) -> Any:
    """The part of a model between input tokens and logits; for a model with vision, the text model."""
    return model.get_decoder() if hasattr(model, "get_decoder") else model.base_model


def run_decoder(
    model: Any, input_ids: Tensor, attention_mask: Tensor, *, first: int = 0, past_key_values: Any = None
) -> None:
    """Run a model's decoder without the logits over padded rows, with positions as generate() counts them.

    Args:
        model: A causal model of transformers.
        input_ids: [n, S]
        attention_mask: [n, S]
        first: The first column to run; the columns before are in the cache.
        past_key_values: The cache, or None.
    """
    decoder = decoder_of(model)
    # Padding on the left has no place.
    places = (attention_mask.long().cumsum(-1) - 1).clamp(min=0)
    more = {} if past_key_values is None else {cache_keyword(decoder): past_key_values}
    decoder(
        input_ids=input_ids[:, first:],
        attention_mask=attention_mask,
        position_ids=places[:, first:],
        use_cache=past_key_values is not None,
        **more,
    )
