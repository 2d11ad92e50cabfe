"""A look: heads look from a text back at words of the prompt, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lengthprobe.task.distractor import Span
    from lengthprobe.task.prompts import Prompt

    Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Look:
    """A text after a prompt, from which heads look back at words of the prompt.

    Args:
        prompt: The prompt.
        token_ids: The text's tokens, by the checkpoint's own tokenizer.
        steps: The steps from which heads look: step t predicts the text's token t, at the token before.
        targets: The targets of the looks: each is a set of spans of the prompt's text, in characters.
    """

    prompt: Prompt
    token_ids: tuple[int, ...]
    steps: tuple[int, ...]
    targets: tuple[tuple[Span, ...], ...]
