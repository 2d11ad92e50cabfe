"""The outputs of a model's components over some positions, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lengthprobe.components.ablation import MeanOutputs

    Floats = NDArray[np.float32]

_NAMES = ("heads", "mlps", "mean heads", "mean mlps")


@dataclass(frozen=True, slots=True, eq=False)
class ComponentOutputs:
    """The outputs of a model's components over some positions.

    Args:
        heads: The mean length of each head's addition to the residual stream, after any norm, [L, H].
        mlps: The mean length of each MLP's addition, [L].
        mean_heads: The mean output of each layer's heads, side by side, [L, H · head_dim].
        mean_mlps: The mean output of each MLP, [L, d].
    """

    heads: Floats
    mlps: Floats
    mean_heads: Floats
    mean_mlps: Floats

    @property
    def means(self) -> MeanOutputs:
        """The mean outputs as tensors, for mean ablation."""
        # They import torch, which a reader of lengths has no need of.
        import torch

        from lengthprobe.components.ablation import MeanOutputs

        return MeanOutputs(
            tuple(map(torch.from_numpy, self.mean_heads)), tuple(map(torch.from_numpy, self.mean_mlps))
        )

    def to_bytes(self) -> bytes:
        """The outputs as bytes."""
        from safetensors.numpy import save

        arrays = (self.heads, self.mlps, self.mean_heads, self.mean_mlps)
        packed: bytes = save(
            {name: array.astype("float32") for name, array in zip(_NAMES, arrays, strict=True)}
        )
        return packed

    @classmethod
    def from_bytes(cls, made: bytes) -> ComponentOutputs:
        """The outputs from bytes."""
        from safetensors.numpy import load

        arrays = load(made)
        return cls(*(arrays[name] for name in _NAMES))
