"""Ablation: components whose output is replaced, at prompt and generated positions alike (METHODS §4)."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from lengthprobe.models.components import MODES, Ablation, Component

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from lengthprobe.models.anatomy import Anatomy


@dataclass(frozen=True, slots=True, eq=False)
class MeanOutputs:
    """The mean output of every component over some positions.

    Args:
        heads: For each layer, its heads side by side, [H · head_dim].
        mlps: For each layer, [d].
    """

    heads: tuple[Tensor, ...]
    mlps: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Surgery:
    """The ablation of each row of a batch.

    Args:
        anatomy: The model's parts.
        rows: What is ablated in each of n rows.
        means: What `mean` puts in place; needed only for it.
        donors: For `resample`, the prompt of each row's donor, as tokens; else empty.
    """

    anatomy: Anatomy
    rows: tuple[Ablation, ...]
    means: MeanOutputs | None = None
    donors: tuple[tuple[int, ...], ...] = ()

    def of(self, places: Sequence[int]) -> Surgery:
        """The same for some of the rows."""
        donors = tuple(self.donors[at] for at in places) if self.donors else ()
        return Surgery(self.anatomy, tuple(self.rows[at] for at in places), self.means, donors)

    @contextmanager
    def applied(self, donors_seen: Tensor | None = None) -> Iterator[None]:
        """While the block lasts, every forward pass of this thread over these rows is ablated.

        The model's weights stay as they are, other threads are not concerned, and nothing is left behind,
        however the block ends.

        Args:
            donors_seen: Where the n donor rows, which follow the n rows in every pass, have a token of the
                prompt, [n, S]; None without donors.
        """
        owner = threading.get_ident()
        handles: list[Any] = []
        try:
            for at, layer in enumerate(self.anatomy.layers):
                heads = self._masks(at, head=True)
                if heads:
                    hook = self._heads_hook(at, heads, donors_seen, owner)
                    handles.append(layer.projection.register_forward_pre_hook(hook))
                mlps = self._masks(at, head=False)
                if mlps:
                    hook = self._mlp_hook(at, mlps, donors_seen, owner)
                    handles.append(layer.mlp.register_forward_hook(hook))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _masks(self, layer: int, *, head: bool) -> dict[str, Tensor]:
        """By mode, which heads, [n, 1, H], or whether the MLP, [n, 1, 1], is replaced in each row."""
        places: tuple[int | None, ...] = tuple(range(self.anatomy.n_heads)) if head else (None,)
        found = {}
        for mode in MODES:
            mask = torch.tensor(
                [[Component(layer, place) in getattr(row, mode) for place in places] for row in self.rows]
            )
            if mask.any():
                found[mode] = mask[:, None, :]
        return found

    def _heads_hook(
        self, at: int, masks: dict[str, Tensor], donors_seen: Tensor | None, owner: int
    ) -> Callable[..., Any]:
        shape = (self.anatomy.n_heads, self.anatomy.head_dim)
        mean = None if self.means is None else self.means.heads[at]
        replace = _Replacement({mode: mask[..., None] for mode, mask in masks.items()}, donors_seen)

        def hook(_module: object, args: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            if threading.get_ident() != owner:
                return None
            heads = args[0].view(*args[0].shape[:-1], *shape)
            into = None if mean is None else mean.view(shape)
            return (replace(heads, into).flatten(-2), *args[1:])

        return hook

    def _mlp_hook(
        self, at: int, masks: dict[str, Tensor], donors_seen: Tensor | None, owner: int
    ) -> Callable[..., Any]:
        mean = None if self.means is None else self.means.mlps[at]
        replace = _Replacement(masks, donors_seen)

        def hook(_module: object, _args: object, output: Tensor) -> Tensor | None:
            return replace(output, mean) if threading.get_ident() == owner else None

        return hook


class _Replacement:
    """Replaces outputs of a batch where masks say so.

    Args:
        masks: By mode, [n, 1, ...].
        donors_seen: As in `Surgery.applied`.
    """

    def __init__(self, masks: dict[str, Tensor], donors_seen: Tensor | None) -> None:
        self._masks = masks
        self._seen = donors_seen

    def __call__(self, outputs: Tensor, mean: Tensor | None) -> Tensor:
        # Of models spread over several devices, each layer is always on the same one.
        masks = self._masks = {mode: mask.to(outputs.device) for mode, mask in self._masks.items()}
        n = len(next(iter(masks.values())))
        own = outputs[:n]
        if "zero" in masks:
            # Not a product: it would keep what is infinite or not a number.
            own = own.masked_fill(masks["zero"], 0.0)
        if "mean" in masks:
            assert mean is not None
            own = torch.where(masks["mean"], mean.to(outputs), own)
        if "resample" in masks:
            own = torch.where(self._with_donor(masks["resample"], outputs), outputs[n:], own)
        return own if len(outputs) == n else torch.cat([own, outputs[n:]])

    def _with_donor(self, mask: Tensor, outputs: Tensor) -> Tensor:
        """The mask, without the positions at which the donor's prompt has no token."""
        if self._seen is None or outputs.shape[1] < self._seen.shape[1]:
            return mask
        seen = self._seen.to(outputs.device)
        after = seen.new_ones(len(seen), outputs.shape[1] - seen.shape[1])
        there = torch.cat([seen, after], 1).bool()
        return mask & there.view(*there.shape, *[1] * (mask.dim() - 2))
