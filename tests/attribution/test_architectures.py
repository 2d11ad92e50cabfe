"""The random models: what they compute depends on every parameter, on position and on the prompt."""

from __future__ import annotations

import pytest
import torch

from lengthprobe.components.architectures import ARCHITECTURES
from tests.attribution.architectures import (
    KINDS,
    VARIANTS,
    VOCABULARY,
    architecture,
    random_model,
    random_rows,
)
from tests.attribution.brute_force import brute_force


def _centred(logits: torch.Tensor) -> torch.Tensor:
    return logits - logits.mean(-1, keepdim=True)


def _change(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((_centred(one - other).norm(dim=-1) / _centred(one).norm(dim=-1)).median())


def test_every_architecture() -> None:
    """There is a random model of every architecture that is supported."""
    assert {architecture(variant) for variant in (*VARIANTS, *KINDS)} == set(ARCHITECTURES)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_parameter_is_drawn(variant: str) -> None:
    """No bias is 0 and no gain is 1 anywhere, and no two entries of a parameter are alike."""
    for name, parameter in random_model(variant).named_parameters():
        assert parameter.std() > 0.05, name
        assert not set(parameter.flatten().tolist()) & {0.0, 1.0}, name


@pytest.mark.parametrize("variant", VARIANTS)
def test_depends_on_prompt_and_position(variant: str) -> None:
    """Another token early on, or the same tokens in another order, change the last logits by over 10 %."""
    model = random_model(variant)
    ids = torch.randint(4, VOCABULARY, (40, 12), generator=torch.Generator().manual_seed(1))
    another, swapped = ids.clone(), ids.clone()
    another[:, 2] = (ids[:, 2] + 7) % VOCABULARY
    swapped[:, [2, 6]] = ids[:, [6, 2]]
    with torch.no_grad():
        last = [model(rows).logits[:, -1] for rows in (ids, another, swapped)]
    assert _change(last[0], last[1]) > 0.1
    assert _change(last[0], last[2]) > 0.1
    assert (last[0].argmax(-1) != last[1].argmax(-1)).float().mean() > 0.1


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_component_counts(variant: str) -> None:
    """Every head, MLP and the embedding add more than 1 % of the logits; so do any biases."""
    expected = brute_force(random_model(variant), *random_rows())
    size = expected.logits[expected.mask].abs().mean()
    parts = [expected.heads, expected.mlps, expected.embedding[..., None]]
    for part in parts:
        assert (part[expected.mask].abs().mean(0) > 0.01 * size).all()
    has_biases = variant.endswith(("biases", "bias")) or variant.startswith(("qwen3", "gpt"))
    assert bool(expected.biases[expected.mask].abs().mean() > 0.01 * size) == has_biases
