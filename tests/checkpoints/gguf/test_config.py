"""The config of a GGUF file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from lengthprobe.checkpoints.files import locate
from lengthprobe.checkpoints.placement import place
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu")


def _config(path: Path) -> Any:
    return locate(str(path), CPU).config


def test_is_that_of_the_twin(gguf_of: Callable[..., Path]) -> None:
    """Every field that decides how the model computes is that of the checkpoint which was converted."""
    found, twin = _config(gguf_of("F32")), locate("tiny-it", CPU).config
    names = (
        *("model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
        *("num_key_value_heads", "head_dim", "vocab_size", "tie_word_embeddings", "max_position_embeddings"),
        *("rope_parameters", "hidden_act", "attention_bias", "mlp_bias"),
    )

    assert {name: getattr(found, name) for name in names} == {name: getattr(twin, name) for name in names}
    assert found.rms_norm_eps == pytest.approx(twin.rms_norm_eps)


@pytest.mark.parametrize("said", [{"llama.vocab_size": None}, {"llama.attention.key_length": 16}])
def test_what_may_be_left_out(gguf_of: Callable[..., Path], said: dict[str, Any]) -> None:
    """The size of the vocabulary is that of the tokenizer where no key says it."""
    assert _config(gguf_of("F32", said=said)).vocab_size == 960


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("Q8_0", torch.bfloat16),
        ("Q4_0", torch.bfloat16),
        ("BF16", torch.bfloat16),
        ("F16", torch.float16),
        ("F32", torch.float32),
    ],
)
def test_dtype(gguf_of: Callable[..., Path], kind: str, dtype: torch.dtype) -> None:
    """Quantized weights run in bfloat16, others in their own format; on a CPU all in float32."""
    found = locate(str(gguf_of(kind)), CPU)

    assert found.config.dtype == dtype
    assert place(found, CPU).dtype == torch.float32
    # As large as they are when they are dequantized.
    assert found.weight_bytes == sum(one.elements for one in found.gguf.tensors) * dtype.itemsize


def test_width_of_a_head(gguf_of: Callable[..., Path]) -> None:
    """The width that the file says goes before that of the rotations."""
    said = {"llama.attention.key_length": 32, "llama.rope.dimension_count": 16}

    assert _config(gguf_of("F32", said=said)).head_dim == 32


@pytest.mark.parametrize(
    ("said", "stated"),
    [
        ({"llama.rope.scaling.type": "none"}, {"rope_type": "default"}),
        ({"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 1.0}, {"rope_type": "default"}),
        (
            {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4.0},
            {"rope_type": "linear", "factor": 4.0},
        ),
        ({"llama.rope.scale_linear": 2.0}, {"rope_type": "linear", "factor": 2.0}),
        (
            {
                "llama.rope.scaling.type": "yarn",
                "llama.rope.scaling.factor": 4.0,
                "llama.rope.scaling.original_context_length": 256,
            },
            {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 256},
        ),
    ],
)
def test_scaled_positions(gguf_of: Callable[..., Path], said: dict[str, Any], stated: dict[str, Any]) -> None:
    """How positions are scaled is taken from the header, which transformers does not do."""
    assert _config(gguf_of("F32", said=said)).rope_parameters == {"rope_theta": 10000.0} | stated


def _gemma(architecture: str, layers: int, heads: int, width: int, head: int, **more: Any) -> dict[str, Any]:
    """What the header of a Gemma says of its sizes."""
    stated: dict[str, Any] = {
        "block_count": layers,
        "context_length": 512,
        "embedding_length": width,
        "feed_forward_length": 64,
        "attention.head_count": heads,
        "attention.head_count_kv": heads,
        "attention.key_length": head,
        "attention.value_length": head,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "attention.sliding_window": 16,
        "rope.freq_base": 10000.0,
    }
    named = {f"{architecture}.{key}": value for key, value in (stated | more).items()}
    return {"general.architecture": architecture} | named


@pytest.mark.parametrize(
    ("architecture", "layers", "heads", "width", "head", "scalar"),
    [
        # The sizes of 27B: 4608 / 32 and 5376 / 32. llama.cpp divides in whole numbers.
        ("gemma2", 46, 32, 4608, 128, 144),
        ("gemma3", 62, 32, 5376, 128, 168),
        # Gemma 2 9B and Gemma 3 4B, whose heads are 256 wide; and one of nobody's with others.
        ("gemma2", 42, 16, 3584, 256, 256),
        ("gemma3", 34, 8, 2560, 256, 256),
        ("gemma3", 6, 4, 640, 64, 64),
        # The layers of the other Gemma's 27B.
        ("gemma3", 46, 32, 4608, 128, 128),
    ],
)
def test_attention_scale_of_a_gemma(
    gguf_of: Callable[..., Path],
    architecture: str,
    layers: int,
    heads: int,
    width: int,
    head: int,
    scalar: int,
) -> None:
    """Attention is scaled as llama.cpp does by the size of a Gemma, of which the header says nothing."""
    found = _config(gguf_of("F32", said=_gemma(architecture, layers, heads, width, head)))

    assert (found.model_type.removesuffix("_text"), found.head_dim) == (architecture, head)
    assert found.query_pre_attn_scalar == scalar


@pytest.mark.parametrize(
    ("architecture", "said", "caps"),
    [
        ("gemma2", {}, (50.0, 30.0)),
        ("gemma2", {"attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0}, (50.0, 30.0)),
        ("gemma2", {"attn_logit_softcapping": 20.0, "final_logit_softcapping": 10.0}, (20.0, 10.0)),
        ("gemma3", {"final_logit_softcapping": 25.0}, (None, 25.0)),
        ("gemma3", {"final_logit_softcapping": 0.0}, (None, None)),
    ],
)
def test_limits_of_logits(
    gguf_of: Callable[..., Path], architecture: str, said: dict[str, Any], caps: tuple[float | None, ...]
) -> None:
    """A limit that the header states goes before the default of the class."""
    found = _config(gguf_of("F32", said=_gemma(architecture, 6, 4, 64, 16, **said)))

    assert (found.attn_logit_softcapping, found.final_logit_softcapping) == caps


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"said": {"llama.rope.scaling.type": "longrope"}}, "longrope"),
        ({"said": {"llama.final_logit_softcapping": 30.0}}, r"final_logit_softcapping = 30\.0"),
        ({"said": _gemma("gemma2", 6, 4, 64, 16, attn_logit_softcapping=-1.0)}, "attn_logit_softcapping"),
        ({"said": {"llama.rope.scaling.type": "yarn"}}, "yarn"),
        ({"added": {"rope_factors_long.weight": np.ones(8, dtype=np.float32)}}, "longrope"),
        ({"said": {"llama.logit_scale": 0.5}}, "logit_scale = 0.5"),
        ({"said": {"llama.residual_scale": 0.25}}, "residual_scale"),
    ],
)
def test_what_transformers_leaves_out(
    gguf_of: Callable[..., Path], changes: dict[str, Any], what: str
) -> None:
    """Without what cannot be told from the header, another model would be judged: it is refused."""
    path = gguf_of("F32", **changes)

    with pytest.raises(ModelError, match=what) as raised:
        locate(str(path), CPU)
    assert str(path) in raised.value.problem
    assert "converted from" in raised.value.fix


@pytest.mark.parametrize(
    "said",
    [{"llama.block_count": None}, {"llama.embedding_length": 0}, {"llama.attention.head_count": "four"}],
)
def test_made_up_header(gguf_of: Callable[..., Path], said: dict[str, Any]) -> None:
    """A header without the sizes of a model, or with impossible ones, never ends in another's error."""
    from lengthprobe.checkpoints.loading import load_checkpoint

    path = gguf_of("F32", said=said)
    with pytest.raises(ModelError) as raised:
        load_checkpoint(str(path), CPU)
    assert str(path) in raised.value.problem
