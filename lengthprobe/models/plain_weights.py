"""Plain weights: whether a model's parts can be read, or are wrapped, quantized or not in memory."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from torch import nn
from transformers.pytorch_utils import Conv1D

from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import Tensor


def refuse_wrapped(model: Any) -> None:
    """Check that a model is not wrapped by an adapter.

    Raises:
        ModelError: It is.
    """
    # Not by its `peft_config`: peft 0.18 leaves that on a model whose adapter is merged.
    if any(type(module).__module__.startswith("peft.") for module in model.modules()):
        raise ModelError(
            f"{called(model)} is wrapped by an adapter, whose part in each output is its own",
            "merge it first: model = model.merge_and_unload(); or name the adapter's directory",
        )


def check_plain(model: Any, projections: Sequence[Any], unembedding: Any) -> None:
    """Check that weights which attribution reads are plain matrices, or those of 4 bits that stand for one.

    Args:
        model: The model.
        projections: Each layer's output projection, in order.
        unembedding: The module that gives the logits.

    Raises:
        ModelError: One of them is quantized or replaced.
    """
    for at, module in [*enumerate(projections), (None, unembedding)]:
        what = "unembedding" if at is None else f"attention output projection of layer {at}"
        if is_four_bits(module):
            continue
        if type(module) not in (nn.Linear, Conv1D) or not module.weight.is_floating_point():
            raise ModelError(
                f"{called(model)} keeps the {what} as {type(module).__name__}: quantized or replaced, "
                "so that no part's share of its output is defined",
                "attribution needs plain weights: load it unquantized (--lengthprobe-dtype=bfloat16)",
            )


def is_four_bits(module: Any) -> bool:
    """Whether a layer has weights of 4 bits by bitsandbytes: what it computes is linear all the same."""
    return type(module).__name__ == "Linear4bit" and type(module).__module__.startswith("bitsandbytes.")


def matrix_of(module: Any) -> Tensor:
    """The matrix that a linear layer multiplies with, outputs first, in the format it computes in."""
    if is_four_bits(module):
        # Not installed where no such layer can be.
        library: Any = import_module("bitsandbytes.functional")
        found: Tensor = library.dequantize_4bit(module.weight.data, module.weight.quant_state)
        return found.to(module.compute_dtype or found.dtype)
    weight: Tensor = module.weight
    # A Conv1D keeps it the other way round.
    return weight.T if isinstance(module, Conv1D) else weight


def format_of(module: Any) -> torch.dtype:
    """The number format that a linear layer computes in."""
    dtype: torch.dtype = module.weight.quant_state.dtype if is_four_bits(module) else module.weight.dtype
    return dtype


def check_in_memory(model: Any, read: Sequence[Any]) -> None:
    """Check that no weights are nowhere; or offloaded, where they are read here and not by their module.

    Args:
        model: The model.
        read: The modules whose weights are read here.

    Raises:
        ModelError: Some are.
    """
    own = set(map(id, read))
    for name, module in model.named_modules():
        away = any(parameter.is_meta for parameter in module.parameters(recurse=False))
        # accelerate's hook fetches a module's weights when it is called.
        if away and (id(module) in own or not hasattr(module, "_hf_hook")):
            raise ModelError(
                f"{called(model)} has no weights in memory for {name} (meta device, or offloaded)",
                "load it where it fits: --lengthprobe-device-map=balanced over more GPUs, or =cpu",
            )


def called(model: Any) -> str:
    """A model's name, for messages."""
    return str(getattr(model.config, "_name_or_path", "") or type(model).__name__)
