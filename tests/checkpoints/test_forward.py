"""The forward pass: a cache reaches a model under the name that the model's own forward gives it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lengthprobe.checkpoints.forward import cache_keyword, run_decoder
from tests.attribution.architectures import random_model, random_rows


def _renamed(decoder: Any, keyword: str) -> None:
    """Let a decoder's forward take its cache by one keyword alone, as older or newer releases do."""
    own, name = decoder.forward, cache_keyword(decoder)

    def older(input_ids: Any, past_key_values: Any = None, **rest: Any) -> Any:
        return own(input_ids=input_ids, **{name: past_key_values}, **rest)

    def newer(input_ids: Any, cache: Any = None, **rest: Any) -> Any:
        return own(input_ids=input_ids, **{name: cache}, **rest)

    decoder.forward = {"past_key_values": older, "cache": newer}[keyword]


@pytest.mark.parametrize("keyword", ["past_key_values", "cache"])
def test_cache_under_either_name(keyword: str) -> None:
    """A cache is filled and read under the name in the forward's signature, and nothing is warned of."""
    from transformers import DynamicCache

    model = random_model("llama", dtype=torch.float64)
    decoder = model.get_decoder()
    ids, mask, start = random_rows()
    streams: list[torch.Tensor] = []
    _renamed(decoder, keyword)
    decoder.register_forward_hook(lambda *given: streams.append(given[-1].last_hidden_state))
    cache = DynamicCache(config=model.config)
    with torch.no_grad():
        run_decoder(model, ids, mask)
        run_decoder(model, ids[:, :start], mask[:, :start], past_key_values=cache)
        assert cache.get_seq_length() == start
        run_decoder(model, ids, mask, first=start, past_key_values=cache)
    whole, _, rest = streams
    seen = mask[:, start:].bool()
    torch.testing.assert_close(rest[seen], whole[:, start:][seen], rtol=0, atol=1e-10)


def test_output_holds_the_cache_under_the_keyword() -> None:
    """A model's output gives its cache back under the keyword by which its forward takes a cache."""
    model = random_model("llama")
    ids, mask, _ = random_rows()
    with torch.no_grad():
        output = model(ids, attention_mask=mask, use_cache=True)
    assert output[cache_keyword(model)].get_seq_length() == ids.shape[1]
