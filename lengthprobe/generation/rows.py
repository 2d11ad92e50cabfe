"""Rows: token ids as a padded tensor, and work on rows in halves while memory is out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch

from lengthprobe.checkpoints.memory import is_out_of_memory, release
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.checkpoints.row_limits import RowLimit

Asked = TypeVar("Asked")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Padded rows of token ids, on the device of their checkpoint.

    Args:
        input_ids: [n, S]
        attention_mask: [n, S], 1 where a token is and 0 where padding is; integers, as the ids are.
        start: The column at which padding on the left is over in every row.
    """

    input_ids: Tensor
    attention_mask: Tensor
    start: int

    def of(self, rows: slice) -> Rows:
        """Some of the rows, with their padding."""
        return Rows(self.input_ids[rows], self.attention_mask[rows], self.start)

    def donors_seen(self, n: int) -> Tensor | None:
        """The attention mask of the donors' prompts, [m, start], where m donors follow n rows.

        Returns:
            The mask for `Surgery.applied`; None where no row follows.
        """
        return self.attention_mask[n:, : self.start] if len(self.attention_mask) > n else None


def pad(
    checkpoint: Checkpoint, prompts: Sequence[Sequence[int]], texts: Sequence[Sequence[int]] | None = None
) -> Rows:
    """Rows of a prompt and a text each, padded on the left so that all texts begin in the same column.

    A text shorter than the longest is padded on the right. Prompts alone are padded on the left; texts after
    empty prompts are padded on the right.

    Args:
        checkpoint: Gives the padding token and the device.
        prompts: The tokens before the column, n rows.
        texts: The tokens from the column on, n rows; None without any.
    """
    texts = [()] * len(prompts) if texts is None else texts
    start = max(map(len, prompts))
    ids = torch.full((len(prompts), start + max(map(len, texts))), checkpoint.pad_token_id)
    mask = torch.zeros_like(ids)
    for row, (prompt, text) in enumerate(zip(prompts, texts, strict=True)):
        columns = slice(start - len(prompt), start + len(text))
        ids[row, columns] = torch.tensor([*prompt, *text])
        mask[row, columns] = 1
    return Rows(ids.to(checkpoint.device), mask.to(checkpoint.device), start)


def run_in_halves(
    asked: Sequence[Asked],
    run: Callable[[Sequence[Asked]], list[Made]],
    too_large: Callable[[Asked], ModelError],
    limit: RowLimit,
) -> list[Made]:
    """The results of a run over rows; the rows are halved as often as memory demands.

    A number of rows that failed before is halved at once. So the pieces are the same as if all were tried.

    Args:
        asked: The rows.
        run: Gives the results for some rows.
        too_large: Gives the error where memory is out for one row alone.
        limit: Remembers the numbers of rows that failed.

    Raises:
        ModelError: The error of `too_large`.
    """
    if not limit.has_failed(asked):
        try:
            return run(asked)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if len(asked) == 1:
                raise too_large(asked[0]) from error
        # Here, not above: while the exception lives, its frames hold on to the memory.
        release()
        limit.note(asked)
    half = (len(asked) + 1) // 2
    return [
        result
        for piece in (asked[:half], asked[half:])
        for result in run_in_halves(piece, run, too_large, limit)
    ]


def in_batches(
    asked: Sequence[Asked],
    size: int,
    run: Callable[[Sequence[Asked]], list[Made]],
    too_large: Callable[[Asked], ModelError],
    limit: RowLimit,
) -> list[Made]:
    """The results of a run over rows, batch by batch; a batch is halved as often as memory demands.

    Args:
        asked: The rows.
        size: Most rows at once.
        run, too_large, limit: The arguments of `run_in_halves`.

    Raises:
        ModelError: The error of `too_large`.
    """
    batches = (asked[first : first + size] for first in range(0, len(asked), size))
    return [result for batch in batches for result in run_in_halves(batch, run, too_large, limit)]


def text_too_large(checkpoint: Checkpoint, tokens: int) -> ModelError:
    """The error for a text where memory is out, even for this text alone."""
    return ModelError(
        f"{checkpoint.name} runs out of memory on {checkpoint.device} with a single text of {tokens} tokens",
        "free the device, take a smaller format (setting:dtype=bfloat16), or more devices "
        "(setting:device-map=balanced)",
    )
