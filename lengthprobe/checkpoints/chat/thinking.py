"""Thinking: whether a checkpoint may think before the answer, and how much room the thought has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import StoppingCriteria

from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.settings import THOUGHT_LIMIT
from lengthprobe.task.adherence import texts_by_step, thought_steps
from lengthprobe.task.thoughts import leaves_open, part_thoughts, special_marks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.settings import Settings

# What chat templates call the switch: Qwen 3, GLM 4.5, SmolLM 3; DeepSeek V3.1, Granite 3.2; Command A.
SWITCHES = ("enable_thinking", "thinking", "reasoning")
# So often a row is looked at, in steps.
_EVERY = 8
_LONGEST_MARK = 48  # characters


def check_thinking(checkpoint: Checkpoint, prompt_end: str, settings: Settings) -> bool:
    """Whether a prompt opens a thought, so that the response begins within the thought.

    Args:
        checkpoint: The checkpoint, for messages.
        prompt_end: The chat template's text after the request.
        settings: Whether thoughts are allowed.

    Raises:
        ModelError: The template opens a thought whatever its switches say, and thoughts are not allowed.
    """
    opened = leaves_open(prompt_end)
    if opened and settings.thinking == "off":
        last = prompt_end.split()[-1]
        raise ModelError(
            f"the chat template of {checkpoint.name} opens a thought ({last[-20:]!r}), and none of the "
            f"switches that it was told ({', '.join(SWITCHES)}) keeps it from that: the cap would end the "
            "thought",
            "setting:thinking=allow, which leaves room for the thought",
        )
    return opened


def check_constrained(checkpoint: Checkpoint, settings: Settings) -> None:
    """Refuse thoughts where a model may write only words of one kind.

    Raises:
        SettingsError: Thoughts are allowed.
    """
    if settings.thinking == "allow":
        raise SettingsError(
            f"{checkpoint.name} may write with words of one kind alone, and so cannot think first",
            "setting:thinking=off, or leave out the measures of tokenization (pytest --deselect)",
        )


def room_for_thought(checkpoint: Checkpoint, settings: Settings) -> int:
    """Most tokens of a thought: 0 where none is allowed, at most half of the context beside the cap."""
    if settings.thinking == "off":
        return 0
    context = checkpoint.context
    return THOUGHT_LIMIT if context is None else max(0, min(THOUGHT_LIMIT, (context - settings.cap) // 2))


def thought_marks(tokenizer: Any) -> dict[int, str]:
    """The text of each special token that begins or ends a thought, by token id."""
    added: Mapping[int, Any] = getattr(tokenizer, "added_tokens_decoder", None) or {}
    special = {int(id_): str(token) for id_, token in added.items() if getattr(token, "special", False)}
    marks = special_marks(special.values())
    return {id_: text for id_, text in special.items() if text in marks}


def thought_tokens(checkpoint: Checkpoint, token_ids: Sequence[int], *, opened: bool) -> int:
    """The number of thought tokens at the beginning of a response."""
    whole = part_thoughts(checkpoint.decode(token_ids), opened=opened)
    if not whole.thoughts:
        return 0
    steps = thought_steps(texts_by_step(token_ids, checkpoint.decode), whole)
    return next((step for step, within in enumerate(steps) if not within), len(steps))


@dataclass(frozen=True, slots=True)
class Room:
    """The greatest length of the responses to a batch.

    Args:
        answer: Most tokens of an answer.
        thought: Most tokens of a thought before it; 0 where a thought has no room of its own.
        opened: Whether the prompts had opened a thought.
    """

    answer: int
    thought: int = 0
    opened: bool = False

    @property
    def whole(self) -> int:
        """Most tokens of both."""
        return self.answer + self.thought


class Thoughts(StoppingCriteria):
    """Ends the rows whose answer is at the cap, or whose thought is at its limit.

    Args:
        checkpoint: The checkpoint.
        n: How many rows.
        width: The column where responses start.
        room: How long a response may be.
    """

    def __init__(self, checkpoint: Checkpoint, n: int, width: int, *, room: Room) -> None:
        self._checkpoint, self._width, self._room = checkpoint, width, room
        self._most: list[int | None] = [None] * n

    def __call__(self, input_ids: Any, scores: Any, **_more: Any) -> Any:  # noqa: ARG002  (as it is called)
        """Which rows are to end, [n]; donors, in the rows after these, end with them."""
        n, steps = len(self._most), input_ids.shape[1] - self._width
        if steps % _EVERY == 0:
            for row, tokens in enumerate(input_ids[:n, self._width :].tolist()):
                if self._most[row] is None:
                    self._most[row] = self._limit(tokens)
        done = [most is not None and steps >= most for most in self._most]
        return torch.tensor(done * (len(input_ids) // n), device=input_ids.device)

    def cut(self, rows: Sequence[list[int]]) -> list[list[int]]:
        """The tokens of each row up to its limit, without the tokens beyond the limit."""
        return [
            tokens[: self._limit(tokens) if most is None else most]
            for tokens, most in zip(rows, self._most, strict=True)
        ]

    def _limit(self, tokens: Sequence[int]) -> int | None:
        """Most tokens of a row; None while the thought goes on, so that the limit is not known."""
        ends, room = self._checkpoint.end_token_ids, self._room
        end = next((index for index, token in enumerate(tokens) if token in ends), None)
        written = tokens[:end]
        whole = part_thoughts(self._checkpoint.decode(written), opened=room.opened)
        begun = whole.answer.strip()
        # A mark of several tokens may be half written.
        half = begun[:1] in ("<", "[", "◁") and len(begun) < _LONGEST_MARK
        if end is None and len(tokens) < room.thought and (whole.unfinished or not begun or half):
            return None
        if whole.unfinished:
            return room.thought
        return room.answer + thought_tokens(self._checkpoint, written, opened=room.opened)
