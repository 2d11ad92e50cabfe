"""Reduction: from vectors to one number for each component, position and target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from lengthprobe.attribution.readout import Readout


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The target at m positions: the centred logit of a token, or the difference of two tokens' logits.

    Args:
        token: The token, [m].
        less: The token whose logit is subtracted, [m], or None.
    """

    token: Tensor
    less: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """Direct logit attribution at m positions.

    Args:
        heads: [m, L, H]
        mlps: [m, L]
        embedding: [m]
        biases: [m]
        logits: The centred logit, computed from the final norm's output and not from the components, [m]
        rounding: ‖x ⊙ v‖: the stream's rounding errors are in proportion to this, [m]
    """

    heads: Tensor
    mlps: Tensor
    embedding: Tensor
    biases: Tensor
    logits: Tensor
    rounding: Tensor


class Reduction:
    """Takes each component's output at m positions during a pass, and keeps scalars only.

    Projections of token directions are computed once for each distinct token. The final norm's scale, which
    is known last, is applied at the end.

    Args:
        readout: The model's readout.
        targets: The targets, for the same m positions.
    """

    def __init__(self, readout: Readout, targets: Sequence[Target]) -> None:
        self._readout = readout
        self._anatomy = readout.anatomy
        self._dtype = readout.anatomy.dtype
        tokens = [token for target in targets for token in (target.token, target.less) if token is not None]
        self._tokens = torch.unique(torch.cat(tokens))
        self._table = readout.directions(self._tokens)  # [k, d]
        self._targets = [
            (self._place(target.token), None if target.less is None else self._place(target.less))
            for target in targets
        ]
        self._rows = self._gathered(self._table)  # each [m, d]
        self._heads: list[list[Tensor]] = [[] for _ in targets]
        self._mlps: list[list[Tensor]] = [[] for _ in targets]
        self._embedding: list[Tensor] = []
        self._attention_bias: list[Tensor | float] = [0.0 for _ in targets]

    def embedding(self, stream: Tensor) -> None:
        """Take the stream before the first layer, [m, d]."""
        self._embedding = self._dots(stream)

    def heads(self, layer: int, heads: Tensor, scale: Tensor | None) -> None:
        """Take a layer's heads, [m, H · head_dim], and the inverse scale of a norm after them, [m]."""
        modules, home = self._anatomy.layers[layer], heads.device
        norm, bias = modules.attention_norm, modules.projection.bias
        gain = None if norm is None else norm.gain(self._dtype).to(home)
        table = self._table.to(home)
        projected = (table if gain is None else table * gain) @ modules.output_weight(self._dtype).to(home)
        outputs = heads.to(self._dtype)
        for index, rows in enumerate(self._gathered(projected)):
            terms = (outputs * rows).view(len(rows), self._anatomy.n_heads, self._anatomy.head_dim).sum(-1)
            self._heads[index].append(self._home(terms if scale is None else terms * scale.to(home)[:, None]))
            if bias is not None:
                added = self._rows[index].to(home) @ (
                    bias.to(self._dtype) if gain is None else bias.to(self._dtype) * gain
                )
                self._attention_bias[index] = self._attention_bias[index] + self._home(
                    added if scale is None else added * scale.to(home)
                )

    def mlp(self, layer: int, output: Tensor) -> None:  # noqa: ARG002  (layers come in order)
        """Take the addition of a layer's MLP, [m, d]."""
        for mlps, terms in zip(self._mlps, self._dots(output), strict=True):
            mlps.append(terms)

    def final(self, stream: Tensor, normed: Tensor) -> None:
        """Take the stream before and after the final norm, [m, d] both."""
        stream = self._home(stream).to(self._dtype)
        self._scale = self._anatomy.final_norm.inverse_scale(stream)  # [m]
        self._rounding = [(stream * rows).norm(dim=-1) * self._scale for rows in self._rows]
        unembedding = self._readout.unembedding(self._tokens)
        normed = self._home(normed).to(self._dtype)
        own = self._anatomy.unembedding.bias
        added = None
        if own is not None:
            added = own[self._tokens].to(self._dtype) - self._readout.mean_bias
        self._logits = [(normed * rows).sum(-1) for rows in self._gathered(unembedding)]
        if added is not None:
            self._logits = [
                logits + rows for logits, rows in zip(self._logits, self._gathered(added), strict=True)
            ]

    def results(self) -> list[Reduced]:
        """The attribution to each target, once everything has been taken."""
        results = []
        biases = self._gathered(self._readout.biases(self._tokens))
        # Of a stream that is NaN every component would be: as they are, they tell which one broke it.
        scale = torch.where(self._scale.isfinite(), self._scale, 1.0)
        for index, bias in enumerate(biases):
            results.append(
                Reduced(
                    heads=torch.stack(self._heads[index], 1) * scale[:, None, None],
                    mlps=torch.stack(self._mlps[index], 1) * scale[:, None],
                    embedding=self._embedding[index] * scale,
                    biases=bias + self._attention_bias[index] * scale,
                    logits=self._logits[index],
                    rounding=self._rounding[index],
                )
            )
        return results

    def _place(self, tokens: Tensor) -> Tensor:
        return torch.searchsorted(self._tokens, tokens)

    def _gathered(self, table: Tensor) -> list[Tensor]:
        """Each target's rows of a table with a row for each distinct token: [k, …] to [m, …]."""
        gathered = []
        for token, less in self._targets:
            rows = table.index_select(0, token.to(table.device))
            gathered.append(rows if less is None else rows - table.index_select(0, less.to(table.device)))
        return gathered

    def _dots(self, output: Tensor) -> list[Tensor]:
        wide = output.to(self._dtype)
        return [self._home((wide * rows.to(output.device)).sum(-1)) for rows in self._rows]

    def _home(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._table.device)
