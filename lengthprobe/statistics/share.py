"""Share: a mean as a part of a whole, which claims compare by two means over the same prompts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from lengthprobe.statistics.comparable import Comparable, number
from lengthprobe.statistics.comparison import Part
from lengthprobe.statistics.digits import in_three_digits, interval_name
from lengthprobe.statistics.estimate import Estimate
from lengthprobe.statistics.magnitude import Magnitude
from lengthprobe.statistics.sample import Sample, join_samples
from lengthprobe.statistics.verdict import Verdict, decide_side

if TYPE_CHECKING:
    from lengthprobe.statistics.background import Background
    from lengthprobe.statistics.forms import Form
    from lengthprobe.statistics.measure_key import MeasureKey
    from lengthprobe.statistics.sample import Observation
    from lengthprobe.statistics.unmet import Unmet


def share(estimate: Estimate) -> Share:
    """The share that a mean has of its whole, `mean(x) / mean(whole)`.

    `share(cwa(probe, component="late heads", language="en")) > 0.02` claims that the late heads give more
    than 2 % of the sum over all components (METHODS §3).

    Raises:
        TypeError: The argument is no estimate, or an estimate without a whole; the message says which
            measures have a whole.
    """
    if not isinstance(estimate, Estimate):
        named = getattr(estimate, "name", repr(estimate))
        raise TypeError(f"share({named}): a share is of an estimate; write abs(share(x)) for its magnitude")
    under = "" if estimate.whole is None else " under the other word counter"
    if estimate.recounted.whole is None:
        raise TypeError(
            f"share({estimate.name}): it has no whole{under} to be a share of. The attribution measures have "
            'one, as in share(cwa(probe, component="late heads", language="en")), and sums and differences '
            "of two that have the same; compare others as they are, as in late > 0.5 * reference"
        )
    return Share(f"share({estimate.name})", estimate)


@dataclass(frozen=True, eq=False, repr=False)
class Share(Comparable):
    """A mean as a share of the mean of its whole.

    `share(x) > m` decides whether x - m · whole, prompt by prompt, has a mean above 0. `abs(share(x)) < m`
    decides both whether this mean is below 0 and whether the mean of x + m · whole is above 0. So alpha is
    kept as for any mean, and a component that was cut (x exactly 0, the whole not) is called broken. The
    interval shown holds the margins not ruled out by this comparison (`once_more.ratio_interval`). The
    interval is a point where x is the same share of the whole on every prompt measured; the share is then
    taken to be the same on all prompts.

    Assumed: as of any measure without bounds (`once_more`), and a whole whose mean is above 0. Where the
    interval of the whole does not show a mean above 0, nothing is decided. The weights with which a whole
    adds its components up are taken as given. For all heads and MLPs these weights are signs from the other
    half of the topics (`halves`). Where signs are unsure, the whole comes out a little too small, and a share
    too far from 0: at the margin `share(x) > m` holds in 2 to 11 %, and is broken in 0 to 1 %
    (`benchmarks/coverage.py --margins`).

    Args:
        name: The name of the share in an expression.
        estimate: The mean, with its whole.
        effect: The reader's word for the share.
        noted: The values, with a note on each prompt for the reader; by default the part of the whole.
    """

    name: str
    estimate: Estimate
    effect: str = "share"
    noted: Sample | None = None

    unit: ClassVar[str] = "share"

    @property
    def mean(self) -> float:
        """The mean over the mean of the whole, NaN without prompts or where the mean of the whole is 0."""
        return self.estimate.mean / self._whole.mean if self._whole.mean else math.nan

    @property
    def low(self) -> float:
        """The lower end of the 1 - 2 alpha interval."""
        return self.interval(self.alpha)[0]

    @property
    def high(self) -> float:
        """The upper end of the 1 - 2 alpha interval."""
        return self.interval(self.alpha)[1]

    @property
    def n(self) -> int:
        """The number of prompts."""
        return self.estimate.n

    @property
    def clusters(self) -> int:
        """The number of topics."""
        return self.estimate.clusters

    @property
    def alpha(self) -> float:
        """The one-sided error rate of each end of the interval."""
        return self.estimate.alpha

    @property
    def alpha_shares(self) -> float:
        """The number of checks that share alpha for the verdict `broken`."""
        return self.estimate.alpha_shares

    @property
    def topics(self) -> int | None:
        """The number of topics to ask about, None where nobody knows."""
        return self.estimate.topics

    @property
    def background(self) -> tuple[Background, ...]:
        """Facts behind the estimate, for the reader of a failed claim."""
        return self.estimate.background

    @property
    def counter(self) -> str:
        """The word counter."""
        return self.estimate.counter

    @property
    def worst(self) -> str:
        """The place of the worst prompts, as in the estimate."""
        return self.estimate.worst

    @property
    def unmet(self) -> Unmet | None:
        """The unmet precondition of the estimate, None where every precondition is met."""
        return self.estimate.unmet

    @property
    def label(self) -> str:
        """The name of the share without its estimate."""
        return "fall_of_share" if self.effect == "fall" else "share"

    @property
    def measures(self) -> tuple[MeasureKey, ...]:
        """The keys of the measures in the estimate."""
        return self.estimate.measures

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms in which the checkpoints behind the values were asked."""
        return self.estimate.forms

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """The values behind the mean, each with its own part of the whole in its note."""
        if self.noted is not None:
            return (self.noted,)
        wholes = self._whole.by_prompt
        unit = "" if self.estimate.unit == "share" else f" {self.estimate.unit}"

        def of_whole(observation: Observation) -> str:
            return (
                f"{in_three_digits(observation.value)} of "
                f"{in_three_digits(wholes[observation.prompt_id].value)}{unit}"
            )

        noted = tuple(
            replace(observation, note=f"{of_whole(observation)}; {observation.note}".rstrip("; "))
            for observation in self.estimate.observations
        )
        return (Sample(noted, None),)

    @property
    def recounted(self) -> Share:
        """The share under the other word counter, or the share itself without a rival."""
        return self if self.estimate.rival is None else replace(self, estimate=self.estimate.rival)

    @cached_property
    def caveat(self) -> str:
        """The reason why the data cannot decide anything about a share; empty where they can."""
        if self._whole.caveat:
            return self._whole.caveat
        whole = replace(self.estimate, samples=(self._whole,), whole=None, rival=None)
        if whole.low > 0:
            return ""
        return (
            f"what it is a share of is not surely above 0: mean {whole.mean:.4g} {whole.unit}, "
            f"{interval_name(self.alpha)} {whole.low:.4g} to {whole.high:.4g}"
        )

    def interval(self, alpha: float) -> tuple[float, float]:
        """The limits at one-sided `alpha`."""
        # Imported here, since `once_more` needs numpy and scipy.
        from lengthprobe.statistics.once_more import ratio_interval

        if self._whole.caveat:
            return -math.inf, math.inf
        parts, wholes = self.estimate.samples[0].clusters, self._whole.clusters
        by_topic = dict(zip(wholes.keys, wholes.means, strict=True))
        return ratio_interval(parts.means, [by_topic[key] for key in parts.keys], parts.sizes, alpha)

    def side(self, below: bool, margin: float) -> Part:
        """The statement that the share lies below, or else above, a margin."""
        return Part(_less(self.estimate, margin), below, 0.0)

    def contrasts(self, other: Comparable) -> None:
        """None: a share compares with a number."""

    def __abs__(self) -> Magnitude:
        return Magnitude(f"abs({self.name})", self)

    @property
    def _whole(self) -> Sample:
        assert self.estimate.whole is not None
        return self.estimate.whole

    def _compared(self, sign: str, other: object) -> Verdict:
        if isinstance(other, Comparable):
            raise TypeError(
                f"{self.name} {sign} {other.name}: a share compares with a number, its margin; of two that "
                f"have the same whole, write share(one - other) {sign} 0.02"
            )
        margin = number(other, f"{self.name} {sign} 0.02")
        below = sign[0] == "<"
        # A reader looks for the prompts with a value too small, or too large, for the claim.
        shown = replace(self, estimate=replace(self.estimate, worst="high" if below else "low"))
        return decide_side(sign, self, None, self.side(below, margin), shown, margin)

    def __repr__(self) -> str:
        return f"<{self.name}: {self.mean:.4g} [{self.low:.4g}, {self.high:.4g}] share, n={self.n}>"


def _less(estimate: Estimate, margin: float) -> Estimate:
    """The estimate less `margin` times its whole, prompt by prompt."""
    assert estimate.whole is not None
    return replace(
        estimate,
        name=f"{estimate.name} - {margin:g} of its whole",
        samples=join_samples(estimate.samples, (estimate.whole.scaled(-margin),)),
        rival=None if estimate.rival is None else _less(estimate.rival, margin),
        whole=None,
        compound=True,
    )
