"""Quantized layers: attribution takes a layer for a matrix only where its own output is that product."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lengthprobe.attribution import direct_logit_attribution
from lengthprobe.attribution.gradient import first_order_effects
from lengthprobe.checkpoints.quantized.layers import error_of, is_finite
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.errors import ModelError
from tests.attribution.architectures import LAYERS, random_model, random_rows
from tests.attribution.packed_weight import PackedWeight, pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

IDS, MASK, START = random_rows()
PROJECTION = "model.layers.1.self_attn.o_proj"


def _to_eight_bits(given: Tensor) -> Tensor:
    scale = given.abs().amax(-1, keepdim=True) / 127
    return (given / scale).round() * scale


def _to_fp8(given: Tensor) -> Tensor:
    scale = given.abs().amax(-1, keepdim=True) / 448
    return (given / scale).to(torch.float8_e4m3fn).to(given.dtype) * scale


def _as_it_is(given: Tensor) -> Tensor:
    return given


def _wrap(module: Any, change: Callable[[Tensor], Tensor]) -> None:
    """Put a forward method of its own on a layer, as compressed-tensors does, which changes inputs first."""

    def forward(self: Any, given: Tensor) -> Tensor:
        return type(self).forward(self, change(given))

    module.forward = types.MethodType(forward, module)


@pytest.mark.parametrize("change", [_to_eight_bits, _to_fp8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("part", [PROJECTION, "lm_head"])
def test_rounds_its_inputs(change: Callable[[Tensor], Tensor], dtype: torch.dtype, part: str) -> None:
    """A layer with plain weights that rounds its inputs is refused, in every number format."""
    model = random_model("llama", dtype=dtype)
    _wrap(model.get_submodule(part), change)
    with pytest.raises(ModelError, match=r"changes what goes into the .*quantized activations") as raised:
        direct_logit_attribution(model, IDS, MASK, START)
    assert ("unembedding" if part == "lm_head" else "projection of layer 1") in raised.value.problem
    assert "name the unquantized checkpoint" in raised.value.fix


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_wrapped_and_exact(dtype: torch.dtype) -> None:
    """A layer with a forward method of its own that changes nothing has the figures of a plain one."""
    model = random_model("llama", dtype=dtype)
    plain = direct_logit_attribution(model, IDS, MASK, START).heads
    for name in (PROJECTION, "lm_head"):
        _wrap(model.get_submodule(name), _as_it_is)
    assert torch.equal(direct_logit_attribution(model, IDS, MASK, START).heads, plain)


def test_packed_weights() -> None:
    """Weights that say which matrix they stand for give the figures of a model with these matrices."""
    model, twin = random_model("llama"), random_model("llama")
    for layer in range(LAYERS):
        name = f"model.layers.{layer}.self_attn.o_proj"
        twin.get_submodule(name).weight.data.copy_(pack(model.get_submodule(name)))
    found, expected = (direct_logit_attribution(one, IDS, MASK, START).heads for one in (model, twin))
    assert torch.allclose(found, expected, atol=1e-5)
    weights = [layer.output_weight(torch.float32) for layer in anatomy_of(model).layers]
    assert all(type(one) is torch.Tensor for one in weights)


def test_packed_weights_round_inputs() -> None:
    """Weights that say which matrix they stand for are refused where the layer rounds its inputs."""
    model = random_model("llama")
    module = model.get_submodule(PROJECTION)
    pack(module)
    _wrap(module, _to_eight_bits)
    with pytest.raises(ModelError, match=r"projection of layer 1 .*quantized activations"):
        anatomy_of(model)


LAYERS_OF_AN_MLP = ("gate_proj", "up_proj", "down_proj")


def _estimate(model: Any) -> Tensor:
    weights = torch.zeros(IDS.shape)
    weights[:, START:] = 1.0
    return first_order_effects(model, IDS, MASK, weights, end_token_ids=(10, 11)).mlps


@pytest.mark.parametrize("change", [_to_eight_bits, _to_fp8])
@pytest.mark.parametrize("part", LAYERS_OF_AN_MLP)
def test_gradient_does_not_pass_rounded_inputs(change: Callable[[Tensor], Tensor], part: str) -> None:
    """An MLP alone that rounds its inputs has no first-order estimate: its gradient would be the scale's."""
    model = random_model("llama")
    _wrap(model.get_submodule(f"model.layers.1.mlp.{part}"), change)
    anatomy_of(model)
    with pytest.raises(ModelError, match=rf"into the layers\.1\.mlp\.{part} .*quantized act") as raised:
        _estimate(model)
    assert raised.value.problem.endswith("so that no gradient passes through the layer")
    assert "name the unquantized checkpoint" in raised.value.fix


