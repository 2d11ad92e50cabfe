"""Direct logit attribution of given texts equals the formula, on every architecture."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lengthprobe.attribution import Attribution, direct_logit_attribution
from tests.attribution.agreement import COMPONENTS, distance
from tests.attribution.architectures import HEADS, LAYERS, VARIANTS, random_model, random_rows
from tests.attribution.brute_force import brute_force

ENDS = (1, 2, 50)
TARGETS = ["token", "stop_margin"]


def _attribution(model: Any, *rows: Any, target: str = "token") -> Attribution:
    return direct_logit_attribution(model, *rows, target=target, end_token_ids=ENDS)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_the_formula(variant: str, target: str) -> None:
    """In float64 every head, MLP, embedding, bias and logit is that of a brute-force loop, to 1e-10."""
    model = random_model(variant, dtype=torch.float64)
    actual = _attribution(model, *random_rows(), target=target)
    expected = brute_force(model, *random_rows(), target=target, end_token_ids=ENDS)
    assert actual.heads.dtype == torch.float64
    assert distance(actual, expected) < 1e-10


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_the_formula_in_float32(variant: str, target: str) -> None:
    """A float32 model as transformers ships it gives float32 numbers, within 1e-4 of the brute-force loop."""
    model = random_model(variant)
    actual = _attribution(model, *random_rows(), target=target)
    expected = brute_force(model, *random_rows(), target=target, end_token_ids=ENDS)
    assert actual.heads.dtype == torch.float32
    assert distance(actual, expected) < 1e-4


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_completeness(variant: str, target: str) -> None:
    """The sum over all components is the logit of a plain forward pass, before any soft cap."""
    model = random_model(variant, dtype=torch.float64)
    attribution = _attribution(model, *random_rows(), target=target)
    expected = brute_force(model, *random_rows(), target=target, end_token_ids=ENDS).logits
    gap = (attribution.total - expected)[attribution.mask].abs().max()
    assert gap < 1e-12


def test_shapes() -> None:
    """Rows, T = S − start steps, layers and heads are the axes; a masked step is 0."""
    ids, mask, start = random_rows()
    attribution = _attribution(random_model("llama"), ids, mask, start)
    assert attribution.heads.shape == (4, 5, LAYERS, HEADS)
    assert attribution.mlps.shape == (4, 5, LAYERS)
    assert attribution.embedding.shape == attribution.biases.shape == attribution.logits.shape == (4, 5)
    assert attribution.mask.tolist() == mask[:, start:].bool().tolist()
    for name in (*COMPONENTS, "logits"):
        assert not getattr(attribution, name)[~attribution.mask].any()


def test_end_tokens_of_the_generation_config() -> None:
    """The stop margin asks about the generation config's end tokens where none are given."""
    model = random_model("llama")
    model.generation_config.eos_token_id = list(ENDS)
    actual = direct_logit_attribution(model, *random_rows(), target="stop_margin")
    expected = _attribution(model, *random_rows(), target="stop_margin")
    assert distance(actual, expected) == 0


def test_one_end_token() -> None:
    """One end token may stand in the generation config as a number."""
    model = random_model("llama")
    model.generation_config.eos_token_id = 2
    actual = direct_logit_attribution(model, *random_rows(), target="stop_margin")
    expected = brute_force(model, *random_rows(), target="stop_margin", end_token_ids=(2,))
    assert distance(actual, expected) < 1e-4


@pytest.mark.parametrize("target", TARGETS)
def test_empty_responses(target: str) -> None:
    """A row with an empty response is all masked; with no response at all there are no steps."""
    ids, mask, start = random_rows()
    mask[0, start:] = 0
    model = random_model("gemma3_text")
    attribution = _attribution(model, ids, mask, start, target=target)
    assert not attribution.mask[0].any()
    assert not attribution.total[0].any()
    expected = brute_force(model, ids, mask, start, target=target, end_token_ids=ENDS)
    assert distance(attribution, expected) < 1e-4
    none = _attribution(model, ids[:, :start], mask[:, :start], start, target=target)
    assert none.heads.shape == (4, 0, LAYERS, HEADS)
    assert none.total.shape == (4, 0)
    mask[:, start:] = 0
    masked = _attribution(model, ids, mask, start, target=target)
    assert not masked.mask.any()
    assert not masked.total.any()


@pytest.mark.parametrize("variant", VARIANTS)
def test_reduction_of_bfloat16(variant: str) -> None:
    """What a bfloat16 model computes is reduced in float32: nothing is lost beside the loop in float64.

    One row without padding, so that both run the very same pass.
    """
    ids, mask, start = random_rows()
    model = random_model(variant, dtype=torch.bfloat16)
    actual = _attribution(model, ids[:1], mask[:1], start)
    expected = brute_force(model, ids[:1], mask[:1], start)
    assert actual.heads.dtype == torch.float32
    # A bfloat16 has 8 bits: reduced in it, the components would be off by 1e-2.
    assert distance(actual, expected, COMPONENTS) < 1e-5
