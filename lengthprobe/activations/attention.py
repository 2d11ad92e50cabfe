"""Attention: the share of some heads' attention on some tokens, without any layer's whole pattern."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from lengthprobe.checkpoints.forward import run_decoder
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.plain_weights import model_name
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from lengthprobe.components.anatomy import Anatomy
    from lengthprobe.components.names import Component

# What is put in place of a function of transformers is put there by one thread after the other.
_ONE_AT_A_TIME = threading.RLock()
_FAULT = "leave the claims about attention out (pytest --deselect), and tell lengthprobe's authors"


@torch.no_grad()
def attention_shares(
    model: Any,
    input_ids: Tensor,
    attention_mask: Tensor,
    places: Sequence[Sequence[int]],
    heads: Sequence[Component],
    targets: Tensor,
) -> list[Tensor]:
    """The share of each head's attention on sets of tokens, from some places of each row.

    The model computes as always, with the attention implementation of the loaded model, and the outputs are
    the same bit by bit. The wanted rows of the softmax are made again, beside the model, from the layer's
    queries and keys, with the layer's scale, mask and cap on the scores. For n rows over S positions, never
    more than a single row's places times S are in memory. The rows are proved on the spot: softmax times
    values must give the output of the model's own attention.

    Args:
        model: A causal model of transformers, of an architecture in `lengthprobe.components.anatomy`, as
            loaded.
        input_ids: [n, S], padded on the left.
        attention_mask: [n, S], 1 where a token is.
        places: For each row, b columns from which the heads look.
        heads: The heads, h of them.
        targets: The tokens looked at, k sets of them in each row, [k, n, S] bool.

    Returns:
        For each row, the shares at its b places, [b, h, k].

    Raises:
        ModelError: The architecture is not known, the layer's attention cannot be made again, or a head is in
            a layer with linear attention.
    """
    anatomy = anatomy_of(model)
    rows = _Rows(places, heads, targets)
    for layer in rows.layers:
        if anatomy.layers[layer].is_linear:
            raise ModelError(
                f"layer {layer} of {model_name(model)} has linear attention, which gives no token a share",
                "leave the claims about attention out (pytest --deselect); all others can be judged",
            )
    with _watching(_modules(anatomy, rows.layers), rows):
        run_decoder(model, input_ids, attention_mask)
    return rows.shares(model_name(model))


class _Rows:
    """Makes the wanted rows of the softmax, layer by layer during a forward pass.

    Args:
        places, heads, targets: The arguments of `attention_shares`.
    """

    def __init__(self, places: Sequence[Sequence[int]], heads: Sequence[Component], targets: Tensor) -> None:
        self._places = places
        self._targets = targets
        self._by_layer: dict[int, list[tuple[int, int]]] = {}
        for index, component in enumerate(heads):
            if component.head is None:
                raise ValueError(f"{component.name} is no head: an MLP attends to nothing")
            self._by_layer.setdefault(component.layer, []).append((index, component.head))
        self._n_heads = len(heads)
        self._found: dict[int, list[Tensor]] = {}
        self._gap = self._allowed = 0.0

    @property
    def layers(self) -> list[int]:
        """The layers with at least one of the heads."""
        return list(self._by_layer)

    def take(
        self, layer: int, given: Sequence[Tensor], mask: Any, told: Mapping[str, Any], output: Tensor
    ) -> None:
        """Take the inputs and the output of a layer's attention.

        Args:
            layer: The layer.
            given: Queries [n, H, S, x], keys [n, G, S, x] and values [n, G, S, y], a key for H / G heads.
            mask: The layer's mask: None, of tokens [n, S], or of places [n, 1, S, S]; bool, or to be added to
                the scores.
            told: Further arguments of the attention: `scaling`, `softcap`, `sliding_window`, `s_aux`.
            output: [n, S, H, y]
        """
        query, key, value = given
        of_layer = [head for _, head in self._by_layer[layer]]
        groups = query.shape[1] // key.shape[1]
        keys = [head // groups for head in of_layer]
        wide = torch.float64 if query.dtype == torch.float64 else torch.float32
        scale = told.get("scaling")
        scale = query.shape[-1] ** -0.5 if scale is None else scale
        shares = []
        for row, columns in enumerate(self._places):
            places = torch.tensor(list(columns), dtype=torch.long, device=query.device)
            # The queries q of b places, the keys k and the values v of S positions, for the layer's h heads:
            # [h, b, x], [h, S, x], [h, S, y].
            q, k, v = (
                query[row, of_layer][:, places].to(wide),
                key[row, keys].to(wide),
                value[row, keys].to(wide),
            )
            scores = (q @ k.transpose(-1, -2)) * scale
            if told.get("softcap") is not None:
                scores = (scores / told["softcap"]).tanh() * told["softcap"]
            masked = _masked(scores, mask, row, places, told.get("sliding_window"))
            seen = _softmax(masked, told.get("s_aux"), of_layer)
            if len(columns):
                own = output[row, places][:, of_layer].transpose(0, 1).to(wide)
                size = v.abs().max().clamp(min=torch.finfo(wide).tiny)
                gap = float((seen @ v - own).abs().max() / size)
                # Not `max`, which would take no notice of what is not a number.
                self._gap = self._gap if gap <= self._gap else gap
            targets = self._targets[:, row].to(seen.device, wide)
            shares.append((seen @ targets.T).transpose(0, 1).float().cpu())
        self._found[layer] = shares
        # Rounding aside, which in half precision is that of the weights too (eager attention's are float32).
        coarse = torch.float32 if wide == torch.float64 else query.dtype
        self._allowed = max(self._allowed, torch.finfo(coarse).eps ** 0.5)

    def shares(self, name: str) -> list[Tensor]:
        """The shares of each row, [b, h, k].

        Raises:
            ModelError: A layer was not seen, or its attention could not be made again.
        """
        unseen = [layer for layer in self.layers if layer not in self._found]
        if unseen:
            raise ModelError(
                f"{name} computes the attention of layer {unseen[0]} by itself, where it cannot be watched",
                _FAULT,
            )
        if self._places and not self._gap <= self._allowed:
            raise ModelError(
                f"the attention of {name}, made again from its queries and keys, is another: it is off by "
                f"{self._gap:.1g} of the largest value",
                _FAULT,
            )
        # As in `attention_shares`: k targets in each row.
        k = len(self._targets)
        whole = [torch.zeros(len(columns), self._n_heads, k) for columns in self._places]
        for layer, heads in self._by_layer.items():
            for row, shares in enumerate(self._found[layer]):
                whole[row][:, [index for index, _ in heads]] = shares
        return whole


def _masked(scores: Tensor, mask: Any, row: int, columns: Tensor, window: int | None) -> Tensor:
    """Scores [h, b, S] of a row, with minus infinity for positions hidden from its places."""
    n_keys = scores.shape[-1]
    if mask is None or mask.ndim == 2:
        # Attention that makes the rest of its mask by itself.
        keys = torch.arange(n_keys, device=scores.device)
        back = columns[:, None] - keys
        seen = (back >= 0) if window is None else (back >= 0) & (back < window)
        if mask is not None:
            seen = seen & mask[row, :n_keys].bool()
        return scores.masked_fill(~seen, -torch.inf)
    own = mask[row if len(mask) > 1 else 0, 0, columns, :n_keys]
    return scores.masked_fill(~own, -torch.inf) if own.dtype == torch.bool else scores + own


def _softmax(scores: Tensor, sinks: Tensor | None, heads: Sequence[int]) -> Tensor:
    """The softmax of scores [h, b, S]; a head's sink takes a share, which then belongs to no token.

    Args:
        scores: The scores of some heads.
        sinks: The score of each head's sink, [H]; None without sinks (they are gpt-oss').
        heads: The heads.
    """
    if sinks is None:
        return scores.softmax(-1)
    own = sinks[list(heads)].to(scores)[:, None, None].expand(*scores.shape[:-1], 1)
    return torch.cat([scores, own], -1).softmax(-1)[..., :-1]


def _modules(anatomy: Anatomy, layers: Sequence[int]) -> dict[int, int]:
    """The layer of each attention module, by the module's identity."""
    projections = {id(anatomy.layers[layer].projection): layer for layer in layers}
    return {
        id(module): projections[id(child)]
        for module in anatomy.model.modules()
        for child in module.children()
        if id(child) in projections
    }


@contextmanager
def _watching(layers: Mapping[int, int], rows: _Rows) -> Iterator[None]:
    """Hand some modules' attention to `rows` within the block, in this thread; the attention is unchanged.

    Every model gets its attention function from the same table of transformers: the result of this lookup is
    wrapped. Neither the model's config nor the mask, which depends on the config, is changed.
    """
    thread, table = threading.get_ident(), ALL_ATTENTION_FUNCTIONS
    with _ONE_AT_A_TIME:
        before = vars(table).get("get_interface")
        known = table.get_interface

        def get_interface(*arguments: Any, **named: Any) -> Any:
            own = known(*arguments, **named)

            def attend(
                module: Any, query: Any, key: Any, value: Any, mask: Any, *more: Any, **options: Any
            ) -> Any:
                result = own(module, query, key, value, mask, *more, **options)
                layer = layers.get(id(module))
                if layer is not None and threading.get_ident() == thread:
                    rows.take(layer, (query, key, value), mask, options, result[0])
                return result

            return attend

        table.get_interface = get_interface  # type: ignore[method-assign]
        try:
            yield
        finally:
            if before is None:
                del table.get_interface
            else:
                table.get_interface = before  # type: ignore[method-assign]
