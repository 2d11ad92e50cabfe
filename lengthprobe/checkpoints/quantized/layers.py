"""Quantized layers: the matrix of a layer, and whether the layer's output is matrix times input."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor

# So many inputs, and at most so many outputs, are tried.
_ROWS = 16
_OUTPUTS = 1024


def stands_for_matrix(module: Any) -> bool:
    """Whether the matrix of a quantized layer can be read."""
    return is_four_bits(module) or _is_packed(module)


def is_four_bits(module: Any) -> bool:
    """Whether a layer has weights of 4 bits by bitsandbytes."""
    return type(module).__name__ == "Linear4bit" and type(module).__module__.startswith("bitsandbytes.")


def dequantized_matrix(module: Any) -> Tensor:
    """The matrix of a quantized layer, outputs first, in the number format of the computation."""
    if is_four_bits(module):
        # Not installed where no such layer can be.
        library: Any = import_module("bitsandbytes.functional")
        matrix: Tensor = library.dequantize_4bit(module.weight.data, module.weight.quant_state)
        return matrix.to(module.compute_dtype or matrix.dtype)
    weight: Tensor = module.weight.dequantize()
    return weight


def format_of(module: Any) -> torch.dtype:
    """The number format of a linear layer's computation."""
    dtype: torch.dtype = module.weight.quant_state.dtype if is_four_bits(module) else module.weight.dtype
    return dtype


def is_untouched(module: Any) -> bool:
    """Whether a layer's weight is an ordinary tensor, and its forward the forward of its class."""
    return type(module.weight.data) is torch.Tensor and "forward" not in vars(module)


@torch.no_grad()
def error_of(module: Any, matrix: Tensor) -> float:
    """The distance of a layer's output from matrix times input, as a share of the output's size.

    The inputs are cubes of normal numbers: a few are large, as in a language model. A layer that rounds its
    inputs to eight bits loses the small ones beside them.

    Args:
        module: A linear layer.
        matrix: [outputs, inputs]
    """
    given = torch.randn((_ROWS, matrix.shape[1]), generator=torch.Generator().manual_seed(0)).pow(3)
    given = given.to(matrix.device, matrix.dtype)
    # Not the module itself: whoever watches its outputs is not to see this one.
    output = module.forward(given)[:, :_OUTPUTS]
    bias = getattr(module, "bias", None)
    expected = given.double() @ matrix[:_OUTPUTS].double().T
    if bias is not None:
        expected += bias[:_OUTPUTS].double()
    return float((output.double() - expected).norm() / expected.norm())


def is_finite(tensor: Tensor) -> bool:
    """Whether a weight has neither NaN nor infinity; of a quantized weight, all inner tensors count."""
    flatten = getattr(tensor, "__tensor_flatten__", None)
    if flatten is not None:
        return all(is_finite(getattr(tensor, name)) for name in flatten()[0])
    # What has one byte is not looked at, and what is on no device cannot be.
    checkable = tensor.is_floating_point() and tensor.itemsize > 1 and not tensor.is_meta
    return not checkable or bool(torch.isfinite(tensor).all())


def _is_packed(module: Any) -> bool:
    """Whether a layer's weight is a tensor of torchao, quanto or the like, with a `dequantize` of its own."""
    kind = type(getattr(module, "weight", None))
    return (
        isinstance(module, torch.nn.Linear)
        and hasattr(kind, "__tensor_flatten__")
        and getattr(kind, "dequantize", torch.Tensor.dequantize) is not torch.Tensor.dequantize
    )
