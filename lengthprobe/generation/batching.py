"""Batches of prompts, divided without torch: a saved run is read in batches too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.task.prompts import Prompt


def batches(prompts: Sequence[Prompt], size: int) -> tuple[tuple[Prompt, ...], ...]:
    """The prompts in batches of nearly equal size, at most `size`, by requested length and id.

    A batch runs as long as its longest response, so similar prompts go together. Languages are not mixed.
    """
    groups: list[tuple[Prompt, ...]] = []
    for language in sorted({prompt.language for prompt in prompts}):
        ordered = sorted(
            (prompt for prompt in prompts if prompt.language == language),
            key=lambda prompt: (prompt.n_words, prompt.id),
        )
        even = -(-len(ordered) // -(-len(ordered) // size))
        groups += [tuple(ordered[start : start + even]) for start in range(0, len(ordered), even)]
    return tuple(groups)
