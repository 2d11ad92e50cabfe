"""Every term of an architecture's entry counts: with any one left out, the components do not add up, and that
is said.

A term is left out of where the components are looked for, never of the model; so the sum over the components
misses the logit, and the check that every checkpoint passes at load must see it.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lengthprobe.attribution import direct, direct_logit_attribution
from lengthprobe.attribution.completeness import check_completeness, completeness_gap
from lengthprobe.components.anatomy import Anatomy, Norm, anatomy_of
from lengthprobe.components.architectures import ARCHITECTURES
from lengthprobe.errors import ModelError
from tests.attribution.architectures import VARIANTS, architecture, random_model, random_rows

if TYPE_CHECKING:
    from collections.abc import Callable

NORMS_AFTER = [variant for variant in VARIANTS if ARCHITECTURES[architecture(variant)].attention_norm]
CENTRED = [variant for variant in VARIANTS if ARCHITECTURES[architecture(variant)].norm == "layer"]
# Biases of the output projection.
BIASED = [variant for variant in VARIANTS if variant.endswith("biases") or variant in ("qwen3", *CENTRED)]

OTHER_KINDS = [
    (variant, kind)
    for variant in VARIANTS
    for kind in ("rms", "rms+1", "layer")
    if ARCHITECTURES[architecture(variant)].norm != kind
]


def _without_a_layer(anatomy: Anatomy) -> Anatomy:
    return replace(anatomy, layers=anatomy.layers[:-1])


def _embedding_of_a_later_layer(anatomy: Anatomy) -> Anatomy:
    blocks = anatomy.model.get_decoder().get_submodule(ARCHITECTURES[anatomy.architecture].layers)
    return replace(anatomy, block=blocks[1])


def _another_final_norm(anatomy: Anatomy) -> Anatomy:
    plain = copy.deepcopy(anatomy.final_norm.module)
    plain.weight.data.fill_(0.0 if anatomy.final_norm.kind == "rms+1" else 1.0)
    # Hooks go to the module that runs.
    plain._forward_hooks = anatomy.final_norm.module._forward_hooks
    return replace(anatomy, final_norm=Norm(plain, anatomy.final_norm.kind))


def _final_norm(kind: str) -> Callable[[Anatomy], Anatomy]:
    return lambda anatomy: replace(anatomy, final_norm=Norm(anatomy.final_norm.module, kind))


def _in_every_layer(change: Callable[[Any], Any]) -> Callable[[Anatomy], Anatomy]:
    return lambda anatomy: replace(anatomy, layers=tuple(map(change, anatomy.layers)))


def _in_one_layer(change: Callable[[Any], Any]) -> Callable[[Anatomy], Anatomy]:
    return lambda anatomy: replace(anatomy, layers=(*anatomy.layers[:-1], change(anatomy.layers[-1])))


def _without_norm(layer: Any) -> Any:
    return replace(layer, attention_norm=None)


def _norm_of_kind(kind: str) -> Callable[[Any], Any]:
    return lambda layer: replace(layer, attention_norm=Norm(layer.attention_norm.module, kind))


def _without_bias(layer: Any) -> Any:
    projection = copy.copy(layer.projection)
    projection._parameters = projection._parameters | {"bias": None}
    return replace(layer, projection=projection)


def _misses(monkeypatch: pytest.MonkeyPatch, variant: str, change: Callable[[Anatomy], Anatomy]) -> None:
    """Check that what a changed anatomy gives is neither complete nor right, and refused by name."""
    model = random_model(variant)
    right = direct_logit_attribution(model, *random_rows())
    check_completeness("random", anatomy_of(model), right)
    changed = change(anatomy_of(model))
    monkeypatch.setattr(direct, "anatomy_of", lambda _model: changed)
    wrong = direct_logit_attribution(model, *random_rows())
    assert completeness_gap(wrong) > 1e-3 > 1e-5 > completeness_gap(right)
    with pytest.raises(
        ModelError, match=f"components of architecture {architecture(variant)} do not add up"
    ) as raised:
        check_completeness("random", changed, wrong)
    assert "architectures.py" in raised.value.fix


@pytest.mark.parametrize("variant", VARIANTS)
def test_layers(monkeypatch: pytest.MonkeyPatch, variant: str) -> None:
    """All layers: without the last one the components do not add up."""
    _misses(monkeypatch, variant, _without_a_layer)


@pytest.mark.parametrize("variant", VARIANTS)
def test_embedding(monkeypatch: pytest.MonkeyPatch, variant: str) -> None:
    """The stream before the first layer: taken before the second, the components do not add up."""
    _misses(monkeypatch, variant, _embedding_of_a_later_layer)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gain_of_the_final_norm(monkeypatch: pytest.MonkeyPatch, variant: str) -> None:
    """The final norm's gain: trivial, the components do not add up."""
    _misses(monkeypatch, variant, _another_final_norm)


