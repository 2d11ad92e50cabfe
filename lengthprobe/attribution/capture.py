"""Capture: attribution during the decoding steps that write a response."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from lengthprobe.activations.hooks import KeptOutputs, watch_components
from lengthprobe.attribution.completeness import check_completeness, completeness_gap
from lengthprobe.attribution.reduction import Reduced, Reduction, Target
from lengthprobe.attribution.trace import Contributions, Trace
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from torch import Tensor

    from lengthprobe.attribution.readout import Readout

# Positions that are reduced together: enough for a matrix product to be worth reading the weights.
_BLOCK = 512


class Capture:
    """Watches the greedy generation of a batch, and gives a Trace of every response.

    The components' outputs of a step are kept, and reduced to scalars in blocks of steps: so every output
    projection is read once a block, and not once a step. The numbers come from the pass that chose the
    tokens. In bfloat16, another pass over the finished text gives other numbers.

    Args:
        name: The checkpoint, for messages.
        readout: The checkpoint's readout.
        end_token_ids: The tokens that end a response.
    """

    def __init__(self, name: str, readout: Readout, end_token_ids: Sequence[int]) -> None:
        self._name = name
        self._readout = readout
        self._ends = torch.tensor(list(end_token_ids), device=readout.mean.device)
        self._n = 0
        self._kept = KeptOutputs(readout.anatomy, self._last)
        self._rivals: list[tuple[Tensor, Tensor]] = []
        self._reduced: list[tuple[Tensor, list[Reduced]]] = []
        self._done = 0
        self._live: Tensor | None = None
        self.gap = 0.0
        self.problem: ModelError | None = None

    def watching(self, n: int) -> AbstractContextManager[None]:
        """Watch the model's components within the block, in the first n rows of every pass."""
        self._n = n
        return watch_components(self._readout.anatomy, self._kept)

    def step(self, written: Tensor, scores: Tensor) -> None:
        """Take the scores of a step, after its forward pass.

        Args:
            written: The tokens of the steps before, [n, t].
            scores: [n, V]
        """
        ends = self._ends.to(scores.device)
        best = ends[scores[:, ends].argmax(-1)]
        self._rivals.append((best, scores.index_fill(1, ends, -torch.inf).argmax(-1)))
        if (self._kept.passes - 1) * len(scores) >= _BLOCK:
            self._reduce(written)

    def finish(self, rows: Sequence[Sequence[int]]) -> list[Trace]:
        """The trace of every row, up to its first end token.

        `problem` holds the error where the components do not add up, and `gap` the size of the miss.

        Args:
            rows: All the tokens written, n lists of equal length.
        """
        self._reduce(torch.tensor([list(row) for row in rows]))
        row_of = np.concatenate([places.numpy() for places, _ in self._reduced]) % len(rows)
        targets = []
        for index in (0, 1):
            blocks = [both[index] for _, both in self._reduced]
            targets.append(
                {
                    name: torch.cat([getattr(block, name) for block in blocks]).float().cpu().numpy()
                    for name in Contributions.names()
                }
            )
        chosen = [np.flatnonzero(row_of == row) for row in range(len(rows))]
        return [
            Trace(
                *(
                    Contributions(**{name: target[name][steps] for name in Contributions.names()})
                    for target in targets
                )
            )
            for steps in chosen
        ]

    def _reduce(self, written: Tensor) -> None:
        """Reduce the steps whose tokens are known."""
        passes = min(self._kept.passes, written.shape[1] - self._done)
        if passes < 1:
            return
        n = len(written)
        tokens = written[:, self._done : self._done + passes].cpu()
        if self._live is None:
            self._live = torch.ones(n, dtype=torch.bool)
        ended = torch.isin(tokens, self._ends.cpu())
        # A row counts up to and with its first end token.
        before = ended.cumsum(1) - ended.long()
        live = (before == 0) & self._live[:, None]
        self._live = self._live & ~ended.any(1)
        places = live.T.flatten().nonzero().squeeze(1)  # step by step, as the passes were kept
        rivals, self._rivals = self._rivals[:passes], self._rivals[passes:]
        home = self._readout.mean.device
        chosen = places.to(home)

        def at_places(values: Tensor) -> Tensor:
            return values.to(home)[chosen]

        best = at_places(torch.cat([first for first, _ in rivals]))
        other = at_places(torch.cat([second for _, second in rivals]))
        reduction = Reduction(self._readout, [Target(at_places(tokens.T.flatten())), Target(best, other)])
        self._kept.take(passes, chosen, reduction)
        targets = reduction.results()
        for target in targets:
            self._check(target)
        self._reduced.append((places, targets))
        self._done += passes

    def _check(self, reduced: Reduced) -> None:
        self.gap = max(self.gap, completeness_gap(reduced))
        try:
            check_completeness(self._name, self._readout.anatomy, reduced)
        except ModelError as error:
            self.problem = self.problem or error

    def _last(self, outputs: Tensor) -> Tensor:
        """The last position, [n', S, x] to [n, x]; copied where a view would keep the prompt in memory."""
        last = outputs[: self._n, -1]
        return last if outputs.shape[1] == 1 else last.clone()
