"""Completeness is judged by the format: rounding passes, a missing component does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lengthprobe.attribution import direct, direct_logit_attribution
from lengthprobe.attribution.completeness import check_completeness, completeness_gap, tolerance
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.errors import ModelError
from tests.attribution.architectures import VARIANTS, random_model, random_rows

# 25 seeds of every variant came to 4e-7, 1e-3 and 1e-2, and to a ninth of the tolerance.
LARGEST = {torch.float32: 2e-6, torch.float16: 4e-3, torch.bfloat16: 4e-2}


@pytest.mark.parametrize("target", ["token", "stop_margin"])
@pytest.mark.parametrize("dtype", LARGEST, ids=str)
@pytest.mark.parametrize("variant", VARIANTS)
def test_rounding_passes(variant: str, dtype: torch.dtype, target: str) -> None:
    """A whole model passes in every format, with room: what is missing is what the format rounds off."""
    model = random_model(variant, dtype=dtype)
    attribution = direct_logit_attribution(model, *random_rows(), target=target, end_token_ids=(1, 2))
    check_completeness("tiny", anatomy_of(model), attribution)
    assert completeness_gap(attribution) < LARGEST[dtype]
    gap = (attribution.total - attribution.logits).abs()
    assert (gap < tolerance(attribution, dtype) / 3 + 1e-30).all()


@pytest.mark.parametrize("dtype", LARGEST, ids=str)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_missing_layer_does_not(monkeypatch: pytest.MonkeyPatch, variant: str, dtype: torch.dtype) -> None:
    """A layer that is not looked at is missed in every format."""
    whole = anatomy_of(random_model(variant, dtype=dtype))
    partial = replace(whole, layers=whole.layers[:-1])
    monkeypatch.setattr(direct, "anatomy_of", lambda _model: partial)
    attribution = direct_logit_attribution(whole.model, *random_rows())
    with pytest.raises(ModelError, match=rf"tiny: the components of architecture .* \(in {str(dtype)[6:]}\)"):
        check_completeness("tiny", partial, attribution)


def test_unembedding_of_a_finer_format() -> None:
    """With an unembedding in float32, a stream in bfloat16 is rounded to bfloat16 all the same."""
    model = random_model("llama", dtype=torch.bfloat16)
    model.lm_head.to(torch.float32)
    attribution = direct_logit_attribution(model, *random_rows())
    check_completeness("tiny", anatomy_of(model), attribution)


def test_no_steps() -> None:
    """Where there are no steps, nothing is missing."""
    model = random_model("llama")
    ids, mask, start = random_rows()
    attribution = direct_logit_attribution(model, ids[:, :start], mask[:, :start], start)
    check_completeness("tiny", anatomy_of(model), attribution)
    assert completeness_gap(attribution) == 0.0
