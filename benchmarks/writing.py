"""Writing: what a probe does for each batch, once prompts are tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lengthprobe.checkpoints.chat.thinking import Room
from lengthprobe.checkpoints.loading import Checkpoint
from lengthprobe.components.ablation import Surgery
from lengthprobe.generation.transformers_engine import Observer, _Batch


def write_tokens(
    checkpoint: Checkpoint,
    rows: Sequence[Sequence[int]],
    most: int,
    observer: Observer | None = None,
    surgery: Surgery | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """At most so many tokens after each row, and what the observer made of them."""
    batch = _Batch(checkpoint, rows, Room(most), (lambda: observer) if observer else None, surgery)
    (made,) = batch.generate(range(len(rows)))
    return made
