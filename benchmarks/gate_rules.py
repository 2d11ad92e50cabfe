"""Rules that say after how many prompts a claim is judged, and with how much of alpha.

`Looks` judges at a few numbers of prompts, each with a part of alpha (union bound). `Betting` judges after
every ten prompts by the capital of a bettor (Waudby-Smith & Ramdas 2024, arXiv:2010.09686). A bettor against
the statement "the mean lies beyond the margin" multiplies the capital by 1 / alpha with a probability of at
most alpha where the statement is true, however long the bets go on. `Both` divides alpha between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from gate_claims import ALPHA, read

from lengthprobe.statistics.looks import DEFAULT_BUDGET, looks

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate_answers import Design, Floats, Whole
    from gate_claims import Claim

EVERY = 10
# A bettor who puts up to three quarters of what can be lost at once, as in the paper's examples.
_MOST = 0.75
# Fixed stakes of the mixture. Half of the capital is on the boldest: it wins soonest where no answer differs.
_STAKES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)
_BOLDEST = 0.5
_NEVER = 10**9


class Judged(NamedTuple):
    """A number of prompts at which claims are judged, with its part of alpha."""

    prompts: int
    part: float


class Outcome(NamedTuple):
    """The verdicts on a claim, [R] each.

    Args:
        verdicts: 1 where the claim holds, -1 where broken, 0 where undecided.
        prompts: After how many prompts.
    """

    verdicts: Whole
    prompts: Whole


class Answered:
    """Many repeats of a claim's answers, whose readings are kept.

    Args:
        claim: The claim.
        candidate, reference: The kinds of the answers, [R, n].
        asked: The design.
    """

    def __init__(self, claim: Claim, candidate: Whole, reference: Whole, asked: Design) -> None:
        self.claim, self.candidate, self.reference, self.asked = claim, candidate, reference, asked
        self._readings: dict[int, Floats] = {}
        self._capitals: dict[tuple[int, float, float, Callable[..., Floats]], Floats] = {}

    def reading(self, prompts: int) -> Floats:
        """The least alphas for `holds` and `broken` after so many prompts, [2, R]."""
        if prompts not in self._readings:
            first = self.candidate[:, :prompts], self.reference[:, :prompts]
            self._readings[prompts] = read(self.claim, *first, self.asked)
        return self._readings[prompts]

    def capital(self, alpha: float, broken: bool, stakes: Callable[..., Floats]) -> Floats:
        """The logarithm of the capital after each ten prompts of a bettor on a verdict, [R, n / 10]."""
        found = [
            self._capital(-side if broken else side, margin, alpha, stakes)
            for side, margin in self.claim.sides
        ]
        return np.max(found, axis=0) if broken else np.min(found, axis=0)

    def _capital(self, side: int, margin: float, alpha: float, stakes: Callable[..., Floats]) -> Floats:
        key = (side, margin, alpha, stakes)
        if key not in self._capitals:
            values, (low, high) = self.claim.of(self.candidate, self.reference), self.claim.bounds
            if self.claim.grows:
                # A bettor knows the lengths beforehand, and the mean error only afterwards.
                lengths = self.asked.lengths
                weights = (lengths - lengths.mean()) / np.mean((lengths - lengths.mean()) ** 2)
                ends = np.outer((weights.min(), weights.max()), self.claim.bounds)
                values, low, high = weights * values, ends.min(), ends.max()
            shares, mean = (values - low) / (high - low), (margin - low) / (high - low)
            if side < 0:
                shares, mean = 1 - shares, 1 - mean
            self._capitals[key] = stakes(shares, mean, alpha)[:, EVERY - 1 :: EVERY]
        return self._capitals[key]


def plugged_in(shares: Floats, mean: float, alpha: float) -> Floats:
    """The log capital of a bettor against a mean of shares [R, n] whose stake is set by the variance so far.

    The predictable plug-in of the paper's section 3, cut at `_MOST`.
    """
    t = np.arange(1, shares.shape[1] + 1)
    means = (0.5 + np.cumsum(shares, axis=1)) / (t + 1)
    variances = (0.25 + np.cumsum((shares - means) ** 2, axis=1)) / (t + 1)
    before = np.column_stack([np.full(len(shares), 0.25), variances[:, :-1]])
    stakes = np.minimum(np.sqrt(2 * np.log(1 / alpha) / (before * t * np.log(t + 1))), _MOST / mean)
    return np.cumsum(np.log1p(stakes * (shares - mean)), axis=1)


def mixture(shares: Floats, mean: float, _alpha: float) -> Floats:
    """The log capital of a bettor who divides the capital among fixed stakes, half of it on the boldest."""
    logs = np.stack([np.cumsum(np.log1p(stake / mean * (shares - mean)), axis=1) for stake in _STAKES])
    weights = np.full(len(_STAKES), (1 - _BOLDEST) / (len(_STAKES) - 1))
    weights[-1] = _BOLDEST
    top = logs.max(axis=0)
    return np.asarray(top + np.log(np.tensordot(weights, np.exp(logs - top), axes=1)))


@dataclass(frozen=True)
class Looks:
    """A few looks, each with a part of alpha."""

    name: str
    looks: tuple[Judged, ...]

    @property
    def budget(self) -> int:
        """The largest number of prompts."""
        return self.looks[-1].prompts

    def judge(self, answered: Answered, part: float = 1.0) -> Outcome:
        """The verdicts at the first look that decides, with a part of alpha for all looks together."""
        shares = answered.claim.shares
        holds, broken = (
            np.stack(
                [answered.reading(look.prompts)[row] <= part * look.part * ALPHA / of for look in self.looks],
                1,
            )
            for row, of in ((0, 1.0), (1, shares))
        )
        return _first(holds, broken, np.array([look.prompts for look in self.looks]))


@dataclass(frozen=True)
class Betting:
    """A bettor's capital, looked at after each ten prompts."""

    name: str
    stakes: Callable[..., Floats]
    budget: int = DEFAULT_BUDGET

    def judge(self, answered: Answered, part: float = 1.0) -> Outcome:
        """The verdicts when the capital first says so."""
        masks = []
        for broken, of in ((False, 1.0), (True, answered.claim.shares)):
            alpha = part * ALPHA / of
            masks.append(answered.capital(alpha, broken, self.stakes) >= np.log(1 / alpha))
        return _first(*masks, EVERY * np.arange(1, masks[0].shape[1] + 1))


