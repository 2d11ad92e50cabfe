"""What a config says about quantization."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from lengthprobe import load
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.checkpoints.quantized import formats as quantization
from lengthprobe.checkpoints.quantized.formats import refuse_unquantized, stated_quantization
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu")


def _state(directory: Path, stated: dict[str, Any]) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"quantization_config": stated}))


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"quant_method": "mystery", "bits": 4}, "names the method 'mystery'"),
        ({"bits": 4}, "names no quant_method"),
        ({"quant_method": 4}, "names the method 4"),
    ],
)
def test_unknown_method(copy_of: Callable[..., Path], stated: dict[str, Any], message: str) -> None:
    """A method that transformers passes over is refused with its key; without the key the model loads."""
    directory = copy_of()
    before = (directory / "config.json").read_text()
    _state(directory, stated)
    with pytest.raises(ModelError, match=rf"quantization_config in .*config.json {message}") as raised:
        load_checkpoint(str(directory), CPU)
    assert "remove quantization_config from config.json" in raised.value.fix
    (directory / "config.json").write_text(before)
    load_checkpoint(str(directory), CPU)


def test_method_without_quantized_weights(copy_of: Callable[..., Path]) -> None:
    """A method that the weights know nothing of is refused with its key."""
    directory = copy_of()
    _state(directory, {"quant_method": "fp8"})
    with pytest.raises(
        ModelError, match=r"names the method 'fp8', and the weights are not quantized \(F32\)"
    ):
        load_checkpoint(str(directory), CPU)


def test_method_with_quantized_weights(copy_of: Callable[..., Path]) -> None:
    """One tensor in the method's format says that the weights are quantized."""
    directory = copy_of()
    file = directory / "model.safetensors"
    tensors = load_file(file)
    tensors["model.layers.0.mlp.up_proj.weight"] = tensors["model.layers.0.mlp.up_proj.weight"].to(
        torch.float8_e4m3fn
    )
    save_file(tensors, file)
    config = load_checkpoint(str(copy_of(name="other")), CPU).files.config
    config.quantization_config = {"quant_method": "fp8"}
    refuse_unquantized(directory / "config.json", config, [file])


_W4: dict[str, Any] = {"num_bits": 4, "type": "int"}
_A8: dict[str, Any] = {"num_bits": 8, "type": "int", "dynamic": True}


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": _W4, "input_activations": None}},
            },
            "compressed-tensors, W4A16",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"one": {"weights": _A8, "input_activations": _A8}, "two": {"weights": _W4}},
            },
            "compressed-tensors, W8A8, W4A16",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {
                    "one": {"weights": {"num_bits": 8, "type": "float"}, "input_activations": _A8}
                },
            },
            "compressed-tensors, W8A8 fp",
        ),
        ({"quant_method": "compressed-tensors", "config_groups": ["odd"]}, "compressed-tensors"),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"W8A8": ["Linear"]}},
            "compressed-tensors, W8A8",
        ),
        (
            {"quant_method": "torchao", "quant_type": {"default": {"_type": "Int8WeightOnlyConfig"}}},
            "torchao, Int8WeightOnlyConfig",
        ),
        ({"quant_method": "torchao", "quant_type": "int4_weight_only"}, "torchao, int4_weight_only"),
        ({"quant_method": "torchao"}, "torchao"),
        ({"quant_method": "quanto", "weights": "int4"}, "quanto, int4"),
        (
            {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 3}}},
            "hqq, 3 bits",
        ),
        ({"quant_method": "hqq", "quant_config": None}, "hqq"),
        ({"quant_method": "gptq", "bits": 4}, "gptq, 4 bits"),
        ({"quant_method": "mxfp4"}, "mxfp4"),
    ],
)
def test_how_it_is_quantized(stated: dict[str, Any], told: str) -> None:
    """A line says of each method how many bits it keeps, where its config says that."""
    assert stated_quantization(LlamaConfig(quantization_config=stated)) == told


def test_hqq_without_quantized_weights(copy_of: Callable[..., Path]) -> None:
    """Plain weights beside the method hqq are refused: transformers would run them as they are."""
    directory = copy_of()
    file = directory / "model.safetensors"
    config = load_checkpoint(str(directory), CPU).files.config
    config.quantization_config = {"quant_method": "hqq"}
    with pytest.raises(ModelError, match="names the method 'hqq', and the weights are not quantized"):
        refuse_unquantized(directory / "config.json", config, [file])


