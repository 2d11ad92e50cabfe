"""Readout: the direction in the residual stream that raises a token's centred logit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from lengthprobe.components.anatomy import Anatomy

# Rows of the unembedding that are converted at a time: they stay in the processor's cache.
_ROWS = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """The reading of tokens off the final residual stream, without the norm's scale.

    A token's direction is g ⊙ u_y with u_y = W_U[y] − mean_v W_U[v] (METHODS §2); with LayerNorm, whose mean
    is taken off the stream, the direction's own mean is taken off instead.

    Args:
        anatomy: The model's components.
        mean: The mean row of the unembedding, [d].
        mean_bias: The mean of the unembedding's bias, 0 without one.
    """

    anatomy: Anatomy
    mean: Tensor
    mean_bias: float

    def unembedding(self, tokens: Tensor) -> Tensor:
        """The centred unembedding u_y of some tokens, [k] to [k, d]."""
        rows: Tensor = self.anatomy.unembedding.weight[tokens.to(self.mean.device)]
        return rows.to(self.mean.dtype) - self.mean

    def directions(self, tokens: Tensor) -> Tensor:
        """The direction of some tokens, [k] to [k, d]; divided by the norm's scale: v of METHODS §2."""
        norm = self.anatomy.final_norm
        directions = self.unembedding(tokens) * norm.gain(self.mean.dtype).to(self.mean.device)
        return directions - directions.mean(-1, keepdim=True) if norm.centres else directions

    def biases(self, tokens: Tensor) -> Tensor:
        """The addition of the final norm's and the unembedding's biases to the centred logit, [k] to [k]."""
        bias = self.anatomy.final_norm.bias(self.mean.dtype)
        biases = (
            torch.zeros(len(tokens), dtype=self.mean.dtype, device=self.mean.device)
            if bias is None
            else self.unembedding(tokens) @ bias.to(self.mean.device)
        )
        own = self.anatomy.unembedding.bias
        return biases if own is None else biases + own[tokens].to(self.mean.dtype) - self.mean_bias


def readout_of(anatomy: Anatomy) -> Readout:
    """The readout of a model. The unembedding is read once, and not copied."""
    weight, bias = anatomy.unembedding.weight, anatomy.unembedding.bias
    total = torch.zeros(weight.shape[1], dtype=torch.float64, device=weight.device)
    for rows in torch.split(weight.detach(), _ROWS):
        total += rows.sum(0, dtype=anatomy.dtype)
    return Readout(
        anatomy,
        (total / len(weight)).to(anatomy.dtype),
        0.0 if bias is None else float(bias.detach().double().mean()),
    )
