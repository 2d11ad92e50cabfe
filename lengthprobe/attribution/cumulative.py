"""Cumulative Weighted Attribution of single responses, Σ_t s_t · DLA(c, t) (arXiv:2509.02075; METHODS §3)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lengthprobe.attribution.trace import Contributions
    from lengthprobe.task.adherence import Adherence

    Floats = NDArray[np.float64]

SIGNS = ("adherence", "shuffled", "all-plus")


@dataclass(frozen=True, slots=True, eq=False)
class Cumulative:
    """The weighted sum over the steps of n responses, of every head and MLP.

    Args:
        heads: [n, L, H]
        mlps: [n, L]
        steps: T of each response, [n]
    """

    heads: Floats
    mlps: Floats
    steps: Floats


def cumulative(contributions: Sequence[Contributions], weights: Sequence[Sequence[float]]) -> Cumulative:
    """The sum of each head's and MLP's contributions over a response's steps, each times its weight."""

    def summed(name: str) -> Floats:
        return np.stack(
            [
                np.tensordot(np.asarray(weight, float), getattr(contribution, name), 1)
                for contribution, weight in zip(contributions, weights, strict=True)
            ]
        )

    return Cumulative(
        heads=summed("heads"),
        mlps=summed("mlps"),
        steps=np.array([len(contribution.logits) for contribution in contributions], float),
    )


def token_weights(
    adherences: Sequence[Adherence], n_words: Sequence[int], *, signs: str = "adherence"
) -> list[tuple[float, ...]]:
    """The weight of each step's token: s_t of METHODS §3, or a control's weight; 0 within a thought."""
    if signs not in SIGNS:
        raise ValueError(f"signs={signs!r} is none of {', '.join(SIGNS)}")
    if signs == "all-plus":
        return [tuple(map(float, adherence.in_answer)) for adherence in adherences]
    # n is N of METHODS §3: the number of words that the prompt asks for.
    lengths = shuffled_lengths(n_words) if signs == "shuffled" else n_words
    return [tuple(map(float, adherence.signs(n))) for adherence, n in zip(adherences, lengths, strict=True)]


def shuffled_lengths(n_words: Sequence[int]) -> list[int]:
    """The N of another prompt for each prompt; a different number wherever there is any."""
    draw = random.Random(0)
    every = list(n_words)
    return [draw.choice([other for other in every if other != n] or [n]) for n in every]


def stop_weights(adherences: Sequence[Adherence], n_words: Sequence[int]) -> list[tuple[float, ...]]:
    """The weights of the stop margins, for the mean where ending is due less the mean where ending is early.

    Both means are over the steps where ending would leave a complete word. Of several steps with the same
    number of words, as when punctuation follows a word, the last counts. Other steps have weight 0. All steps
    have weight 0 in a response without due steps or without early steps. Ours: a component that pushes
    equally at every word, for the end or against the end, weighs nothing.
    """
    all_weights = []
    # n is N of METHODS §3: the number of words that the prompt asks for.
    for adherence, n in zip(adherences, n_words, strict=True):
        places = _places(adherence)
        due = [count for count in places if count >= n]
        early = [count for count in places if count < n]
        weights = [0.0] * len(adherence.counts)
        if due and early:
            for count, step in places.items():
                weights[step] = 1 / len(due) if count >= n else -1 / len(early)
        all_weights.append(tuple(weights))
    return all_weights


def due_weights(adherences: Sequence[Adherence], n_words: Sequence[int]) -> list[tuple[float, ...]]:
    """The weights of `stop_weights` where ending is due; 0 elsewhere."""
    return [tuple(max(0.0, weight) for weight in weights) for weights in stop_weights(adherences, n_words)]


def _places(adherence: Adherence) -> dict[int, int]:
    """The step at which a response of so many words could have ended, by the number of words."""
    before = (0, *adherence.counts)[:-1]
    return {
        count: step
        for step, (count, whole) in enumerate(zip(before, adherence.complete, strict=True))
        if whole
    }
