"""Check for answers to judge: an unfinished thought is no answer, nor is an answer cut short by the cap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.components.names import Ablation
from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.settings import THOUGHT_LIMIT, TOKENS_A_WORD
from lengthprobe.task.words import count_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lengthprobe.task.prompts import Response

MOST_UNFINISHED = 0.2  # of the responses; ours: 1 less `LEAST_MEASURED` of the measures of components
MOST_CUT_SHORT = 0.1  # of the responses; ours: half of the misses that the claim on exact answers allows
_OTHER = "a checkpoint that finishes its thoughts"


def check_answered(probe: Any, responses: Sequence[Response], language: str) -> None:
    """Refuse to judge a checkpoint that had no room to answer, or finished too few of its thoughts.

    Args:
        probe: The checkpoint, for its name and settings.
        responses: The checkpoint's responses.
        language: The language of the responses, for the message.

    Raises:
        ModelError: More than a fifth of the responses are unfinished thoughts: the answers are not known.
        SettingsError: The token cap ended more than a tenth of the responses before the words asked for were
            there.
    """
    _check_room(probe, responses, language)
    unfinished = [response for response in responses if response.is_unfinished_thought]
    if len(unfinished) <= MOST_UNFINISHED * len(responses):
        return
    allowed = probe.settings.thinking == "allow"
    limit = f"up to {THOUGHT_LIMIT} tokens or half of the context" if allowed else "the cap"
    ended = sum(response.finish_reason == "stop" for response in unfinished)
    why = f"{ended} of them ended by the model itself" if ended else f"{limit} was too short"
    raise ModelError(
        f"{probe.name}: {len(unfinished)} of {len(responses)} answers in {language!r} are an unfinished "
        f"thought ({why}): they have no answer to judge",
        f"setting:thinking=off, where the chat template can switch thoughts off; or {_OTHER}"
        if allowed
        else _OTHER
        if ended == len(unfinished)
        else "setting:thinking=allow, which leaves room for the thought",
    )


def _check_room(probe: Any, responses: Sequence[Response], language: str) -> None:
    """Refuse to judge answers that a small token cap cut short: a healthy model would be called broken."""
    cap, counter = probe.settings.cap, probe.settings.counter
    longest = max((response.prompt.n_words for response in responses), default=0)
    # With so many tokens a word, a response without an end is the model's own doing.
    # An ablated model is not refused: the effect of the ablation is the question.
    if cap >= TOKENS_A_WORD * longest or getattr(probe, "ablation", Ablation()).components:
        return
    short = [
        response
        for response in responses
        if response.finish_reason == "length"
        and not response.is_unfinished_thought
        and count_words(response.answer, language=language, counter=counter) <= response.prompt.n_words
    ]
    if len(short) > MOST_CUT_SHORT * len(responses):
        raise SettingsError(
            f"cap {cap}: {len(short)} of {len(responses)} answers of {probe.name} in {language!r} were cut "
            "off before they had more words than were asked for: the cap is at fault, or the model, and "
            "nothing tells which",
            f"setting:cap={TOKENS_A_WORD * longest}, or shorter lengths",
        )
