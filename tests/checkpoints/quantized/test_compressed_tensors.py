"""compressed-tensors: checkpoints that this library itself quantized and saved."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from compressed_tensors.compressors import ModelCompressor
from compressed_tensors.quantization import (
    QuantizationArgs,
    QuantizationConfig,
    QuantizationScheme,
    apply_quantization_config,
    preset_name_to_scheme,
)
from compressed_tensors.quantization.utils import calculate_qparams, is_module_quantized
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from lengthprobe import load, measures
from lengthprobe.checkpoints.catalog import FIXTURE_FOLDERS
from lengthprobe.errors import ModelError
from lengthprobe.reporting.ledger import Ledger
from lengthprobe.reporting.tables import header

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from lengthprobe.probe import Probe

ORIGINAL = FIXTURE_FOLDERS[-1] / "tiny-it"
# It divides the 64 and the 192 inputs of the layers.
GROUP = 32
FOUR_BITS = QuantizationScheme(
    targets=["Linear"], weights=QuantizationArgs(num_bits=4, strategy="group", group_size=GROUP)
)
EIGHT_BITS = preset_name_to_scheme("W8A8", ["Linear"])
ASKED: dict[str, Any] = {"device_map": "cpu", "cap": 30, "languages": ("en",), "budget": 12}


@dataclass(frozen=True)
class Pair:
    """A probe of a quantized checkpoint, and one of the same values as plain weights."""

    quantized: Probe
    twin: Probe
    values: dict[str, Tensor]


def _quantize(directory: Path, scheme: QuantizationScheme, group: int | None) -> dict[str, Tensor]:
    """Save tiny-it as quantized by the library; return the values that its weights stand for.

    The values are computed here, and not by the library: the rounded weights, by their scale.
    """
    shutil.copytree(ORIGINAL, directory)
    model = AutoModelForCausalLM.from_pretrained(ORIGINAL)
    config = QuantizationConfig(config_groups={"group_0": scheme}, ignore=["lm_head"])
    apply_quantization_config(model, config)
    most, values = 2 ** (scheme.weights.num_bits - 1), {}
    for name, module in model.named_modules():
        if is_module_quantized(module):
            weight = module.weight.detach().unflatten(1, (-1, group or module.in_features))
            scale, _ = calculate_qparams(weight.amin(-1), weight.amax(-1), scheme.weights)
            module.weight_scale.data.copy_(scale)
            whole = (weight / scale[..., None]).round().clamp(-most, most - 1)
            values[f"{name}.weight"] = (whole.float() * scale[..., None].float()).flatten(1)
    compressor = ModelCompressor.from_pretrained_model(model)
    compressor.compress_model(model)
    model.save_pretrained(directory)
    compressor.update_config(directory)
    return values


def _pair(folder: Path, scheme: QuantizationScheme, group: int | None) -> Pair:
    values = _quantize(folder / "quantized", scheme, group)
    twin = shutil.copytree(ORIGINAL, folder / "twin")
    tensors = load_file(ORIGINAL / "model.safetensors")
    save_file(tensors | values, twin / "model.safetensors", metadata={"format": "pt"})
    return Pair(*(load(str(folder / name), **ASKED) for name in ("quantized", "twin")), values)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """tiny-it in weights of four bits, packed and scaled in groups, and its plain twin."""
    pair = _pair(tmp_path_factory.mktemp("W4A16"), FOUR_BITS, GROUP)
    for probe in (pair.quantized, pair.twin):
        probe.prepare(traces=True)
    return pair


def _round(_module: Any, given: tuple[Tensor]) -> Tensor:
    """The inputs of a layer in eight bits, each token by a scale of its own: 255 steps from end to end."""
    # Of padding all may be zero.
    scale = (given[0].abs().amax(-1, keepdim=True) / 127.5).clamp(min=1e-9)
    return (given[0] / scale).round().clamp(-128, 127) * scale


@pytest.fixture(scope="module")
def rounding(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """tiny-it in weights and inputs of eight bits, and a plain twin whose layers round their inputs."""
    pair = _pair(tmp_path_factory.mktemp("W8A8"), EIGHT_BITS, None)
    for name in pair.values:
        layer = pair.twin.checkpoint.model.get_submodule(name.removesuffix(".weight"))
        layer.register_forward_pre_hook(_round)
    return pair


def _written(probe: Probe) -> list[tuple[tuple[int, ...], str]]:
    return [(one.token_ids, one.finish_reason) for one in probe.responses("en")]


def _header(probe: Probe) -> str:
    ledger = Ledger()
    ledger.models["model"] = probe.identity().as_dict()
    return "\n".join(header(ledger, probe.settings, {}, {}))


def test_is_stored_packed(packed: Pair) -> None:
    """The file holds eight weights of four bits in an integer, and none of the matrices themselves."""
    stored = load_file(packed.quantized.files.weights[0])
    assert len(packed.values) == 35
    for name, values in packed.values.items():
        assert name not in stored
        assert stored[f"{name}_packed"].dtype == torch.int32
        assert stored[f"{name}_packed"].numel() == values.numel() / 8


def test_values(packed: Pair) -> None:
    """Each layer multiplies with the values that its packed weights and their scales stand for."""
    model = packed.quantized.checkpoint.model
    for name, values in packed.values.items():
        assert torch.equal(model.get_parameter(name), values), name


def test_behaviour(packed: Pair) -> None:
    """Each response is that of the twin, and not that of the original; so each measure is the twin's."""
    found = _written(packed.quantized)
    assert len(found) == 12
    assert found == _written(packed.twin)
    assert found != _written(load("tiny-it", **ASKED))
    errors = [measures.length_error(one, language="en") for one in (packed.quantized, packed.twin)]
    assert errors[0].mean == errors[1].mean


