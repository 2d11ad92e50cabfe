"""Donors: the prompts with another N from which resampling takes outputs; and a batch's whole surgery."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from lengthprobe.checkpoints.chat.template import render
from lengthprobe.components.ablation import Surgery
from lengthprobe.errors import LengthprobeError, SettingsError
from lengthprobe.task.prompts import with_n_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.components.ablation import MeanOutputs
    from lengthprobe.components.anatomy import Anatomy
    from lengthprobe.components.names import Ablation
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt


def donor_tokens(checkpoint: Checkpoint, prompt: Prompt, settings: Settings) -> tuple[int, ...]:
    """The tokens of the donor: the prompt on the same topic in the same wording, with another N.

    The other lengths of the settings are tried in an order drawn by the prompt's id. The first length that
    gives as many tokens as the prompt is taken, so every position has its counterpart. Where no length does,
    the first of the order is taken.

    Raises:
        SettingsError: No other length of the settings can be put into this prompt.
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
            "setting:lengths=3-9, or another mode: zero, mean",
        )
    return first


def surgery_on(
    checkpoint: Checkpoint,
    anatomy: Anatomy,
    prompts: Sequence[Prompt],
    ablations: Sequence[Ablation],
    settings: Settings,
    *,
    means: Callable[[], MeanOutputs],
) -> Surgery:
    """The ablation of each row of a batch, with means and donors where needed.

    Args:
        checkpoint: The checkpoint.
        anatomy: Its components.
        prompts: The prompt of each row; read only where outputs are resampled.
        ablations: The ablation of each row.
        settings: The settings.
        means: Gives the mean outputs of the components.

    Raises:
        SettingsError: No other length of the settings can be put into a prompt.
    """
    resampled = any(ablation.resample for ablation in ablations)
    return Surgery(
        anatomy,
        tuple(ablations),
        means() if any(ablation.mean for ablation in ablations) else None,
        tuple(donor_tokens(checkpoint, prompt, settings) for prompt in prompts) if resampled else (),
    )


def _others(prompt: Prompt, lengths: tuple[int, ...]) -> Iterator[Prompt]:
    def drawn(n_words: int) -> str:
        return sha256(f"{prompt.id} {n_words}".encode()).hexdigest()

    for n_words in sorted((length for length in lengths if length != prompt.n_words), key=drawn):
        try:
            yield with_n_words(prompt, n_words)
        except LengthprobeError:
            continue
