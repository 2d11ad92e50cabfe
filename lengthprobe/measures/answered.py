"""Whether there are answers to judge: a thought that was not finished is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.errors import ModelError
from lengthprobe.settings import THOUGHT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lengthprobe.task.prompts import Response

MOST_UNFINISHED = 0.2  # of the responses; ours, as the fewest that a measure of parts is taken on


def check_answered(probe: Any, responses: Sequence[Response], language: str) -> None:
    """Refuse to judge a checkpoint of which too many responses are an unfinished thought.

    Args:
        probe: The checkpoint, for its name and settings.
        responses: Its responses.
        language: Their language, for the message.

    Raises:
        ModelError: More than one in five is unfinished: what the checkpoint would have answered is not known.
    """
    unfinished = sum(one.is_unfinished_thought for one in responses)
    if unfinished <= MOST_UNFINISHED * len(responses):
        return
    allowed = probe.settings.thinking == "allow"
    limit = f"up to {THOUGHT_LIMIT} tokens or half of the context" if allowed else "the cap"
    raise ModelError(
        f"{probe.name}: {unfinished} of {len(responses)} answers in {language!r} are an unfinished thought "
        f"({limit} was too short): they have no answer to judge",
        "--lengthprobe-thinking=off, where the chat template can switch thoughts off; or a checkpoint that "
        "thinks less"
        if allowed
        else "--lengthprobe-thinking=allow, which leaves room for the thought",
    )
