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
_OTHER = "a checkpoint that finishes its thoughts"


def check_answered(probe: Any, responses: Sequence[Response], language: str) -> None:
    """Refuse to judge a checkpoint of which too many responses are an unfinished thought.

    Args:
        probe: The checkpoint, for its name and settings.
        responses: Its responses.
        language: Their language, for the message.

    Raises:
        ModelError: More than one in five is unfinished: what the checkpoint would have answered is not known.
    """
    unfinished = [one for one in responses if one.is_unfinished_thought]
    if len(unfinished) <= MOST_UNFINISHED * len(responses):
        return
    allowed = probe.settings.thinking == "allow"
    limit = f"up to {THOUGHT_LIMIT} tokens or half of the context" if allowed else "the cap"
    ended = sum(one.finish_reason == "stop" for one in unfinished)
    why = f"{ended} of them ended by the model itself" if ended else f"{limit} was too short"
    raise ModelError(
        f"{probe.name}: {len(unfinished)} of {len(responses)} answers in {language!r} are an unfinished "
        f"thought ({why}): they have no answer to judge",
        f"--lengthprobe-thinking=off, where the chat template can switch thoughts off; or {_OTHER}"
        if allowed
        else _OTHER
        if ended == len(unfinished)
        else "--lengthprobe-thinking=allow, which leaves room for the thought",
    )
