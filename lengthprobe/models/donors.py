"""Donors: the prompt with another N from which resampling ablation takes a component's output."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from lengthprobe.errors import LengthprobeError, SettingsError
from lengthprobe.models.templates import render
from lengthprobe.task.prompts import with_n_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lengthprobe.models.loading import Checkpoint
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt


def donor_tokens(checkpoint: Checkpoint, prompt: Prompt, settings: Settings) -> tuple[int, ...]:
    """The tokens of the same prompt, about the same topic in the same wording, asking for another N.

    N is one of the settings' other lengths, drawn by the prompt's id; of those, one whose prompt has as many
    tokens as the prompt itself where there is one, so that every position has its counterpart.

    Raises:
        SettingsError: The settings have no other length that can be put into this prompt.
    """
    own = render(checkpoint, prompt, settings)
    first: tuple[int, ...] | None = None
    for other in _others(prompt, settings.lengths):
        row = tuple(render(checkpoint, other, settings))
        if len(row) == len(own):
            return row
        first = first or row
    if first is None:
        raise SettingsError(
            f"resampling takes outputs from a prompt with another N, and {prompt.text!r} has none "
            f"(lengths {', '.join(map(str, settings.lengths))})",
            "--lengthprobe-lengths=3-9, or another mode: zero, mean",
        )
    return first


def _others(prompt: Prompt, lengths: tuple[int, ...]) -> Iterator[Prompt]:
    def drawn(n_words: int) -> str:
        return sha256(f"{prompt.id} {n_words}".encode()).hexdigest()

    for n_words in sorted((one for one in lengths if one != prompt.n_words), key=drawn):
        try:
            yield with_n_words(prompt, n_words)
        except LengthprobeError:
            continue
