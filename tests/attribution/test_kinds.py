"""Models that see as well, with linear attention, and mixtures of experts: every measure is as it must be."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from lengthprobe.activations.attention import attention_shares
from lengthprobe.attribution import direct_logit_attribution
from lengthprobe.attribution.capture import Capture
from lengthprobe.attribution.gradient import first_order_effects
from lengthprobe.attribution.readout import readout_of
from lengthprobe.checkpoints.chat.thinking import Room
from lengthprobe.checkpoints.text_alone import leave_out_unused
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.names import Ablation, Component
from lengthprobe.errors import ModelError
from tests.activations.test_attention import patterns, rows, targets
from tests.attribution.agreement import ARRAYS, distance
from tests.attribution.architectures import (
    EXPERTS,
    HEADS,
    KINDS,
    LAYERS,
    LINEAR,
    SEEING,
    random_model,
    random_rows,
)
from tests.attribution.brute_force import _projection, brute_force
from tests.components.ablated import checkpoint_of, generate, generated, logits_after, named, random_prompts

# Their softmax, router or recurrence is computed in float32 in a float64 model too.
ROUNDED = (*LINEAR, *EXPERTS, "qwen3_vl_moe_text-sees")
ENDS = (10, 11)
PROMPTS = random_prompts(9, 2, 7, 4)
CUTS = ("L0H0", "L1H1,L1H3", "L2H2", "MLP1")
CAP = 12


@pytest.mark.parametrize("target", ["token", "stop_margin"])
@pytest.mark.parametrize("variant", KINDS)
def test_equals_the_formula(variant: str, target: str) -> None:
    """Attribution is that of the slow loop, relative 1e-10; 1e-5 where a part is computed in float32."""
    model = random_model(variant, dtype=torch.float64)
    expected = brute_force(model, *random_rows(), target=target, end_token_ids=ENDS)
    found = direct_logit_attribution(model, *random_rows(), target=target, end_token_ids=ENDS)
    assert found.heads.shape == (4, 5, LAYERS, HEADS)
    assert distance(found, expected) < (1e-5 if variant in ROUNDED else 1e-10)


@pytest.mark.parametrize("variant", KINDS)
def test_capture_equals_whole_rows(variant: str) -> None:
    """What is captured while a response is written is that of the finished rows, relative 1e-4 in float32."""
    model = random_model(variant)
    capture = Capture("random", readout_of(anatomy_of(model)), ENDS)
    written, traces = generate(checkpoint_of(model, ENDS), PROMPTS, Room(CAP), capture, None)
    assert capture.problem is None
    for prompt, tokens, trace in zip(PROMPTS, written, traces, strict=True):
        steps = len(trace.token.logits)
        ids = torch.tensor([[*prompt, *tokens[:steps]]])
        for target, part in (("token", trace.token), ("stop_margin", trace.stop)):
            whole = direct_logit_attribution(
                model, ids, torch.ones_like(ids), len(prompt), target=target, end_token_ids=ENDS
            )
            arrays = {name: torch.from_numpy(getattr(part, name))[None] for name in ARRAYS}
            assert distance(SimpleNamespace(mask=whole.mask, **arrays), whole) < 1e-4


@pytest.mark.parametrize("variant", KINDS)
def test_zero_takes_a_contribution_away(variant: str) -> None:
    """An ablated head or MLP is one whose contribution is taken off what its layer adds."""
    model = random_model(variant)
    written, logits = generated(model, PROMPTS, [Ablation(zero=named(cut)) for cut in CUTS])
    for row, cut in enumerate(CUTS):
        whole = logits_after(model, PROMPTS[row], written[row])
        handles = [_taken_off(model, component) for component in named(cut)]
        expected = logits_after(model, PROMPTS[row], written[row])
        for handle in handles:
            handle.remove()
        torch.testing.assert_close(logits[row], expected, rtol=1e-4, atol=1e-4)
        assert (expected - whole).abs().max() > 0.01


def _taken_off(model: Any, component: Component) -> Any:
    """A hook by which a layer's output lacks what a component adds."""
    layer = model.get_decoder().layers[component.layer]
    if component.head is None:
        after = getattr(layer, "post_feedforward_layernorm", layer.mlp)
        return after.register_forward_hook(
            lambda _module, _args, output: (
                (0 * output[0], output[1]) if isinstance(output, tuple) else 0 * output
            )
        )
    projection = _projection(layer, "self_attn.o_proj")
    size = projection.weight.shape[1] // HEADS
    own = slice(component.head * size, (component.head + 1) * size)
    return projection.register_forward_hook(
        lambda module, args, output: output - args[0][..., own] @ module.weight[:, own].T
    )