@dataclass(frozen=True)
class Both:
    """Betting with a part of alpha, and looks with the rest; the first verdict counts."""

    name: str
    betting: Betting
    looks: Looks
    part: float
    budget: int = DEFAULT_BUDGET

    def judge(self, answered: Answered) -> Outcome:
        """The verdicts of the first of the two that decides."""
        one, other = self.betting.judge(answered, self.part), self.looks.judge(answered, 1 - self.part)
        undecided = one.verdicts == 0
        sooner = ~undecided & ((other.verdicts == 0) | (one.prompts <= other.prompts))
        return Outcome(*(np.where(sooner, *pair) for pair in zip(one, other, strict=True)))


Rule = Looks | Betting | Both


def _first(holds: Floats, broken: Floats, prompts: Whole) -> Outcome:
    held, denied = (
        np.where(mask.any(axis=1), prompts[mask.argmax(axis=1)], _NEVER) for mask in (holds, broken)
    )
    verdicts = np.where(held < denied, 1, np.where(denied < _NEVER, -1, 0))
    return Outcome(verdicts, np.minimum(np.minimum(held, denied), prompts[-1]))


FOUR = Looks("four looks", tuple(Judged(*look) for look in looks(DEFAULT_BUDGET)))
_MIXTURE = Betting("betting, mixture", mixture)
RULES = (
    Looks("one look at 150", (Judged(150, 1.0),)),
    Looks("one look at 300", (Judged(300, 1.0),)),
    FOUR,
    # With .12 no miss at all in 100 prompts bounds a rate below .05, and with .1 just not.
    Looks(
        "five looks",
        (Judged(100, 0.12), Judged(150, 0.18), Judged(200, 0.1), Judged(300, 0.2), Judged(450, 0.4)),
    ),
    Betting("betting, plug-in", plugged_in),
    _MIXTURE,
    Both("hybrid", _MIXTURE, Looks("", (Judged(150, 0.25), Judged(300, 0.3), Judged(450, 0.45))), 0.25),
)
