"""The oracle is complete: its components add up to the logits that the model itself gives."""

from __future__ import annotations

import pytest
import torch

from tests.attribution.architectures import VARIANTS, random_model, random_rows
from tests.attribution.brute_force import brute_force


@pytest.mark.parametrize("target", ["token", "stop_margin"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_brute_force_is_complete(variant: str, target: str) -> None:
    """In float64 the sum over all components is the model's own centred logit, or margin, to 1e-12."""
    model = random_model(variant, dtype=torch.float64)
    expected = brute_force(model, *random_rows(), target=target, end_token_ids=(1, 2, 50))
    total = expected.heads.sum((2, 3)) + expected.mlps.sum(2) + expected.embedding + expected.biases
    # 5 + 5 + 2 + 4 steps of the four rows.
    assert expected.mask.sum() == 16
    assert (total - expected.logits)[expected.mask].abs().max() < 1e-12