def test_mlp_without_a_gradient() -> None:
    """A kernel that computes no gradient is no error of torch's: the component is named."""
    model = random_model("llama")
    model.model.layers[1].mlp.register_forward_hook(lambda _module, _given, output: output.detach())
    with pytest.raises(ModelError, match=r"computes the MLP of layer 1 without a gradient") as raised:
        _estimate(model)
    assert "name the unquantized checkpoint" in raised.value.fix


def test_heads_without_a_gradient() -> None:
    """The same of what goes into the output projection."""
    model = random_model("llama")
    model.get_submodule(PROJECTION).register_forward_pre_hook(lambda _module, given: given[0].detach())
    with pytest.raises(ModelError, match=r"computes the heads of layer 1 without a gradient"):
        _estimate(model)


def test_gradient_passes_wrapped_layers() -> None:
    """Layers with a forward method of their own that changes nothing have the estimate of plain ones."""
    model, twin = random_model("llama"), random_model("llama")
    for one in LAYERS_OF_AN_MLP:
        _wrap(model.get_submodule(f"model.layers.1.mlp.{one}"), _as_it_is)
    torch.testing.assert_close(_estimate(model), _estimate(twin))


def test_packed_weights_of_another_matrix() -> None:
    """A layer whose weights say another matrix than it multiplies with is refused."""
    model = random_model("llama")
    module = model.get_submodule(PROJECTION)
    pack(module)
    _wrap(module, lambda given: given / 2)
    with pytest.raises(ModelError, match="off by 50 %"):
        anatomy_of(model)


def test_packed_unembedding() -> None:
    """An unembedding whose rows cannot be read is refused by the class of its weights."""
    model = random_model("llama")
    pack(model.lm_head)
    with pytest.raises(ModelError, match="the unembedding as Linear with PackedWeight: quantized"):
        anatomy_of(model)


def test_weights_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a library does not give its weights away, its error is told with the layer's name."""
    model = random_model("llama")
    pack(model.get_submodule(PROJECTION))

    def fail(_self: Any) -> Tensor:
        raise RuntimeError("no kernel for this")

    monkeypatch.setattr(PackedWeight, "dequantize", fail)
    with pytest.raises(ModelError, match=r"layer 1 as Linear with PackedWeight, whose .* no kernel for this"):
        anatomy_of(model)


def test_not_yet_unpacked() -> None:
    """A layer that has no weight before its first run is refused by name."""
    model = random_model("llama")
    module = model.get_submodule(PROJECTION)
    weight = module.weight
    del module.weight
    module.weight_packed = torch.nn.Parameter(weight.to(torch.int32), requires_grad=False)
    with pytest.raises(ModelError, match="projection of layer 1 as Linear: quantized or replaced"):
        anatomy_of(model)


@pytest.mark.parametrize(("dtype", "most"), [(torch.float32, 1e-6), (torch.bfloat16, 4e-3)])
def test_error_of_a_plain_layer(dtype: torch.dtype, most: float) -> None:
    """An ordinary layer with a bias is off by no more than its number format."""
    torch.manual_seed(0)
    module = torch.nn.Linear(256, 2000, dtype=dtype)
    assert error_of(module, module.weight) < most


def test_is_not_watched() -> None:
    """Trying a layer out is seen by nobody who watches its outputs."""
    module = torch.nn.Linear(8, 8)
    seen: list[object] = []
    module.register_forward_hook(lambda *given: seen.append(given))
    error_of(module, module.weight)
    assert not seen


def test_finite() -> None:
    """Of packed weights the integers and scales are looked at, and no operation is asked of the whole."""
    module = torch.nn.Linear(8, 8)
    assert is_finite(module.weight)
    pack(module)
    with pytest.raises(NotImplementedError):
        torch.isfinite(module.weight)
    assert is_finite(module.weight)
    module.weight.scale[3] = torch.nan
    assert not is_finite(module.weight)
