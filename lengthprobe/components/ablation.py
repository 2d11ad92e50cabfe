"""Ablation: components whose output is replaced, at prompt and generated positions alike (METHODS §4)."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from lengthprobe.components.anatomy import output_of
from lengthprobe.components.names import MODES, Ablation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from lengthprobe.components.anatomy import Anatomy


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
        anatomy: The model's components.
        rows: The ablation of each of n rows.
        means: The outputs for the mode `mean`; needed only for this mode.
        donors: For `resample`, the prompt of each row's donor, as tokens; else empty.
    """

    anatomy: Anatomy
    rows: tuple[Ablation, ...]
    means: MeanOutputs | None = None
    donors: tuple[tuple[int, ...], ...] = ()

    def of(self, places: Sequence[int]) -> Surgery:
        """The surgery on some of the rows."""
        donors = tuple(self.donors[place] for place in places) if self.donors else ()
        return Surgery(self.anatomy, tuple(self.rows[place] for place in places), self.means, donors)

    @contextmanager
    def applied(self, donors_seen: Tensor | None = None) -> Iterator[None]:
        """Ablate every forward pass of this thread over these rows, within the block.

        The model's weights stay as they are, other threads are not concerned, and nothing is left behind,
        however the block ends.

        Args:
            donors_seen: Where the n donor rows, which follow the n rows in every pass, have a token of the
                prompt, [n, S]; None without donors.
        """
        owner = threading.get_ident()
        handles: list[Any] = []
        try:
            heads, mlps = self._masks()
            for index, layer in enumerate(self.anatomy.layers):
                if heads[index]:
                    hook = self._heads_hook(index, heads[index], donors_seen, owner)
                    handles.append(layer.projection.register_forward_pre_hook(hook))
                if mlps[index]:
                    hook = self._mlp_hook(index, mlps[index], donors_seen, owner)
                    handles.append(layer.mlp.register_forward_hook(hook))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _masks(self) -> tuple[list[dict[str, Tensor]], list[dict[str, Tensor]]]:
        """For each layer, by mode: which heads, [n, 1, H], and whether the MLP, [n, 1, 1], of each row."""
        anatomy, n = self.anatomy, len(self.rows)
        heads = torch.zeros(len(MODES), anatomy.n_layers, n, 1, anatomy.n_heads, dtype=torch.bool)
        mlps = torch.zeros(len(MODES), anatomy.n_layers, n, 1, 1, dtype=torch.bool)
        for row, ablation in enumerate(self.rows):
            for mode_index, mode in enumerate(MODES):
                for component in getattr(ablation, mode):
                    masks, place = (mlps, 0) if component.head is None else (heads, component.head)
                    masks[mode_index, component.layer, row, 0, place] = True

        def by_layer(masks: Tensor) -> list[dict[str, Tensor]]:
            return [
                {mode: masks[index, layer] for index, mode in enumerate(MODES) if masks[index, layer].any()}
                for layer in range(anatomy.n_layers)
            ]

        return by_layer(heads), by_layer(mlps)

    def _heads_hook(
        self, layer: int, masks: dict[str, Tensor], donors_seen: Tensor | None, owner: int
    ) -> Callable[..., Any]:
        shape = (self.anatomy.n_heads, self.anatomy.head_dim)
        mean = None if self.means is None else self.means.heads[layer].view(shape)
        replace = _Replacement({mode: mask[..., None] for mode, mask in masks.items()}, mean, donors_seen)

        def hook(_module: object, args: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            if threading.get_ident() != owner:
                return None
            heads = args[0].view(*args[0].shape[:-1], *shape)
            return (replace(heads).flatten(-2), *args[1:])

        return hook

    def _mlp_hook(
        self, layer: int, masks: dict[str, Tensor], donors_seen: Tensor | None, owner: int
    ) -> Callable[..., Any]:
        replace = _Replacement(masks, None if self.means is None else self.means.mlps[layer], donors_seen)

        def hook(_module: object, _args: object, output: Any) -> Any:
            if threading.get_ident() != owner:
                return None
            replaced = replace(output_of(output))
            return (replaced, *output[1:]) if isinstance(output, tuple) else replaced

        return hook


class _Replacement:
    """Replaces a component's outputs where masks say so.

    Args:
        masks: By mode, [n, 1, ...].
        mean: The output for the mode `mean`, [...].
        donors_seen: The argument of `Surgery.applied`.
    """

    def __init__(self, masks: dict[str, Tensor], mean: Tensor | None, donors_seen: Tensor | None) -> None:
        self._masks = masks
        self._mean = mean
        self._seen = donors_seen

    def __call__(self, outputs: Tensor) -> Tensor:
        self._beside(outputs)
        masks = self._masks
        n = len(next(iter(masks.values())))
        if len(outputs) != (n if self._seen is None else 2 * n):
            raise ValueError(f"{len(outputs)} rows in a pass of an ablation that is stated for {n}")
        own = outputs[:n]
        if "zero" in masks:
            # Not a product: it would keep what is infinite or not a number.
            own = own.masked_fill(masks["zero"], 0.0)
        if "mean" in masks:
            assert self._mean is not None
            own = torch.where(masks["mean"], self._mean, own)
        if "resample" in masks:
            own = torch.where(self._with_donor(masks["resample"], outputs), outputs[n:], own)
        return own if len(outputs) == n else torch.cat([own, outputs[n:]])

    def _beside(self, outputs: Tensor) -> None:
        """Move masks, mean and the donors' mask to the layer's device, which is the same in every pass."""
        self._masks = {mode: mask.to(outputs.device) for mode, mask in self._masks.items()}
        if self._mean is not None:
            self._mean = self._mean.to(outputs)
        if self._seen is not None:
            self._seen = self._seen.to(outputs.device)

    def _with_donor(self, mask: Tensor, outputs: Tensor) -> Tensor:
        """The mask, without the positions at which the donor's prompt has no token."""
        seen = self._seen
        assert seen is not None
        if outputs.shape[1] < seen.shape[1]:
            return mask
        after = seen.new_ones(len(seen), outputs.shape[1] - seen.shape[1])
        there = torch.cat([seen, after], 1).bool()
        return mask & there.view(*there.shape, *[1] * (mask.dim() - 2))