def test_components_add_up(packed: Pair) -> None:
    """The components add up to the logits, at the proof and at each step of each response."""
    parts = packed.quantized.proof
    assert parts.problem is None
    assert (parts.n_layers, parts.n_heads) == (5, 4)
    assert 0 < parts.gap < 1e-5


def test_attribution(packed: Pair) -> None:
    """What each component does in a response is what it does in the twin's."""
    for found, expected in zip(packed.quantized.traces("en"), packed.twin.traces("en"), strict=True):
        arrays = expected.trace.as_arrays("")
        for name, array in found.trace.as_arrays("").items():
            np.testing.assert_array_equal(array, arrays[name], err_msg=name)


def test_ablation(packed: Pair) -> None:
    """Without the heads of a layer it writes what the twin writes without them: something else."""
    written = []
    for probe in (packed.quantized, packed.twin):
        with probe.ablated("L2H*") as without:
            written.append(_written(without))
    assert written[0] == written[1]
    assert written[0] != _written(packed.quantized)


def test_header(packed: Pair, rounding: Pair) -> None:
    """Above the table stand the bits of weights and inputs; of plain weights nothing is told."""
    assert "quantized: compressed-tensors, W4A16; run as it is" in _header(packed.quantized)
    assert "quantized: compressed-tensors, W8A8; run as it is" in _header(rounding.quantized)
    assert "quantized:" not in _header(packed.twin)


def test_behaviour_of_rounded_inputs(rounding: Pair) -> None:
    """Each response is that of a model with the same weights and inputs, and not that of the original."""
    found = _written(rounding.quantized)
    assert len(found) == 12
    assert found == _written(rounding.twin)
    assert found != _written(load("tiny-it", **ASKED))


def test_attribution_of_rounded_inputs(rounding: Pair) -> None:
    """Its components are refused with the first layer that rounds its inputs."""
    with pytest.raises(ModelError) as raised:
        rounding.quantized.traces("en")
    assert "the attention output projection of layer 0" in raised.value.problem
    assert "quantized activations" in raised.value.problem
    assert "name the unquantized checkpoint" in raised.value.fix
