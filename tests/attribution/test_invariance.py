"""What an attribution does not depend on: a shift of all logits, padding, the batch, a cache."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lengthprobe.attribution import Attribution, direct_logit_attribution
from lengthprobe.checkpoints.forward import cache_keyword
from tests.attribution.agreement import ARRAYS, distance
from tests.attribution.architectures import VARIANTS, VOCABULARY, WIDTH, WINDOW, random_model, random_rows

ENDS = (1, 2, 50)
TARGETS = ["token", "stop_margin"]
UNTIED = [variant for variant in VARIANTS if variant not in ("llama-tied", "gemma2-biases", "gpt2")]
LOCAL = ["mistral", "gemma2", "gemma2-biases", "gemma3_text"]


def _attribution(model: Any, *rows: Any, target: str = "token", past: Any = None) -> Attribution:
    return direct_logit_attribution(model, *rows, target=target, end_token_ids=ENDS, past_key_values=past)


def _rows_of(attribution: Attribution, rows: Any, steps: slice = slice(None)) -> Attribution:
    arrays = {name: getattr(attribution, name)[rows, steps] for name in (*ARRAYS, "mask", "rounding")}
    return Attribution(**arrays)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("variant", UNTIED)
def test_shifted_unembedding(variant: str, target: str) -> None:
    """One vector added to every row of the unembedding changes no probability, and no attribution."""
    model = random_model(variant, dtype=torch.float64)
    expected = _attribution(model, *random_rows(), target=target)
    shift = 3.0 * torch.randn(WIDTH, generator=torch.Generator().manual_seed(7))
    model.get_output_embeddings().weight.add_(shift)
    assert distance(_attribution(model, *random_rows(), target=target), expected) < 1e-10


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_padding(variant: str, target: str) -> None:
    """More padding on the left and the right, and whatever tokens stand there, change nothing."""
    model = random_model(variant, dtype=torch.float64)
    ids, mask, start = random_rows()
    expected = _attribution(model, ids, mask, start, target=target)
    ids = torch.where(mask.bool(), ids, (ids + 11) % VOCABULARY)
    wide = torch.nn.functional.pad(ids, (3, 2), value=5)
    seen = torch.nn.functional.pad(mask, (3, 2))
    actual = _attribution(model, wide, seen, start + 3, target=target)
    assert not actual.mask[:, 5:].any()
    assert distance(_rows_of(actual, slice(None), slice(5)), expected) < 1e-10


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_batches(variant: str, target: str) -> None:
    """A row gets the same numbers alone, in pairs, in another order, and beside copies of itself."""
    model = random_model(variant, dtype=torch.float64)
    ids, mask, start = random_rows()
    whole = _attribution(model, ids, mask, start, target=target)
    for rows in ([0], [1], [2], [3], [0, 2], [3, 2, 1, 0], [1, 1, 0]):
        actual = _attribution(model, ids[rows], mask[rows], start, target=target)
        assert distance(actual, _rows_of(whole, rows)) < 1e-10


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_masks_of_any_type(variant: str, target: str) -> None:
    """A mask of bool or of float is the mask of integers."""
    model = random_model(variant)
    ids, mask, start = random_rows()
    expected = _attribution(model, ids, mask, start, target=target)
    for other in (mask.bool(), mask.float()):
        assert distance(_attribution(model, ids, other, start, target=target), expected) < 1e-5


def _cache(model: Any, ids: torch.Tensor, mask: torch.Tensor, columns: int) -> Any:
    places = (mask.cumsum(-1) - 1).clamp(min=0)[:, :columns]
    with torch.no_grad():
        output = model(
            ids[:, :columns], attention_mask=mask[:, :columns], position_ids=places, use_cache=True
        )
    return output[cache_keyword(model)]


def _contents(cache: Any) -> list[torch.Tensor]:
    return [tensor.clone() for layer in cache.layers for tensor in (layer.keys, layer.values)]


@pytest.mark.parametrize("less", [0, 1], ids=["whole", "without the last"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_cache_of_the_prompts(variant: str, target: str, less: int) -> None:
    """The cache of the prompts, of all columns or all but the last, gives the same, and stays as it was."""
    model = random_model(variant, dtype=torch.float64)
    ids, mask, start = random_rows()
    expected = _attribution(model, ids, mask, start, target=target)
    cache = _cache(model, ids, mask, start - less)
    before, length = _contents(cache), cache.get_seq_length()
    if less == 0 and variant in LOCAL:
        # A local layer has let go of what a shorter prompt would see.
        assert start > WINDOW
        with pytest.raises(ValueError, match="cannot be shortened") as raised:
            _attribution(model, ids, mask, start, target=target, past=cache)
        assert f"first {start - 1} columns" in str(raised.value)
        return
    # Eager attention takes its softmax in float32, over as many columns as there are.
    eager = model.config._attn_implementation == "eager"
    for _ in range(2):
        actual = _attribution(model, ids, mask, start, target=target, past=cache)
        assert distance(actual, expected) < (1e-5 if eager else 1e-10)
    assert cache.get_seq_length() == length
    assert all(map(torch.equal, _contents(cache), before))


def test_cache_of_another_length() -> None:
    """A cache of other columns than the prompts' is refused with both figures."""
    model = random_model("llama")
    ids, mask, start = random_rows()
    with pytest.raises(ValueError, match="holds 5 columns, and the response starts at column 7"):
        _attribution(model, ids, mask, start, past=_cache(model, ids, mask, 5))


def test_static_cache() -> None:
    """A cache that is written in place is refused by name."""
    from transformers import StaticCache

    model = random_model("llama")
    cache = StaticCache(config=model.config, max_cache_len=16)
    with pytest.raises(ValueError, match="past_key_values is a StaticCache"):
        _attribution(model, *random_rows(), past=cache)
