"""Runaways: answers so much too long already that the rest does not matter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from transformers import StoppingCriteria

from lengthprobe.task.thoughts import part_thoughts
from lengthprobe.task.words import RIVAL_COUNTERS, count_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.task.prompts import Prompt

# So often the words are counted, in steps.
_EVERY = 8


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The limits up to which the answers to a batch are followed.

    The cut changes neither exact match nor the error winsorised at `beyond`: a cut answer has no end token
    yet, and its words would only become more.

    Args:
        checkpoint: The checkpoint.
        prompts: The prompt of each row.
        beyond: Words above N, by every counter, after which an answer is no longer followed.
        counter: The word counter.
        opened: Whether the prompts had opened a thought, whose words are not counted.
    """

    checkpoint: Checkpoint
    prompts: tuple[Prompt, ...]
    beyond: int
    counter: str
    opened: bool = False

    def of(self, places: Sequence[int]) -> Limits:
        """The limits of some of the rows."""
        return replace(self, prompts=tuple(self.prompts[place] for place in places))

    def is_past(self, row: int, tokens: Sequence[int]) -> bool:
        """Whether an answer is too long already."""
        prompt, written = self.prompts[row], self.checkpoint.decode(tokens)
        text = part_thoughts(written, opened=self.opened).answer
        return all(
            # The last word may be half written.
            count_words(text, language=prompt.language, counter=counter) > prompt.n_words + self.beyond + 1
            for counter in {*RIVAL_COUNTERS, self.counter}
        )


class Runaways(StoppingCriteria):
    """Ends the rows past their limits.

    Args:
        limits: The limits.
        width: The column where responses start.
    """

    def __init__(self, limits: Limits, width: int) -> None:
        self._limits = limits
        self._width = width
        self._cut: list[int | None] = [None] * len(limits.prompts)

    def __call__(self, input_ids: Any, scores: Any, **_more: Any) -> Any:  # noqa: ARG002  (as it is called)
        """Which rows are to end, [n]; donors, in the rows after these, end with them."""
        n, steps = len(self._cut), input_ids.shape[1] - self._width
        if steps % _EVERY == 0:
            for row, tokens in enumerate(input_ids[:n, self._width :].tolist()):
                if self._cut[row] is None and self._limits.is_past(row, tokens):
                    self._cut[row] = steps
        done = [end is not None for end in self._cut]
        return torch.tensor(done * (len(input_ids) // n), device=input_ids.device)

    def cut(self, rows: Sequence[list[int]]) -> list[list[int]]:
        """The tokens of each row up to the end of the row, without the padding after."""
        return [tokens[:end] for tokens, end in zip(rows, self._cut, strict=True)]
