"""The fourteen claims of a gate on made-up answers, read with the library's own intervals.

`read` gives, for a claim and the first prompts of many repeats, the least alpha at which the claim would hold
and the least at which the claim would be broken. A rule then compares with its own alpha. `proved` compares
some of the readings with the verdict of a real Estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from gate_answers import KINDS

from lengthprobe.margins import Margins, alpha_shares
from lengthprobe.measures.behaviour.error_growth import CAPPED_AT
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.intervals import share_below_zero
from lengthprobe.statistics.winsorised import WINSORISED_AT

if TYPE_CHECKING:
    from gate_answers import Design, Floats, Whole

MARGINS = Margins()
# Two languages, with a reference.
SHARES = alpha_shares(2, reference=True).behaviour
ALPHA = 0.05
_ROWS = 100
# With fewer different topics, equal topics are counted together.
_FEW = 60

_ERROR = np.array([float(kind.error) for kind in KINDS])
_CAPPED = np.minimum(np.abs(_ERROR), CAPPED_AT)
_WINSORISED = np.clip(_ERROR, -WINSORISED_AT, WINSORISED_AT)


@dataclass(frozen=True)
class Claim:
    """A claim on the mean of a value.

    Args:
        name: The name of the margin.
        values: The value of each kind of answer; of error growth, the capped error.
        bounds: The least and the greatest value.
        margin: The margin.
        sign: -1 for a mean below the margin, 1 for a mean above, 0 for a mean within ± the margin.
        is_rise: Whether the reference's value is taken away.
        grows: Whether the mean is the slope of the value on the length.
    """

    name: str
    values: Floats
    bounds: tuple[float, float]
    margin: float
    sign: int = -1
    is_rise: bool = False
    grows: bool = False

    def of(self, candidate: Whole, reference: Whole) -> Floats:
        """The value on each prompt."""
        values = self.values[candidate]
        return values - self.values[reference] if self.is_rise else values

    @property
    def sides(self) -> tuple[tuple[int, float], ...]:
        """The statements of the claim: below (-1) or above (1) a margin."""
        return ((-1, self.margin), (1, -self.margin)) if self.sign == 0 else ((self.sign, self.margin),)

    @property
    def shares(self) -> float:
        """Into how many shares alpha is divided for `broken`."""
        return SHARES * len(self.sides)


def _flags(name: str) -> Floats:
    return np.array([float(getattr(kind, name)) for kind in KINDS])


def _claims() -> tuple[Claim, ...]:
    exact, away = (_ERROR == 0).astype(float), _flags("runs_away")
    short, preamble, counters = (
        (_ERROR < -1).astype(float),
        _flags("has_preamble"),
        _flags("counters_disagree"),
    )
    rate, change, m = (0.0, 1.0), (-1.0, 1.0), MARGINS
    return (
        Claim("length_error", _WINSORISED, (-WINSORISED_AT, WINSORISED_AT), m.length_error, 0),
        Claim("exact_match", exact, rate, m.exact_match, 1),
        Claim("runaways", away, rate, m.runaways),
        Claim("short_answers", short, rate, m.short_answers),
        Claim("error_growth", _CAPPED, (0.0, CAPPED_AT), m.error_growth, grows=True),
        Claim("preambles", preamble, rate, m.preambles),
        Claim("counter_disagreement", counters, rate, m.counter_disagreement),
        Claim(
            "length_error_rise",
            np.abs(_WINSORISED),
            (-WINSORISED_AT, WINSORISED_AT),
            m.length_error_rise,
            is_rise=True,
        ),
        Claim("exact_match_fall", exact, change, -m.exact_match_fall, 1, is_rise=True),
        Claim("runaways_rise", away, change, m.runaways_rise, is_rise=True),
        Claim("short_answers_rise", short, change, m.short_answers_rise, is_rise=True),
        Claim(
            "error_growth_rise",
            _CAPPED,
            (-CAPPED_AT, CAPPED_AT),
            m.error_growth_rise,
            is_rise=True,
            grows=True,
        ),
        Claim("preambles_rise", preamble, change, m.preambles_rise, is_rise=True),
        Claim("counter_disagreement_rise", counters, change, m.counter_disagreement_rise, is_rise=True),
    )


CLAIMS = _claims()


@dataclass(frozen=True)
class Topics:
    """Many repeats of a sample: the topics of each repeat, equal topics together.

    Args:
        means: The means, [R, K].
        sizes: The numbers of prompts, [K].
        counts: How many topics have the mean and the size, [R, K].
        low, high: The bounds, [R] each.
    """

    means: Floats
    sizes: Floats
    counts: Floats
    low: Floats
    high: Floats


def topics_of(claim: Claim, candidate: Whole, reference: Whole, asked: Design) -> Topics:
    """The topics of a claim, on the first prompts of a design, [R, n] of each side."""
    n = candidate.shape[1]
    lengths, topics = asked.lengths[:n], asked.topics[:n]
    values = claim.of(candidate, reference)
    low, high = (np.full(len(values), bound) for bound in claim.bounds)
    weights = np.ones(n)
    shift = np.zeros(len(values))
    if claim.grows:
        # As `error_growth`: the weight (N - mean) / spread, times the error less the mean error.
        weights = (lengths - lengths.mean()) / np.mean((lengths - lengths.mean()) ** 2)
        shift = values.mean(axis=1)
        ends = (
            np.array([(weights.min(), weights.max())]).T
            * (np.array(claim.bounds)[:, None, None] - shift)[:, None]
        )
        ends = ends.reshape(-1, len(values))
        low, high = ends.min(axis=0), ends.max(axis=0)
    if len(np.unique(topics)) == n:
        cells = (values - values.min()).round().astype(int) * 20 + lengths * claim.grows
        known, where = np.unique(cells, return_inverse=True)
        where = where.reshape(cells.shape)
        offsets = np.arange(len(values))[:, None] * len(known)
        counts = np.bincount((where + offsets).ravel(), minlength=len(known) * len(values)).reshape(
            len(values), -1
        )
        first = np.unique(cells, return_index=True)[1]
        means = np.broadcast_to(weights, values.shape).ravel()[first] * (
            values.ravel()[first] - shift[:, None]
        )
        return Topics(means, np.ones(len(known)), counts.astype(float), low, high)
    sizes = np.bincount(topics).astype(float)
    of_topic = np.zeros((n, len(sizes)))
    of_topic[np.arange(n), topics] = 1
    means = (weights * (values - shift[:, None])) @ of_topic / sizes
    cells = np.round(means, 9) + 1000 * sizes
    known, first = np.unique(cells, return_index=True)
    if len(known) > _FEW:
        return Topics(means, sizes, np.ones(means.shape), low, high)
    counts = np.stack([(cells == cell).sum(axis=1) for cell in known], axis=1).astype(float)
    few, its = means.ravel()[first], np.broadcast_to(sizes, means.shape).ravel()[first]
    return Topics(np.broadcast_to(few, counts.shape), its, counts, low, high)


def least_alpha(topics: Topics, margin: float, side: int) -> Floats:
    """The least alpha at which the mean is shown to lie below (-1) or above (1) a margin, [R]."""
    # Above is below of the negative values.
    means, bound = -side * topics.means, topics.high if side < 0 else -topics.low
    margin *= -side
    largest = topics.sizes.max()
    weights = np.column_stack([topics.sizes * (means - margin), largest * (bound - margin)])
    counts = np.column_stack([topics.counts, np.ones(len(means))])
    rows = np.column_stack([weights * (counts > 0), counts]).round(12)
    different, where = np.unique(rows, axis=0, return_inverse=True)
    weights, counts = np.hsplit(different, 2)
    below = np.concatenate(
        [
            share_below_zero(weights[at : at + _ROWS], counts[at : at + _ROWS])
            for at in range(0, len(weights), _ROWS)
        ]
    )
    return (1 - below)[where.ravel()]


def read(claim: Claim, candidate: Whole, reference: Whole, asked: Design) -> Floats:
    """The least alphas at which a claim would hold and be broken, [2, R]; that for `broken` is a share's."""
    topics = topics_of(claim, candidate, reference, asked)
    holds = np.max([least_alpha(topics, margin, side) for side, margin in claim.sides], axis=0)
    broken = np.min([least_alpha(topics, margin, -side) for side, margin in claim.sides], axis=0)
    return np.stack([holds, broken])


