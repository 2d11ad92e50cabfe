"""Likelihood: how much given texts surprise a checkpoint."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch

from lengthprobe.checkpoints.row_limits import RowLimit
from lengthprobe.errors import ModelError
from lengthprobe.generation.rows import in_batches, pad, text_too_large

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.components.ablation import Surgery


@torch.no_grad()
def text_losses(
    checkpoint: Checkpoint, texts: Sequence[str], *, batch_size: int, surgery: Surgery | None = None
) -> list[float]:
    """The mean negative log-likelihood of each text's tokens, in nats, after the beginning-of-text token.

    The exponential of the mean is the perplexity. The texts are given without a chat template. Where the
    tokenizer marks no beginning, the first token is not predicted.

    Args:
        checkpoint: The checkpoint.
        texts: The texts.
        batch_size: Most texts at once.
        surgery: The ablation of every text, as a surgery on one row.

    Raises:
        ModelError: A text has fewer than two tokens, or memory is out for a single text.
    """
    rows = [_tokens(checkpoint, text) for text in texts]
    order = sorted(range(len(rows)), key=lambda index: (len(rows[index]), index))

    def run(indices: Sequence[int]) -> list[float]:
        return _losses(
            checkpoint, [rows[index] for index in indices], surgery and surgery.of([0] * len(indices))
        )

    def too_large(index: int) -> ModelError:
        return text_too_large(checkpoint, len(rows[index]))

    limit = RowLimit(checkpoint.limits, "losses", lambda index: len(rows[index]))
    losses = dict(zip(order, in_batches(order, batch_size, run, too_large, limit), strict=True))
    return [losses[index] for index in range(len(rows))]


def _losses(checkpoint: Checkpoint, rows: Sequence[list[int]], surgery: Surgery | None) -> list[float]:
    """The losses of some texts in one pass, padded on the right."""
    padded = pad(checkpoint, [()] * len(rows), rows)
    ids, mask = padded.input_ids, padded.attention_mask
    with surgery.applied() if surgery else nullcontext():
        logits: torch.Tensor = checkpoint.model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    losses = torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1).float(), ids[:, 1:].flatten().to(logits.device), reduction="none"
    )
    counted = mask[:, 1:].to(logits.device)
    means: list[float] = ((losses.view(counted.shape) * counted).sum(1) / counted.sum(1)).tolist()
    return means


def _tokens(checkpoint: Checkpoint, text: str) -> list[int]:
    tokens: list[int] = checkpoint.tokenizer(text)["input_ids"]
    while len(tokens) > 1 and tokens[-1] in checkpoint.end_token_ids:
        tokens = tokens[:-1]
    if len(tokens) < 2:
        raise ModelError(
            f"the tokenizer of {checkpoint.name} makes {len(tokens)} token of {text!r}",
            "the language file's [ordinary] sentences need at least two tokens each",
        )
    return tokens
