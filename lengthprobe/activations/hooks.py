"""Hooks on a model: each component's addition to the residual stream, handed to a receiver."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from lengthprobe.components.anatomy import output_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from lengthprobe.components.anatomy import Anatomy


class Receiver(Protocol):
    """Takes the outputs of the components during a forward pass over n rows and S positions."""

    def embedding(self, stream: Tensor) -> None:
        """The stream before the first layer, [n, S, d]."""

    def attention(self, layer: int, heads: Tensor, output: Tensor) -> None:
        """The heads' outputs side by side, [n, S, H · head_dim], and their projection, [n, S, d]."""

    def mlp(self, layer: int, output: Tensor) -> None:
        """The addition of an MLP, [n, S, d]."""

    def final(self, stream: Tensor, normed: Tensor) -> None:
        """The stream before and after the final norm, [n, S, d] both."""


@contextmanager
def watch_components(anatomy: Anatomy, receiver: Receiver) -> Iterator[None]:
    """Hand every component's output to a receiver, within the block; nothing in the model changes.

    Only passes of this thread are handed over: another thread may run the same model meanwhile.
    """
    handles: list[Any] = []
    owner = threading.get_ident()

    def mine() -> bool:
        return threading.get_ident() == owner

    def first(_module: object, args: tuple[Tensor, ...], kwargs: dict[str, Tensor]) -> None:
        if mine():
            receiver.embedding(args[0] if args else kwargs["hidden_states"])

    def attention(layer: int) -> Callable[[object, tuple[Tensor, ...], Tensor], None]:
        return lambda _module, args, output: receiver.attention(layer, args[0], output) if mine() else None

    def mlp(layer: int) -> Callable[[object, tuple[Tensor, ...], Any], None]:
        return lambda _module, _args, output: receiver.mlp(layer, output_of(output)) if mine() else None

    def final(_module: object, args: tuple[Tensor, ...], output: Tensor) -> None:
        if mine():
            receiver.final(args[0], output)

    try:
        handles.append(anatomy.block.register_forward_pre_hook(first, with_kwargs=True))
        for index, layer in enumerate(anatomy.layers):
            handles.append(layer.projection.register_forward_hook(attention(index)))
            handles.append(layer.mlp.register_forward_hook(mlp(index)))
        handles.append(anatomy.final_norm.module.register_forward_hook(final))
        yield
    finally:
        for handle in handles:
            handle.remove()


class KeptOutputs:
    """A receiver that keeps the outputs at some positions, to be reduced later.

    Args:
        anatomy: The model's components.
        select: Gives the positions wanted: [n, S, x] to [m, x].
    """

    def __init__(self, anatomy: Anatomy, select: Callable[[Tensor], Tensor]) -> None:
        self._anatomy = anatomy
        self._select = select
        self._embedding: list[Tensor] = []
        self._heads: list[list[Tensor]] = [[] for _ in anatomy.layers]
        self._scales: list[list[Tensor]] = [[] for _ in anatomy.layers]
        self._mlps: list[list[Tensor]] = [[] for _ in anatomy.layers]
        self._streams: list[Tensor] = []
        self._normed: list[Tensor] = []

    @property
    def passes(self) -> int:
        """The number of forward passes kept."""
        return len(self._normed)

    @property
    def normed(self) -> Tensor:
        """The last pass' stream after the final norm, [m, d]."""
        return self._normed[-1]

    def embedding(self, stream: Tensor) -> None:
        """Keep the embedding at the positions."""
        self._embedding.append(self._select(stream))

    def attention(self, layer: int, heads: Tensor, output: Tensor) -> None:
        """Keep the heads' outputs at the positions, and the inverse scale of a following norm."""
        self._heads[layer].append(self._select(heads))
        norm = self._anatomy.layers[layer].attention_norm
        if norm is not None:
            self._scales[layer].append(norm.inverse_scale(self._select(output).to(self._anatomy.dtype)))

    def mlp(self, layer: int, output: Tensor) -> None:
        """Keep the MLP's addition at the positions."""
        self._mlps[layer].append(self._select(output))

    def final(self, stream: Tensor, normed: Tensor) -> None:
        """Keep the final stream at the positions, before and after the norm."""
        self._streams.append(self._select(stream))
        self._normed.append(self._select(normed))

    def take(self, passes: int, live: Tensor, reduction: Reduces) -> None:
        """Hand the first passes to a reduction, and forget them.

        Args:
            passes: How many.
            live: Which of their positions count, [passes · m] indices.
            reduction: Takes m' positions at a time.
        """

        def joined(kept: list[Tensor]) -> Tensor:
            taken = kept[:passes]
            del kept[:passes]
            whole = taken[0] if len(taken) == 1 else _cat(taken)
            return whole.index_select(0, live.to(whole.device))

        reduction.embedding(joined(self._embedding))
        for layer in range(len(self._heads)):
            scale = joined(self._scales[layer]) if self._scales[layer] else None
            reduction.heads(layer, joined(self._heads[layer]), scale)
            reduction.mlp(layer, joined(self._mlps[layer]))
        reduction.final(joined(self._streams), joined(self._normed))


class Reduces(Protocol):
    """Takes the outputs at m positions: `reduction.Reduction`."""

    def embedding(self, stream: Tensor) -> None:
        """[m, d]."""

    def heads(self, layer: int, heads: Tensor, scale: Tensor | None) -> None:
        """[m, H · head_dim], and one over the scale of the norm that follows, [m]."""

    def mlp(self, layer: int, output: Tensor) -> None:
        """[m, d]."""

    def final(self, stream: Tensor, normed: Tensor) -> None:
        """[m, d] both."""


def _cat(tensors: list[Tensor]) -> Tensor:
    import torch

    return torch.cat(tensors)
