"""A report's words about the thoughts before a checkpoint's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.checkpoints.chat.template import conversation, messages_of, prompt_form
from lengthprobe.checkpoints.chat.thinking import room_for_thought
from lengthprobe.errors import ModelError
from lengthprobe.settings import THOUGHT_LIMIT

if TYPE_CHECKING:
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.settings import Settings

_REQUEST = "Seven words about rivers."


def thought_summary(checkpoint: Checkpoint, settings: Settings) -> str:
    """The room for a thought, and whether the chat template has a switch to open a thought, in words.

    Empty where thoughts are not allowed.
    """
    if settings.thinking == "off":
        return ""
    room = room_for_thought(checkpoint, settings)
    said = f"up to {room} tokens before the answer"
    if room < THOUGHT_LIMIT:
        said += f" (half of what the context, {checkpoint.context}, leaves beside the cap)"
    if prompt_form(checkpoint, settings) == "plain":
        return f"{said}; the prompts are plain text, where nothing asks for a thought"
    if not _has_switch(checkpoint, settings):
        return f"{said}; its chat template has no switch for thoughts, and was not changed by this setting"
    return said


def _has_switch(checkpoint: Checkpoint, settings: Settings) -> bool:
    """Whether the template writes another prompt where thoughts are allowed."""
    messages = messages_of(_REQUEST, settings.system_prompt, in_parts=checkpoint.in_parts)
    try:
        on, off = (
            conversation(
                checkpoint.tokenizer,
                str(checkpoint.chat_template),
                messages,
                generation=True,
                thinking=thinking,
            )
            for thinking in ("allow", "off")
        )
    except ModelError:
        # Whoever asks the checkpoint will say what is wrong with its template.
        return True
    return on != off
