"""Made-up answers of a candidate and its reference to the prompts of the real stream.

An answer is the number of a kind in `KINDS`: exact, or one of nine kinds of misses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]


class Kind(NamedTuple):
    """A kind of answer.

    Args:
        error: Words written less words asked for.
        share: The share of the misses that are of the kind.
        runs_away, has_preamble, counters_disagree: What the measures of shares look for.
    """

    error: int
    share: float
    runs_away: bool = False
    has_preamble: bool = False
    counters_disagree: bool = False


# Ours, assumed: seven misses of ten are off by a word, and one of twenty runs away.
KINDS = (
    Kind(0, 0.0),
    Kind(1, 0.36),
    Kind(-1, 0.34),
    Kind(2, 0.06),
    Kind(-2, 0.05),
    Kind(3, 0.02),
    Kind(-3, 0.03),
    Kind(20, 0.05, runs_away=True),
    Kind(4, 0.03, has_preamble=True),
    Kind(1, 0.06, counters_disagree=True),
)
MISSES = tuple(kind.share for kind in KINDS)


@dataclass(frozen=True)
class Design:
    """What the prompts of a stream ask for, in order: [n] each.

    Args:
        lengths: The number of words.
        wordings: The number of the wording.
        topics: The number of the topic.
    """

    lengths: Whole
    wordings: Whole
    topics: Whole

    @property
    def has_one_prompt_a_topic(self) -> bool:
        """Whether no topic comes twice."""
        return len(np.unique(self.topics)) == len(self.topics)

    def with_topics(self, number: int) -> Design:
        """The design with so many topics, asked about again and again."""
        return replace(self, topics=np.arange(len(self.topics)) % number)

    def one_wording(self, most: float) -> Floats:
        """How many times the mean rate each prompt has, [n], where as much as can hangs on one wording.

        Args:
            most: The mean rate: the wording's own can be 1 at most.
        """
        hangs = self.wordings == np.bincount(self.wordings).argmax()
        share = float(hangs.mean())
        factor = min(1 / share, 1 / most)
        return np.where(hangs, factor, (1 - factor * share) / (1 - share))

    def longest(self) -> Floats:
        """How many times the mean rate each prompt has, [n], where all hangs on the greatest length."""
        hangs = self.lengths == self.lengths.max()
        return np.where(hangs, 1 / hangs.mean(), 0.0)


def design(language: str, budget: int) -> Design:
    """The design of a language's first prompts."""
    asked = prompts(language, budget=budget)

    def numbers(keys: list[str]) -> Whole:
        known = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        return np.array([known[key] for key in keys])

    return Design(
        np.array([prompt.n_words for prompt in asked]),
        numbers([prompt.template for prompt in asked]),
        numbers([prompt.topic for prompt in asked]),
    )


@dataclass(frozen=True)
class Pair:
    """A candidate and its reference.

    Args:
        missed: The rate of misses of the reference.
        more: By how much the rate of the candidate is higher.
        common: The share of the reference's misses that the candidate has too, with the same answer.
        correlation: Of two prompts about a topic.
        kinds: The share of each kind among the misses.
        profile: How many times its rate each prompt has, [n]; None for all alike.
    """

    missed: float
    more: float = 0.0
    common: float = 0.5
    correlation: float = 0.0
    kinds: tuple[float, ...] = MISSES
    profile: Floats | None = None

    def draw(self, asked: Design, repeats: int, rng: Generator) -> tuple[Whole, Whole]:
        """The kinds of the candidate's and the reference's answers, [repeats, n] each."""
        n, topics = len(asked.topics), int(asked.topics.max()) + 1
        alike = rng.random((repeats, n)) < np.sqrt(self.correlation)

        def uniform() -> Floats:
            own = rng.random((repeats, n))
            return (
                np.where(alike, rng.random((repeats, topics))[:, asked.topics], own)
                if self.correlation
                else own
            )

        # A uniform number falls to both, to the reference alone, to the candidate alone, or to none.
        factor = np.ones(n) if self.profile is None else self.profile
        both = self.common * self.missed * factor
        reference = self.missed * factor
        candidate = reference + (self.missed + self.more) * factor - both
        if candidate.max() > 1 + 1e-9:
            raise ValueError(f"{self}: misses of more than all answers")
        where, ends = uniform(), np.cumsum(self.kinds)
        first, second = (np.searchsorted(ends, uniform() * ends[-1], side="right") for _ in range(2))
        return (
            np.where(
                (where < both) | ((where >= reference) & (where < candidate)),
                np.where(where < both, first, second),
                0,
            ),
            np.where(where < reference, first, 0),
        )
