"""Gradient: first-order estimates against differences and against real ablation, on every architecture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch

from lengthprobe.attribution.gradient import Donors, FirstOrder, first_order_effects
from lengthprobe.components.ablation import MeanOutputs, Surgery
from lengthprobe.components.anatomy import Anatomy, anatomy_of
from lengthprobe.components.names import Ablation, Component, every_component
from tests.attribution.architectures import HEADS, LAYERS, VARIANTS, VOCABULARY, random_model, random_rows

ENDS = (10, 11)
COMPONENTS = every_component(LAYERS, HEADS)
# A head and the MLP of every layer: all of them for one architecture, these for the others.
SOME = tuple(one for one in COMPONENTS if one.head in (one.layer, None))


def _is_rounded(model: Any) -> bool:
    """Whether the model takes its softmax in float32, whatever its format: eager attention does."""
    return bool(model.config._attn_implementation == "eager")


def _close(model: Any, found: torch.Tensor, expected: torch.Tensor, component: Component) -> None:
    """Fail unless two slopes are equal, up to what rounding leaves of a difference."""
    tolerance = 5e-3 if _is_rounded(model) else 1e-5
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance, msg=component.name)


def _rows() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows with their masks, and a weight for the margin after every column of the response that is there."""
    ids, mask, start = random_rows()
    weights = torch.randn(ids.shape, generator=torch.Generator().manual_seed(5)) * mask
    weights[:, : start - 1] = 0
    return ids, mask, weights


def _estimate(model: Any, replacement: MeanOutputs | Donors | None = None) -> FirstOrder:
    return first_order_effects(model, *_rows(), end_token_ids=ENDS, replacement=replacement)


def _of(found: FirstOrder, component: Component) -> torch.Tensor:
    """What was estimated of a component, [n]."""
    if component.head is None:
        return found.mlps[:, component.layer]
    return found.heads[:, component.layer, component.head]