@pytest.mark.parametrize("variant", KINDS)
def test_first_order_estimate(variant: str) -> None:
    """Estimates are the slopes of the metric, by central differences of the whole model."""
    model = random_model(variant, dtype=torch.float64)
    step, exact = (1e-3, 2e-2) if variant in ROUNDED else (1e-5, 1e-5)
    ids, mask, start = random_rows()
    weights = torch.randn(ids.shape, generator=torch.Generator().manual_seed(5)) * mask
    weights[:, : start - 1] = 0
    found = first_order_effects(model, ids, mask, weights, end_token_ids=ENDS)
    rivals: list[torch.Tensor] = []

    def metric() -> torch.Tensor:
        places = (mask.cumsum(-1) - 1).clamp(min=0)
        with torch.no_grad():
            logits = model(input_ids=ids, attention_mask=mask, position_ids=places, use_cache=False).logits
        if not rivals:
            others = logits.index_fill(-1, torch.tensor(ENDS), -torch.inf)
            rivals.extend((logits[..., ENDS].argmax(-1) + ENDS[0], others.argmax(-1)))
        best, other = (logits.gather(-1, one[..., None]).squeeze(-1) for one in rivals)
        return ((best - other) * weights).sum(1)

    torch.testing.assert_close(found.metric, metric(), rtol=1e-5, atol=1e-5)
    for layer in range(LAYERS):
        projection = anatomy_of(model).layers[layer].projection
        size, ends = projection.weight.shape[1] // HEADS, []
        own = slice(layer * size, (layer + 1) * size)
        for sign in (1, -1):

            def change(_module: object, args: Any, own: slice = own, by: float = 1 - sign * step) -> Any:
                heads = args[0].clone()
                heads[..., own] *= by
                return (heads,)

            handle = projection.register_forward_pre_hook(change)
            ends.append(metric())
            handle.remove()
        slope = (ends[0] - ends[1]) / (2 * step)
        torch.testing.assert_close(found.heads[:, layer, layer], slope, rtol=exact, atol=exact)


@pytest.mark.parametrize("variant", KINDS)
def test_attention(variant: str) -> None:
    """The shares of attention are those of the pattern; of linear attention there is none to tell of."""
    model = random_model(variant)
    ids, mask = rows()
    linear = [layer.is_linear for layer in anatomy_of(model).layers]
    heads = [Component(layer, layer) for layer in range(LAYERS) if not linear[layer]]
    found = attention_shares(model, ids, mask, [[11]] * 4, heads, targets())
    whole = patterns(model, ids, mask)
    if any(linear):
        # Only layers with a pattern give one.
        whole = [None, *whole]
        with pytest.raises(ModelError, match=r"layer 0 of .* has linear attention") as raised:
            attention_shares(model, ids, mask, [[11]] * 4, [Component(0, 0)], targets())
        assert "--deselect" in raised.value.fix
    for row in range(4):
        for at, head in enumerate(heads):
            pattern = whole[head.layer][row, head.head, 11]
            expected = [float(pattern[5]), float(pattern[4] + pattern[7])]
            assert found[row][0, at].tolist() == pytest.approx(expected, abs=1e-5)


def test_linear_heads_that_are_no_whole_number() -> None:
    """Where heads of linear layers do not fill those of the others, mechanism is refused by name."""
    model = random_model("qwen3_5_text")
    model.config.linear_value_head_dim = 16
    with pytest.raises(ModelError, match="heads of width 16 in its layers with linear attention"):
        anatomy_of(model)


@pytest.mark.parametrize("variant", SEEING)
def test_same_without_the_tower(variant: str) -> None:
    """Bit by bit, the logits of a text are those of the whole model, before and after its tower is gone."""
    model = random_model(variant)
    prompt, written = PROMPTS[0], PROMPTS[2]
    whole = logits_after(model, prompt, written)
    names = leave_out_unused(model)
    assert any("vis" in name for name in names)
    assert torch.equal(logits_after(model, prompt, written), whole)
    assert not [name for name, _ in model.named_parameters() if "vis" in name or "multi_modal" in name]
    ids = torch.tensor([prompt])
    assert model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=3).shape == (1, 12)
