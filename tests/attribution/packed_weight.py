"""A weight of eight-bit integers with a scale a row: a tensor of its own, as of torchao or quanto."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map


class PackedWeight(Tensor):
    """Integers and scales that are a matrix to whoever multiplies with them.

    Args:
        whole: The integers, [outputs, inputs].
        scale: One number a row, [outputs, 1]; its format is the matrix's.
    """

    whole: Tensor
    scale: Tensor

    @staticmethod
    def __new__(cls, whole: Tensor, scale: Tensor) -> PackedWeight:
        """A tensor without values of its own."""
        return torch.Tensor._make_wrapper_subclass(cls, whole.shape, dtype=scale.dtype, device=whole.device)

    def __init__(self, whole: Tensor, scale: Tensor) -> None:
        self.whole, self.scale = whole, scale

    def __tensor_flatten__(self) -> tuple[list[str], None]:
        """The names of the tensors within."""
        return ["whole", "scale"], None

    def dequantize(self) -> Tensor:
        """The matrix."""
        return self.whole.to(self.scale.dtype) * self.scale

    @classmethod
    def __torch_dispatch__(cls, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """What is computed with the matrix. Few operations are known, as of such tensors in general."""
        if func in (torch.ops.aten.detach.default, torch.ops.aten.alias.default):
            return cls(args[0].whole, args[0].scale)
        if func not in (
            torch.ops.aten.t.default,
            torch.ops.aten.mm.default,
            torch.ops.aten.addmm.default,
            torch.ops.aten.linear.default,
        ):
            raise NotImplementedError(f"PackedWeight knows nothing of {func}")

        def opened(one: Any) -> Any:
            return one.dequantize() if isinstance(one, cls) else one

        return func(*tree_map(opened, args), **tree_map(opened, kwargs or {}))


def pack(module: Any, dtype: torch.dtype = torch.float32) -> Tensor:
    """The matrix that a layer's weight stands for, once it is packed; the layer computes in a format then."""
    weight = module.weight.data.float()
    scale = weight.abs().amax(1, keepdim=True) / 127
    packed = PackedWeight((weight / scale).round().to(torch.int8), scale.to(dtype))
    module.weight = nn.Parameter(packed, requires_grad=False)
    return packed.dequantize()
