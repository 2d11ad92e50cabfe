"""Likelihood: how much a checkpoint is surprised by texts that it did not write."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch

from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.models.ablation import Surgery
    from lengthprobe.models.loading import Checkpoint


@torch.no_grad()
def text_losses(
    checkpoint: Checkpoint, texts: Sequence[str], *, batch_size: int, surgery: Surgery | None = None
) -> list[float]:
    """The mean negative log-likelihood of each text's tokens, in nats, after the beginning-of-text token.

    The exponential of it is the perplexity. The texts are given as they are, without a chat template; where
    the tokenizer marks no beginning, the first token is not predicted.

    Args:
        checkpoint: The checkpoint.
        texts: The texts.
        batch_size: Most texts at once.
        surgery: What is ablated, the same in every row: one row.

    Raises:
        ModelError: A text has fewer than two tokens.
    """
    rows = [_tokens(checkpoint, text) for text in texts]
    found: dict[int, float] = {}
    order = sorted(range(len(rows)), key=lambda at: (len(rows[at]), at))
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        width = max(len(rows[at]) for at in chosen)
        ids = torch.full((len(chosen), width), checkpoint.pad_token_id)
        mask = torch.zeros_like(ids)
        for row, at in enumerate(chosen):
            ids[row, : len(rows[at])] = torch.tensor(rows[at])
            mask[row, : len(rows[at])] = 1
        here = surgery and surgery.of([0] * len(chosen))
        logits = _logits(checkpoint, ids, mask, here)
        told = torch.nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1).float(), ids[:, 1:].flatten().to(logits.device), reduction="none"
        )
        counted = mask[:, 1:].to(logits.device)
        sums = (told.view(counted.shape) * counted).sum(1) / counted.sum(1)
        found |= dict(zip(chosen, sums.tolist(), strict=True))
    return [found[at] for at in range(len(rows))]


def _logits(
    checkpoint: Checkpoint, ids: torch.Tensor, mask: torch.Tensor, surgery: Surgery | None
) -> torch.Tensor:
    given = {"input_ids": ids.to(checkpoint.device), "attention_mask": mask.to(checkpoint.device)}
    with surgery.applied() if surgery else nullcontext():
        logits: torch.Tensor = checkpoint.model(**given, use_cache=False).logits
    return logits


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