@pytest.mark.parametrize(
    ("stated", "told", "line"),
    [
        (
            {"quant_method": "bitsandbytes", "load_in_4bit": True},
            "bitsandbytes, 4 bits",
            "pip install bitsandbytes accelerate",
        ),
        ({"load_in_8bit": True}, "bitsandbytes, 8 bits", "pip install bitsandbytes accelerate"),
        ({"quant_method": "awq", "bits": 4}, "awq, 4 bits", "pip install gptqmodel accelerate"),
        ({"quant_method": "gptq", "bits": 4}, "gptq, 4 bits", "pip install optimum gptqmodel accelerate"),
        ({"quant_method": "compressed-tensors"}, "compressed-tensors", "compressed-tensors accelerate"),
        ({"quant_method": "fp8"}, "fp8", "pip install accelerate"),
        ({"quant_method": "mxfp4"}, "mxfp4", "pip install accelerate"),
    ],
)
def test_library_that_is_not_there(
    copy_of: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    stated: dict[str, Any],
    told: str,
    line: str,
) -> None:
    """Where what runs a method is missing, the error has the line that installs it."""
    directory = copy_of()
    _state(directory, stated)
    monkeypatch.setattr(quantization, "find_spec", lambda _name: None)
    with pytest.raises(ModelError) as raised:
        load_checkpoint(str(directory), CPU)
    assert f"{directory} cannot be loaded: it is quantized ({told}), and " in raised.value.problem
    assert "not installed" in raised.value.problem
    assert raised.value.fix.endswith(line)


def _in_blocks(tensors: dict[str, torch.Tensor], size: int = 16) -> None:
    """Quantize the layers' matrices to fp8 as DeepSeek and Qwen store them: with a scale a block."""
    for name in [one for one in tensors if ".layers." in one and tensors[one].dim() == 2]:
        weight = tensors[name].float()
        blocks = weight.unflatten(1, (-1, size)).unflatten(0, (-1, size))  # [a, size, b, size]
        scale = blocks.abs().amax((1, 3)) / 448
        narrow = (blocks / scale[:, None, :, None]).to(torch.float8_e4m3fn)
        tensors[name] = narrow.reshape(weight.shape).contiguous()
        tensors[f"{name}_scale_inv"] = scale


def test_fp8_where_no_processor_has_it(copy_of: Callable[..., Path]) -> None:
    """On a CPU the weights are made wide again: this is told, and every claim runs on them."""
    directory = copy_of()
    whole = load_checkpoint(str(directory), CPU).model.model.layers[1].mlp.up_proj.weight.clone()
    tensors = load_file(directory / "model.safetensors")
    _in_blocks(tensors)
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    method = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [16, 16]}
    _state(directory, method)
    checkpoint = load_checkpoint(str(directory), CPU)
    weight = checkpoint.model.model.layers[1].mlp.up_proj.weight
    assert 0 < (weight - whole).abs().max() < 0.07 * whole.abs().max()
    assert checkpoint.quantized == "fp8; made float32 again when it was loaded, and run as that"
    probe = load(str(directory), device_map="cpu", cap=20, lengths=(3, 5), budget=6)
    assert len(probe.responses("en")) == 6
    assert probe.proof.problem is None
    assert probe.proof.gap < 1e-5


def test_run_once_when_it_is_loaded(copy_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Quantized weights are run on a token when they are loaded: what does not run is told then."""
    directory = copy_of()
    tensors = load_file(directory / "model.safetensors")
    _in_blocks(tensors)
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    _state(directory, {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [16, 16]})

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no kernel for this")

    monkeypatch.setattr(LlamaForCausalLM, "forward", fail)
    with pytest.raises(
        ModelError, match=r"is quantized \(fp8; .*does not run in float32 on cpu: .*no kernel"
    ):
        load_checkpoint(str(directory), CPU)


@pytest.mark.parametrize("bits", [4, 8])
def test_bitsandbytes(copy_of: Callable[..., Path], bits: int) -> None:
    """It runs where its library is there; of 4 bits the components add up, and 8 are refused by name.

    Where it is not there, the line that installs it is told.
    """
    directory = copy_of()
    if find_spec("bitsandbytes") is None:
        _state(directory, {"quant_method": "bitsandbytes", f"load_in_{bits}bit": True})
        with pytest.raises(ModelError, match="bitsandbytes is not installed"):
            load_checkpoint(str(directory), CPU)
        return
    import transformers

    method = transformers.BitsAndBytesConfig(**{f"load_in_{bits}bit": True})  # type: ignore[no-untyped-call]
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, quantization_config=method)
    model.save_pretrained(directory)
    checkpoint = load_checkpoint(str(directory), CPU)
    assert checkpoint.quantized == f"bitsandbytes, {bits} bits; run as it is"
    probe = load(str(directory), device_map="cpu", cap=20, lengths=(3, 5), budget=6)
    own = [one.token_ids for one in probe.responses("en")]
    assert len(own) == 6
    if bits == 4:
        assert probe.proof.problem is None
        assert probe.proof.gap < 1e-5
        with probe.ablated("L0H0,L1H1") as without:
            assert [one.token_ids for one in without.responses("en")] != own
    else:
        assert "attention output projection of layer 0 as Linear8bitLt" in str(probe.proof.problem)
