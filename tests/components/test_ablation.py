"""An ablated model computes what the edited components give, in every architecture and every mode."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lengthprobe.components.ablation import Surgery
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.names import Ablation, every_component
from tests.attribution.architectures import HEADS, LAYERS, VARIANTS, random_model
from tests.components.ablated import (
    CAP,
    distance,
    edited,
    generated,
    logits_after,
    named,
    patched,
    random_means,
    random_prompts,
)

# Of float32 rounding, over three layers.
CLOSE = 1e-4
# Two heads of one layer, and one each of others; the first, a middle and the last MLP.
CUTS = ("L0H0", "L1H1,L1H3", "L2H2", "MLP0", "MLP2", "L1H*", "L2", "L0H3,MLP1,L2H0")
# Left padding of 0 to 7 columns.
PROMPTS = random_prompts(9, 2, 7, 9, 4, 5, 8, 6)
# As long as its prompt, longer than all, and shorter; the first has no counterpart in its own positions 0-3.
DONORS = random_prompts(5, 2, 12, 9, 4, 7, 3, 6)


def _assert_close(actual: torch.Tensor, expected: torch.Tensor, *, unlike: torch.Tensor) -> None:
    """Equal up to rounding, beside which the change is large."""
    assert distance(actual, expected) < CLOSE
    assert distance(actual, unlike) > 100 * CLOSE


@pytest.mark.parametrize("variant", VARIANTS)
def test_zero_equals_edited_weights(variant: str) -> None:
    """Each row's logits, in the prompt's pass and after, are those of a copy whose weights were edited."""
    model = random_model(variant)
    ablations = [Ablation(zero=named(cut)) for cut in CUTS]
    written, logits = generated(model, PROMPTS, ablations)
    for row, ablation in enumerate(ablations):
        expected = logits_after(edited(model, ablation.zero), PROMPTS[row], written[row])
        whole = logits_after(model, PROMPTS[row], written[row])
        _assert_close(logits[row], expected, unlike=whole)
        assert written[row] == expected.argmax(-1).tolist()


@pytest.mark.parametrize("variant", VARIANTS)
def test_mean_equals_the_vectors_put_in_place(variant: str) -> None:
    """Each row's logits are those under a hook that puts the stated vectors at every position."""
    model = random_model(variant)
    means, ablations = random_means(model), [Ablation(mean=named(cut)) for cut in CUTS]
    written, logits = generated(model, PROMPTS, ablations, means)
    for row, ablation in enumerate(ablations):
        expected = patched(model, PROMPTS[row], written[row], ablation, means)
        _assert_close(logits[row], expected, unlike=logits_after(model, PROMPTS[row], written[row]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_resample_equals_a_patch_in_two_passes(variant: str) -> None:
    """Each row's logits are those with the outputs of its donor patched in, which read the same text.

    Donors are of other lengths than their rows: positions count from the text, and where the donor's prompt
    has no token the row keeps its own output.
    """
    model = random_model(variant)
    ablations = [Ablation(resample=named(cut)) for cut in CUTS]
    written, logits = generated(model, PROMPTS, ablations, donors=DONORS)
    for row, ablation in enumerate(ablations):
        expected = patched(model, PROMPTS[row], written[row], ablation, donor=DONORS[row])
        _assert_close(logits[row], expected, unlike=logits_after(model, PROMPTS[row], written[row]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_modes_mix(variant: str) -> None:
    """Rows of one batch have components under several modes each, or none at all."""
    model = random_model(variant)
    means = random_means(model)
    ablations = [
        Ablation(),
        Ablation(zero=named("L0H0"), mean=named("L0H1,MLP1"), resample=named("L0H2,MLP2")),
        Ablation(zero=named("MLP1"), resample=named("L1")[:3]),
        Ablation(mean=named("L1H2"), resample=named("L1H1")),
    ]
    prompts, donors = PROMPTS[:4], DONORS[:4]
    written, logits = generated(model, prompts, ablations, means, donors)
    for row, ablation in enumerate(ablations):
        expected = patched(model, prompts[row], written[row], ablation, means, donors[row])
        assert distance(logits[row], expected) < CLOSE


@pytest.mark.parametrize("mode", ["zero", "mean", "resample"])
def test_rows_are_ablated_by_themselves(mode: str) -> None:
    """A row in a batch of different ablations gives what it gives alone."""
    model = random_model("gemma2-biases")
    means, donors = random_means(model), DONORS if mode == "resample" else ()
    ablations = [Ablation(**{mode: named(cut)}) for cut in CUTS]
    written, logits = generated(model, PROMPTS, ablations, means, donors)
    for row, ablation in enumerate(ablations):
        alone = slice(row, row + 1)
        tokens, expected = generated(model, PROMPTS[alone], [ablation], means, donors[alone])
        assert tokens[0] == written[row]
        assert distance(logits[row], expected[0]) < CLOSE


def test_a_donor_alike_changes_nothing() -> None:
    """Resampling every component from the prompt itself gives the whole model."""
    model = random_model("llama-biases")
    every = Ablation(resample=every_component(LAYERS, HEADS))
    written, logits = generated(model, PROMPTS, [every] * len(PROMPTS), donors=PROMPTS)
    for row, prompt in enumerate(PROMPTS):
        assert distance(logits[row], logits_after(model, prompt, written[row])) < CLOSE


@pytest.mark.parametrize("variant", VARIANTS)
def test_everything_ablated(variant: str) -> None:
    """With no component left the model reads the last token alone, and its logits are finite."""
    model = random_model(variant)
    every = Ablation(zero=every_component(LAYERS, HEADS))
    written, logits = generated(model, PROMPTS, [every] * len(PROMPTS))
    assert torch.isfinite(logits).all()
    assert logits.shape == (len(PROMPTS), CAP, logits.shape[-1])
    for row, prompt in enumerate(PROMPTS):
        expected = logits_after(edited(model, every.zero), prompt, written[row])
        assert distance(logits[row], expected) < CLOSE


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(("cut", "module", "place"), [
    # The values of head 0 and 1 are one.
    ("L1H0,L1H1", "self_attn.v_proj", 0),
    ("MLP1", "mlp.down_proj", 0),
])  # fmt: skip
@pytest.mark.parametrize("mode", ["zero", "mean"])
def test_what_is_not_finite_is_removed(mode: str, cut: str, module: str, place: int, value: float) -> None:
    """What an ablated component gives is replaced and not weighed: NaN and infinity leave no trace."""
    model = random_model("llama-biases")
    means, ablations = random_means(model), [Ablation(**{mode: named(cut)})] * 4
    expected = generated(model, PROMPTS[:4], ablations, means)
    model.get_submodule(f"model.layers.1.{module}").bias[place] = value
    actual = generated(model, PROMPTS[:4], ablations, means)
    assert actual[0] == expected[0]
    assert torch.equal(actual[1], expected[1])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
@pytest.mark.parametrize("mode", ["zero", "mean", "resample"])
def test_number_formats(mode: str, dtype: torch.dtype) -> None:
    """In every format the replaced outputs have the model's own."""
    model = random_model("llama-biases", dtype=dtype)
    ablations = [Ablation(**{mode: named("L1,L2H0")})] * 3
    seen: list[Any] = []
    hook = model.model.layers[1].mlp.register_forward_hook(lambda *_: seen.append(_[2].dtype))
    written, logits = generated(model, PROMPTS[:3], ablations, random_means(model), DONORS[:3])
    hook.remove()
    assert set(seen) == {dtype}
    assert torch.isfinite(logits).all()
    assert [len(row) for row in written] == [CAP] * 3


def test_pass_of_other_rows_is_refused() -> None:
    """A pass of another number of rows than the ablation is stated for is an error, and not half ablated."""
    model = random_model("llama")
    surgery = Surgery(anatomy_of(model), (Ablation(zero=named("L0H0")),) * 2)
    with surgery.applied(), pytest.raises(ValueError, match=r"3 rows in a pass .* stated for 2"):
        model(torch.tensor([[5, 6]] * 3))


def test_components_of_another_model_are_refused() -> None:
    """An ablation of a layer that is not there is an error, and not one of nothing."""
    model = random_model("llama")
    surgery = Surgery(anatomy_of(model), (Ablation(zero=every_component(LAYERS + 1, HEADS)),))
    with pytest.raises(IndexError), surgery.applied():
        pass


def test_some_of_the_rows() -> None:
    """Of some rows each keeps its ablation and its donor."""
    rows = tuple(Ablation(resample=named(cut)) for cut in CUTS)
    surgery = Surgery(anatomy_of(random_model("llama")), rows, None, tuple(map(tuple, DONORS)))
    some = surgery.of([3, 1])
    assert some.rows == (rows[3], rows[1])
    assert some.donors == (tuple(DONORS[3]), tuple(DONORS[1]))