@pytest.mark.parametrize(("variant", "kind"), OTHER_KINDS)
def test_kind_of_the_final_norm(monkeypatch: pytest.MonkeyPatch, variant: str, kind: str) -> None:
    """The final norm's kind: with either other one, the components do not add up."""
    _misses(monkeypatch, variant, _final_norm(kind))


@pytest.mark.parametrize("variant", CENTRED)
def test_bias_of_the_final_norm(monkeypatch: pytest.MonkeyPatch, variant: str) -> None:
    """A LayerNorm's bias."""
    monkeypatch.setattr(Norm, "bias", lambda _self, _dtype: None)
    _misses_when_patched(variant)


@pytest.mark.parametrize("variant", VARIANTS)
def test_epsilon(monkeypatch: pytest.MonkeyPatch, variant: str) -> None:
    """The norms' epsilon, which these models have large."""

    def without(self: Norm, stream: torch.Tensor) -> torch.Tensor:
        return (stream.var(-1, unbiased=False) if self.centres else stream.pow(2).mean(-1)).rsqrt()

    monkeypatch.setattr(Norm, "inverse_scale", without)
    _misses_when_patched(variant)


def _misses_when_patched(variant: str) -> None:
    model = random_model(variant)
    wrong = direct_logit_attribution(model, *random_rows())
    assert completeness_gap(wrong) > 1e-4
    with pytest.raises(ModelError, match="do not add up"):
        check_completeness("random", anatomy_of(model), wrong)


@pytest.mark.parametrize("where", [_in_every_layer, _in_one_layer], ids=["every layer", "one layer"])
@pytest.mark.parametrize("variant", BIASED)
def test_bias_of_the_output_projections(monkeypatch: pytest.MonkeyPatch, variant: str, where: Any) -> None:
    """The output projections' biases, of a single layer too."""
    _misses(monkeypatch, variant, where(_without_bias))


@pytest.mark.parametrize("where", [_in_every_layer, _in_one_layer], ids=["every layer", "one layer"])
@pytest.mark.parametrize("variant", NORMS_AFTER)
def test_norm_after_the_heads(monkeypatch: pytest.MonkeyPatch, variant: str, where: Any) -> None:
    """The norm between the heads and the stream, of a single layer too."""
    _misses(monkeypatch, variant, where(_without_norm))


@pytest.mark.parametrize("variant", NORMS_AFTER)
def test_gain_of_the_norm_after_the_heads(monkeypatch: pytest.MonkeyPatch, variant: str) -> None:
    """Whether 1 is added to that norm's gain."""
    other = {"rms": "rms+1", "rms+1": "rms"}[ARCHITECTURES[architecture(variant)].norm]
    _misses(monkeypatch, variant, _in_one_layer(_norm_of_kind(other)))


@pytest.mark.parametrize("variant", NORMS_AFTER)
def test_norm_after_the_mlp(monkeypatch: pytest.MonkeyPatch, variant: str) -> None:
    """The norm between the MLP and the stream."""

    def before(anatomy: Anatomy) -> Anatomy:
        blocks = anatomy.model.get_decoder().get_submodule(ARCHITECTURES[anatomy.architecture].layers)
        pairs = zip(anatomy.layers, blocks, strict=True)
        return replace(anatomy, layers=tuple(replace(layer, mlp=block.mlp) for layer, block in pairs))

    _misses(monkeypatch, variant, before)
