"""A GGUF file in memory: the model that it holds, and no other."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from lengthprobe import load, measures
from lengthprobe.asking.forms import checkpoint_form
from lengthprobe.checkpoints.gguf.weights import check_values
from lengthprobe.checkpoints.loading import Checkpoint, load_checkpoint
from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.runs.identity import identify
from lengthprobe.settings import Settings
from lengthprobe.statistics.forms import merge_forms
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu", cap=30, budget=10)


def _logits(checkpoint: Checkpoint) -> torch.Tensor:
    ids = checkpoint.tokenizer([one.text for one in prompts("en", budget=3)])["input_ids"]
    with torch.inference_mode():
        return torch.cat([checkpoint.model(torch.tensor([row])).logits[0] for row in ids])


@pytest.fixture(scope="module")
def twin() -> Checkpoint:
    """The checkpoint that was converted."""
    return load_checkpoint("tiny-it", CPU)


@pytest.mark.parametrize("kind", ["F32", "F16"])
def test_logits_of_the_twin(gguf_of: Callable[..., Path], twin: Checkpoint, kind: str) -> None:
    """What was not quantized has the logits of the checkpoint that was converted, bit by bit."""
    assert torch.equal(_logits(load_checkpoint(str(gguf_of(kind)), CPU)), _logits(twin))


@pytest.mark.parametrize(("kind", "most"), [("Q8_0", 0.02), ("Q4_0", 0.3)])
def test_logits_near_the_twin(gguf_of: Callable[..., Path], twin: Checkpoint, kind: str, most: float) -> None:
    """What was quantized has nearly them: by the spread of the difference over that of the logits."""
    there = _logits(twin)
    lost = (_logits(load_checkpoint(str(gguf_of(kind)), CPU)) - there).std() / there.std()

    assert 0 < lost < most


def test_no_trace_of_quantization(gguf_of: Callable[..., Path]) -> None:
    """The model in memory is an ordinary one: its parameters are numbers, its config names no method."""
    model = load_checkpoint(str(gguf_of("Q4_0")), CPU).model

    assert {one.dtype for one in model.parameters()} == {torch.float32}
    assert getattr(model.config, "quantization_config", None) is None


def test_claims_and_components(gguf_of: Callable[..., Path]) -> None:
    """A quantized model answers, and its components add up to its logits, as the twin's do."""
    probe = load(str(gguf_of("Q8_0")), budget=40, device_map="cpu", languages=("en",))
    probe.prepare(traces=True)

    assert measures.exact_match(probe, language="en") > 0.8
    assert measures.share(measures.cwa(probe, component="late heads", language="en")) > 0.02
    assert probe.proof.gap < 1e-4


def test_identity(gguf_of: Callable[..., Path]) -> None:
    """Its digest is that of the file, which others state too; the header says how it is stored."""
    path = gguf_of("Q8_0")
    found = identify(load_checkpoint(str(path), CPU), CPU, batch_size=7)

    assert found.weights == sha256(path.read_bytes()).hexdigest()
    assert found.stored == "GGUF Q8_0 (Q8_0 37 tensors, F32 11)"
    assert "gguf" in found.versions


def test_form_is_that_of_the_twin(gguf_of: Callable[..., Path], twin: Checkpoint) -> None:
    """A GGUF and the folder that it was converted from are asked alike: they may be compared."""
    quantized = load_checkpoint(str(gguf_of("Q4_0")), CPU)

    assert merge_forms([checkpoint_form(quantized, CPU)], [checkpoint_form(twin, CPU)])


def test_ends_that_no_header_has_room_for(gguf_of: Callable[..., Path], twin: Checkpoint) -> None:
    """Where a GGUF names fewer ends than its reference, nobody is told to write more into the file."""
    path = gguf_of("Q4_0", said={"tokenizer.ggml.unknown_token_id": 1})

    with pytest.raises(SettingsError, match="responses end differently") as raised:
        merge_forms([checkpoint_form(load_checkpoint(str(path), CPU), CPU)], [checkpoint_form(twin, CPU)])
    assert "eos_token_id" not in raised.value.fix
    assert "across-forms" in raised.value.fix


