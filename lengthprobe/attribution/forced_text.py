"""Forced text: a text to be forced on a checkpoint, as data without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lengthprobe.task.prompts import Prompt


@dataclass(frozen=True, slots=True)
class Forced:
    """A text to be forced on a checkpoint, after a prompt.

    Args:
        prompt: The prompt.
        token_ids: The text's tokens, by the tokenizer of this checkpoint or of another.
        text: The text, where the tokens are another checkpoint's. Where this checkpoint's tokenizer decodes
            the tokens to another text, the text is tokenized anew. None where the tokens are this
            checkpoint's.
        ended: Whether the text includes the end token: at this step, the best of the checkpoint's own end
            tokens.
        last_only: Ask only about the step after the text, and not about every step.
        opened: Whether the text begins within a thought that its own prompt had opened.
    """

    prompt: Prompt
    token_ids: tuple[int, ...]
    text: str | None
    ended: bool
    last_only: bool = False
    opened: bool = False
