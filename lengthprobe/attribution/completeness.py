"""Completeness: all components together make the logit, or the architecture's entry is wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import torch

from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

    from lengthprobe.components.anatomy import Anatomy


class Terms(Protocol):
    """The components' terms, and the logits as their sum, at m positions or for n rows over T steps."""

    @property
    def heads(self) -> Tensor:
        """[…, L, H]"""

    @property
    def mlps(self) -> Tensor:
        """[…, L]"""

    @property
    def embedding(self) -> Tensor:
        """[…]"""

    @property
    def biases(self) -> Tensor:
        """[…]"""

    @property
    def logits(self) -> Tensor:
        """[…]"""

    @property
    def rounding(self) -> Tensor:
        """[…]"""


def completeness_gap(terms: Terms) -> float:
    """The largest |sum of components − logit| of any step, as a share of their size Σ_c |DLA(c)|."""
    gap, size = _gap_and_size(terms)
    return float((gap / size.clamp(min=torch.finfo(size.dtype).tiny)).max()) if gap.numel() else 0.0


def tolerance(terms: Terms, dtype: torch.dtype) -> Tensor:
    """The greatest allowed distance, by rounding alone, between the components' sum and the logit, […].

    Ours. A stream of 2 L additions is rounded 2 L times, each time by at most half of epsilon a dimension, in
    directions unrelated to the target. So the error grows as the root of the number of roundings, in
    proportion to ‖x ⊙ v‖. Eight times this error is allowed, and the float32 rounding of the sums.
    """
    _, size = _gap_and_size(terms)
    layers = terms.mlps.shape[-1]
    stream = 8 * torch.finfo(dtype).eps * math.sqrt(2 * layers + 4) * terms.rounding
    return stream + 32 * torch.finfo(torch.float32).eps * size


def check_completeness(name: str, anatomy: Anatomy, terms: Terms) -> None:
    """Check that the components of a checkpoint add up to its logits.

    Args:
        name: The checkpoint.
        anatomy: The checkpoint's components.
        terms: The components' terms on some prompts.

    Raises:
        ModelError: The components do not add up; or a term is NaN, and the message names the first of these.
    """
    _check_finite(name, terms)
    gap, _ = _gap_and_size(terms)
    if (gap <= tolerance(terms, anatomy.coarsest)).all():
        return
    dtype = str(anatomy.coarsest).removeprefix("torch.")
    raise ModelError(
        f"{name}: the components of architecture {anatomy.architecture} do not add up to its logits: "
        f"they miss by {completeness_gap(terms):.2g} of their size, "
        f"up to {float(gap.max()):.3g} (in {dtype})",
        "the checkpoint's code differs from the architecture's in transformers: mend its entry in "
        "lengthprobe/components/architectures.py; claims about behaviour (behavior_tests) do not need it",
    )


def _gap_and_size(terms: Terms) -> tuple[Tensor, Tensor]:
    heads, mlps = terms.heads, terms.mlps
    total = heads.sum((-2, -1)) + mlps.sum(-1) + terms.embedding + terms.biases
    size = heads.abs().sum((-2, -1)) + mlps.abs().sum(-1) + terms.embedding.abs() + terms.biases.abs()
    return (total - terms.logits).abs(), size


def _check_finite(name: str, terms: Terms) -> None:
    fix = "run it in another format (setting:dtype=float32); if that does not help, it is broken"
    if not torch.isfinite(terms.embedding).all():
        raise ModelError(f"{name} gives NaN or infinite numbers in its embedding", fix)
    for layer in range(terms.mlps.shape[-1]):
        for what, values in (("attention", terms.heads[..., layer, :]), ("MLP", terms.mlps[..., layer])):
            if not torch.isfinite(values).all():
                raise ModelError(
                    f"{name} gives NaN or infinite numbers first in the {what} of layer {layer}", fix
                )
    if not (torch.isfinite(terms.logits).all() and torch.isfinite(terms.biases).all()):
        raise ModelError(f"{name} gives NaN or infinite logits, though its layers are finite", fix)