@pytest.mark.parametrize("said", [{"general.name": "x"}, {"llama.context_length": 256}])
def test_digest_of_the_header(gguf_of: Callable[..., Path], said: dict[str, Any]) -> None:
    """Another header is another config, and the same tokenizer."""
    one, other = (
        identify(load_checkpoint(str(gguf_of("Q8_0", said=each)), CPU), CPU, batch_size=7)
        for each in ({}, said)
    )
    assert one.config != other.config
    assert one.tokenizer == other.tokenizer


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"left_out": ("blk.3.ffn_up.weight",)}, "lacks model.layers.3.mlp.up_proj.weight"),
        (
            {"added": {"blk.0.attn_q.bias": np.ones(64, dtype=np.float32)}},
            r"leaves out .* blk\.0\.attn_q\.bias",
        ),
        ({"added": {"blk.0.made_up.weight": np.ones(64, dtype=np.float32)}}, "made_up"),
        ({"said": {"llama.feed_forward_length": 128}}, "another shape"),
        ({"said": {"llama.block_count": 4}}, r"blk\.4"),
        ({"said": {"llama.block_count": 6}}, r"lacks .*layers\.5"),
        ({"said": {"llama.rope.dimension_count": 8, "llama.attention.key_length": 16}}, "turns 8 dimensions"),
    ],
)
def test_not_all_of_the_file_is_read(
    gguf_of: Callable[..., Path], changes: dict[str, Any], what: str
) -> None:
    """A tensor that is missing, or that transformers passes over, makes another model of the file."""
    path = gguf_of("F32", **changes)

    with pytest.raises(ModelError, match=what) as raised:
        load_checkpoint(str(path), CPU)
    assert str(path) in raised.value.problem


@pytest.mark.parametrize(
    "name",
    [
        "layers.0.self_attn.q_proj",
        "layers.4.self_attn.k_proj",
        "layers.2.mlp.down_proj",
        "layers.1.input_layernorm",
        "embed_tokens",
        "norm",
    ],
)
def test_other_values(gguf_of: Callable[..., Path], name: str) -> None:
    """A parameter that is not as gguf dequantizes it is found, whichever tensor it is."""
    checkpoint = load_checkpoint(str(gguf_of("Q8_0")), CPU)
    assert checkpoint.files.gguf is not None
    check_values(checkpoint.files.gguf, checkpoint.model)

    weight = checkpoint.model.model.get_submodule(name).weight.data
    weight[-1] *= 1.5
    with pytest.raises(ModelError, match="other values"):
        check_values(checkpoint.files.gguf, checkpoint.model)


@pytest.mark.parametrize("name", ["q_proj", "k_proj"])
def test_rows_in_the_order_of_the_file(gguf_of: Callable[..., Path], name: str) -> None:
    """Queries and keys whose rows are left in the order of llama.cpp are found."""
    checkpoint = load_checkpoint(str(gguf_of("F32")), CPU)
    weight = getattr(checkpoint.model.model.layers[1].self_attn, name).weight.data
    heads = weight.shape[0] // 16
    weight.copy_(weight.reshape(heads, 2, 8, 64).swapaxes(1, 2).reshape(weight.shape))

    with pytest.raises(ModelError, match="other values"):
        check_values(checkpoint.files.gguf, checkpoint.model)


def test_slowed_rotations(gguf_of: Callable[..., Path], twin: Checkpoint) -> None:
    """Positions are turned as slowly as the file says, which is how Llama 3.1 is stored."""
    factors = np.linspace(1, 8, 8, dtype=np.float32)
    found = load_checkpoint(str(gguf_of("F32", added={"rope_freqs.weight": factors})), CPU)
    plain = twin.model.model.rotary_emb.inv_freq

    assert torch.allclose(found.model.model.rotary_emb.inv_freq, plain / torch.from_numpy(factors))
    assert not torch.allclose(_logits(found), _logits(twin))


def test_number_format(gguf_of: Callable[..., Path]) -> None:
    """The format that is asked for is the one that it runs in."""
    settings = Settings(device_map="cpu", dtype="bfloat16", budget=10)

    assert load_checkpoint(str(gguf_of("Q8_0")), settings).dtype == torch.bfloat16
