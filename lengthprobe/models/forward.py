"""Forward: a pass of a model's decoder over given rows, without the logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def run_decoder(
    model: Any, input_ids: Tensor, attention_mask: Tensor, *, first: int = 0, past_key_values: Any = None
) -> None:
    """Run a model's decoder alone over padded rows, with positions as generate() counts them.

    Args:
        model: A causal model of transformers.
        input_ids: [n, S]
        attention_mask: [n, S]
        first: The first column that is run; those before it are in the cache.
        past_key_values: The cache; None without one.
    """
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else model.base_model
    # Padding on the left has no place.
    places = (attention_mask.long().cumsum(-1) - 1).clamp(min=0)
    more = {} if past_key_values is None else {"past_key_values": past_key_values}
    decoder(
        input_ids=input_ids[:, first:],
        attention_mask=attention_mask,
        position_ids=places[:, first:],
        use_cache=past_key_values is not None,
        **more,
    )