def status(claim: Claim, candidate: Whole, reference: Whole, asked: Design, alpha: float) -> str:
    """The verdict of a real Estimate on one repeat, [n] of each side."""
    n = len(candidate)

    def estimate(kinds: Whole) -> Estimate:
        values, bounds, own = claim.values[kinds], (0.0, float(claim.values.max())), [None] * n
        if claim.name == "length_error":
            bounds = claim.bounds
        if claim.grows:
            lengths = asked.lengths[:n]
            weights = (lengths - lengths.mean()) / np.mean((lengths - lengths.mean()) ** 2)
            own = [tuple(sorted((-w * values.mean(), w * (CAPPED_AT - values.mean())))) for w in weights]
            values = weights * (values - values.mean())
            bounds = (-100.0, 100.0)
        return Estimate.from_observations(
            [
                Observation(str(at), str(topic), float(value), bounds=bound)
                for at, (topic, value, bound) in enumerate(zip(asked.topics[:n], values, own, strict=True))
            ],
            name=claim.name, unit="x", bounds=bounds, alpha=alpha, alpha_shares=SHARES,
        )  # fmt: skip

    found = estimate(candidate) - estimate(reference) if claim.is_rise else estimate(candidate)
    if claim.sign == 0:
        return (abs(found) < claim.margin).status
    return (found < claim.margin if claim.sign < 0 else found > claim.margin).status


def proved(
    claim: Claim, candidate: Whole, reference: Whole, asked: Design, alpha: float, readings: Floats
) -> None:
    """Compare the readings with the verdicts of real Estimates.

    Raises:
        SystemExit: They differ.
    """
    for row, (holds, broken) in enumerate(readings.T):
        ours = "holds" if holds < alpha else "broken" if broken <= alpha / claim.shares else "undecided"
        theirs = status(claim, candidate[row], reference[row], asked, alpha)
        if ours != theirs:
            raise SystemExit(f"{claim.name}: {ours} by the tail probability, {theirs} by the Estimate")
