"""The target `written`: an end token in the row stands for the best of them."""

from __future__ import annotations

import pytest
import torch

from lengthprobe.attribution import direct_logit_attribution
from tests.attribution.agreement import distance
from tests.attribution.architectures import random_model, random_rows

ENDS = (10, 11, 12)


def _rows_that_end(with_token: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Rows whose responses' last tokens are one and the same; none of the others ends a response."""
    ids, mask, start = random_rows()
    ids = torch.where(torch.isin(ids, torch.tensor(ENDS)), 20, ids)
    for row, last in enumerate(mask.cumsum(1).argmax(1)):
        ids[row, last] = with_token
    return ids, mask, start


def test_end_token_is_the_best_one() -> None:
    """Every row gives the numbers of the end token with the highest logit, whichever stands there."""
    model = random_model("qwen2")
    each = [direct_logit_attribution(model, *_rows_that_end(end)) for end in ENDS]
    for end in ENDS:
        rows = _rows_that_end(end)
        actual = direct_logit_attribution(model, *rows, target="written", end_token_ids=ENDS)
        for row, last in enumerate(actual.mask.sum(1) - 1):
            best = max(each, key=lambda one: float(one.logits[row, last]))
            assert float(actual.logits[row, last]) == pytest.approx(float(best.logits[row, last]), rel=1e-4)
            torch.testing.assert_close(actual.heads[row, last], best.heads[row, last], rtol=1e-4, atol=1e-5)


def test_other_tokens_are_as_they_stand() -> None:
    """Where no end token stands in the rows, the target is `token`."""
    model = random_model("qwen2")
    rows = _rows_that_end(20)
    expected = direct_logit_attribution(model, *rows)
    actual = direct_logit_attribution(model, *rows, target="written", end_token_ids=ENDS)
    assert distance(actual, expected) < 1e-6