@contextmanager
def _changed(
    anatomy: Anatomy, component: Component, change: Callable[[torch.Tensor], torch.Tensor]
) -> Iterator[None]:
    """While the block lasts, one component gives something else."""
    layer, head = anatomy.layers[component.layer], component.head

    def heads(_module: object, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        whole = args[0].unflatten(-1, (anatomy.n_heads, anatomy.head_dim)).clone()
        whole[..., head, :] = change(whole[..., head, :])
        return (whole.flatten(-2), *args[1:])

    def mlp(_module: object, _args: object, output: torch.Tensor) -> torch.Tensor:
        return change(output)

    handle = (
        layer.mlp.register_forward_hook(mlp)
        if head is None
        else layer.projection.register_forward_pre_hook(heads)
    )
    try:
        yield
    finally:
        handle.remove()


@torch.no_grad()
def _metric(model: Any, best: tuple[torch.Tensor, torch.Tensor] | None = None) -> Any:
    """Every row's weighted sum of stop margins, from the logits; the rivals of each margin are held still."""
    ids, mask, weights = _rows()
    places = (mask.cumsum(-1) - 1).clamp(min=0)
    hidden = model.base_model(input_ids=ids, attention_mask=mask, position_ids=places).last_hidden_state
    # Not the model's own: Gemma 2 caps its logits, which moves no rank.
    logits = model.get_output_embeddings()(hidden)
    if best is None:
        others = logits.index_fill(-1, torch.tensor(ENDS), -torch.inf)
        best = logits[..., ENDS].argmax(-1) + ENDS[0], others.argmax(-1)
    margins = logits.gather(-1, best[0][..., None]) - logits.gather(-1, best[1][..., None])
    return (margins.squeeze(-1) * weights).sum(1), best


def _difference(
    model: Any, component: Component, towards: Callable[[torch.Tensor], torch.Tensor] | None = None
) -> torch.Tensor:
    """The slope of the metric on the way to the component's replacement, by a central difference, [n]."""
    anatomy, step = anatomy_of(model), 1e-3 if _is_rounded(model) else 1e-5
    _, best = _metric(model)
    ends = []
    for sign in (1, -1):

        def change(output: torch.Tensor, sign: int = sign) -> torch.Tensor:
            less = -output if towards is None else towards(output) - output
            return output + sign * step * less

        with _changed(anatomy, component, change):
            ends.append(_metric(model, best)[0])
    return (ends[0] - ends[1]) / (2 * step)


@pytest.mark.parametrize("variant", VARIANTS)
def test_zero_is_the_slope_towards_nothing(variant: str) -> None:
    """Of every component of every architecture, in every row, padded or not."""
    model = random_model(variant, dtype=torch.float64)

    found = _estimate(model)

    assert found.heads.shape == (4, LAYERS, HEADS)
    assert found.mlps.shape == (4, LAYERS)
    torch.testing.assert_close(found.metric, _metric(model)[0], rtol=1e-9, atol=1e-9)
    for component in COMPONENTS if variant == "llama" else SOME:
        _close(model, _of(found, component), _difference(model, component), component)


@pytest.mark.parametrize("variant", ["llama", "gemma2", "gpt2"])
def test_mean_is_the_slope_towards_the_mean(variant: str) -> None:
    """What replaces an output is the same at every position."""
    model = random_model(variant, dtype=torch.float64)
    anatomy, draw = anatomy_of(model), torch.Generator().manual_seed(7)
    means = MeanOutputs(
        *(
            tuple(torch.randn(width, generator=draw, dtype=torch.float64) for _ in range(LAYERS))
            for width in (anatomy.n_heads * anatomy.head_dim, anatomy.width)
        )
    )

    found = _estimate(model, means)

    for component in SOME:
        layer, head = component.layer, component.head
        given = (
            means.mlps[layer]
            if head is None
            else means.heads[layer].view(anatomy.n_heads, anatomy.head_dim)[head]
        )
        expected = _difference(model, component, lambda output, given=given: given.expand_as(output))
        _close(model, _of(found, component), expected, component)


def _donors() -> Donors:
    """Other prompts, of which one is shorter than the row's own, with the same responses."""
    ids, mask, start = random_rows()
    other = torch.randint(4, VOCABULARY, ids.shape, generator=torch.Generator().manual_seed(9))
    theirs = torch.where(torch.arange(ids.shape[1]) < start, other, ids)
    seen = mask.clone()
    seen[:, :start] = 1
    seen[0, :2] = 0
    return Donors(theirs, seen)


@pytest.mark.parametrize("variant", ["llama", "olmo2", "gpt_neox"])
def test_donor_is_the_slope_towards_its_outputs(variant: str) -> None:
    """At the positions where the donor has a token; elsewhere the component's own output stays."""
    model = random_model(variant, dtype=torch.float64)
    anatomy, donors = anatomy_of(model), _donors()
    seen = donors.attention_mask.bool()[..., None]

    found = _estimate(model, donors)

    for component in (Component(0, 1), Component(1, 3), Component(1), Component(LAYERS - 1)):
        kept: list[torch.Tensor] = []

        def keep(output: torch.Tensor, kept: list[torch.Tensor] = kept) -> torch.Tensor:
            kept.append(output.clone())
            return output

        with _changed(anatomy, component, keep), torch.no_grad():
            places = (donors.attention_mask.cumsum(-1) - 1).clamp(min=0)
            model.base_model(donors.input_ids, attention_mask=donors.attention_mask, position_ids=places)
        expected = _difference(model, component, lambda output, kept=kept: torch.where(seen, kept[0], output))
        _close(model, _of(found, component), expected, component)


@pytest.mark.parametrize("variant", VARIANTS)
def test_small_output_is_ablated_as_estimated(variant: str) -> None:
    """The less a component gives, the nearer is its real ablation: ten times less, ten times nearer."""
    model = random_model(variant, dtype=torch.float64)
    anatomy = anatomy_of(model)
    largest = 1e-1 if _is_rounded(model) else 1e-3
    for component in (Component(0, 2), Component(1)):
        away = []
        for size in (largest, largest / 10):
            with _changed(anatomy, component, lambda output, size=size: output * size):
                estimate = _of(_estimate(model), component)
                own, best = _metric(model)
                with Surgery(anatomy, (Ablation(zero=(component,)),) * 4).applied():
                    real = _metric(model, best)[0] - own
            away.append(float((real - estimate).norm() / real.norm()))
        assert away[0] < 0.5, component.name
        assert away[1] < 0.15 * away[0] + 1e-6, component.name


def test_model_is_left_as_it_was() -> None:
    """No parameter has a gradient, each wants one where it did, and no hook is left."""
    model = random_model("llama").requires_grad_()
    model.lm_head.weight.requires_grad_(requires_grad=False)
    wanted = [parameter.requires_grad for parameter in model.parameters()]

    _estimate(model)

    assert [parameter.requires_grad for parameter in model.parameters()] == wanted
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_numbers_are_of_the_model_s_format() -> None:
    """Of a bfloat16 model they are summed in float32, near those of the same weights in float32."""
    narrow = random_model("llama", dtype=torch.bfloat16)
    found, exact = _estimate(narrow), _estimate(narrow.float())

    assert found.heads.dtype == torch.float32
    assert torch.corrcoef(torch.stack([found.heads.flatten(), exact.heads.flatten()]))[0, 1] > 0.98


def test_works_within_no_grad() -> None:
    """A caller may have turned gradients off."""
    model = random_model("llama")
    with torch.no_grad():
        assert _estimate(model).heads.abs().sum() > 0


class TestRefusals:
    """What cannot be estimated is refused before the model runs."""

    def test_shapes(self) -> None:
        """All rows, weights and donors are of one shape."""
        ids, mask, weights = _rows()
        donors = replace(_donors(), input_ids=ids[:, 1:])
        with pytest.raises(ValueError, match="one \\[n, S\\] for all"):
            first_order_effects(random_model("llama"), ids, mask, weights[:, 1:], end_token_ids=ENDS)
        with pytest.raises(ValueError, match="one \\[n, S\\] for all"):
            _estimate(random_model("llama"), donors)

    def test_no_weight(self) -> None:
        """A metric of nothing."""
        ids, mask, weights = _rows()
        with pytest.raises(ValueError, match="every weight is 0"):
            first_order_effects(random_model("llama"), ids, mask, 0 * weights, end_token_ids=ENDS)

    def test_training_mode(self) -> None:
        """Dropout would change the outputs."""
        with pytest.raises(ValueError, match="training mode"):
            _estimate(random_model("llama").train())
