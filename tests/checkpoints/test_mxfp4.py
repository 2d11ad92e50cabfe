"""mxfp4, as gpt-oss stores its experts: made wide again on a CPU, value by value, and judged as that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from lengthprobe import load
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

CPU = Settings(device_map="cpu")
# Sign, two bits of exponent, one of fraction.
VALUES = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])
BLOCK = 32


def _packed(weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Blocks [E, outputs, I / 32, 16], scales [E, outputs, I / 32] and the values of [E, I, outputs]."""
    blocks = weight.transpose(1, 2).unflatten(-1, (-1, BLOCK))
    # The largest of a block is between 4 and 8 then; 6 is the largest value.
    exponent = blocks.abs().amax(-1).log2().floor() - 2
    scale = torch.exp2(exponent)[..., None]
    codes = ((blocks / scale)[..., None] - VALUES).abs().argmin(-1)
    packed = (codes[..., 0::2] | (codes[..., 1::2] << 4)).to(torch.uint8)
    values = (VALUES[codes] * scale).flatten(-2).transpose(1, 2)
    return packed, (exponent + 127).to(torch.uint8), values


@pytest.fixture
def gpt_oss(copy_of: Callable[..., Path]) -> tuple[Path, dict[str, Tensor]]:
    """A small random gpt-oss whose experts are stored as mxfp4, and the values that they stand for."""
    directory = copy_of()
    vocabulary = json.loads((directory / "config.json").read_text())["vocab_size"]
    config = transformers.GptOssConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        num_local_experts=3,
        num_experts_per_tok=2,
        max_position_embeddings=256,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
    )
    torch.manual_seed(0)
    model = transformers.GptOssForCausalLM(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(directory)
    file = directory / "model.safetensors"
    stored, values = {}, {}
    for name, tensor in load_file(file).items():
        if name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            stored[f"{name}_blocks"], stored[f"{name}_scales"], values[name] = _packed(tensor)
        else:
            stored[name] = tensor
    save_file(stored, file, metadata={"format": "pt"})
    path = directory / "config.json"
    without = ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]
    method = {"quant_method": "mxfp4", "modules_to_not_convert": without}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"quantization_config": method}))
    return directory, values


def test_values(gpt_oss: tuple[Path, dict[str, Tensor]]) -> None:
    """The experts have the values that the blocks and scales stand for, and the header says what was done."""
    directory, values = gpt_oss
    checkpoint = load_checkpoint(str(directory), CPU)
    assert checkpoint.quantized == "mxfp4; made float32 again when it was loaded, and run as that"
    assert len(values) == 4
    for name, expected in values.items():
        assert torch.equal(checkpoint.model.get_parameter(name), expected), name


def test_answers_and_components(gpt_oss: tuple[Path, dict[str, Tensor]]) -> None:
    """It answers, and its components add up to its logits."""
    probe = load(str(gpt_oss[0]), device_map="cpu", cap=20, lengths=(3, 5), budget=6)
    assert len(probe.responses("en")) == 6
    assert probe.proof.problem is None
    assert probe.proof.gap < 1e-5
