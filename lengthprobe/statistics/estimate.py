"""Estimate: a mean over prompts that compares like a number; a comparison is true only if the data say so."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from lengthprobe.settings import MOST_ALPHA
from lengthprobe.statistics.comparable import Comparable, number
from lengthprobe.statistics.comparison import Part, check_mixable
from lengthprobe.statistics.forms import merge_forms
from lengthprobe.statistics.magnitude import Magnitude
from lengthprobe.statistics.measure_key import MeasureKey, all_keys
from lengthprobe.statistics.sample import (
    Observation,
    Sample,
    join_samples,
    sum_bounds,
    usable_sample,
    usable_whole,
)
from lengthprobe.statistics.unmet import Unmet, first_unmet
from lengthprobe.statistics.verdict import Verdict, decide_side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lengthprobe.statistics.background import Background
    from lengthprobe.statistics.forms import Form

__all__ = ["Estimate", "Observation", "Sample"]

# Of a factor: of far smaller ones a square is 0, and a spread gone.
SMALLEST = 1e-9

_REVERSED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_MIRRORED = {"high": "low", "low": "high", "far": "far"}


@dataclass(frozen=True, eq=False, repr=False)
class Estimate(Comparable):
    """A mean, its uncertainty, and the prompts behind the mean.

    `estimate > 0`, `abs(estimate) < 0.5`, `candidate - reference > -0.02`, `abs(english) < 0.1 * italian`
    return a Verdict. A difference pairs by prompt where both sides measured the same prompts. Otherwise the
    difference is the contrast of two means, each clustered on its topics (`intervals.sum_interval`).

    Equal values without bounds show no spread, and their mean decides nothing. A contrast makes a further
    assumption, which tells a cut component from a working component. Where a term is exactly 0 on every
    prompt (`Sample.absent`), the term is taken to be 0 on all other prompts too, and the terms that vary
    decide. A pair needs no assumption: 0 less a varying value, prompt by prompt, varies.

    Args:
        samples: The terms of the mean: several for a contrast, otherwise a single sample.
        compound: Whether the name needs parentheses within a longer expression.
        name, unit, alpha, alpha_shares, rival, worst, counter, whole, topics: As in `from_observations`.
        background: Facts on each term, for the reader of a failed claim.
        effect: The reader's word for the mean.
        forms: The forms in which the checkpoints behind the values were asked.
        unmet: An unmet precondition: there are no values then, and each comparison states the precondition.
        measures: The keys of the measures of all terms.
    """

    name: str
    unit: str
    samples: tuple[Sample, ...]
    alpha: float = 0.05
    alpha_shares: float = 1
    rival: Estimate | None = None
    worst: str = "far"
    counter: str = ""
    compound: bool = False
    whole: Sample | None = None
    background: tuple[Background, ...] = ()
    topics: int | None = None
    effect: str = "mean"
    forms: tuple[Form, ...] = ()
    unmet: Unmet | None = None
    measures: tuple[MeasureKey, ...] = ()
    _limits: dict[tuple[float, float], tuple[float, float]] = field(default_factory=dict, init=False)

    @classmethod
    def from_observations(
        cls,
        observations: Iterable[Observation],
        *,
        name: str | MeasureKey,
        unit: str,
        bounds: tuple[float, float] | None,
        alpha: float = 0.05,
        alpha_shares: float = 1,
        rival: Estimate | None = None,
        worst: str = "far",
        counter: str = "",
        whole: Sample | None = None,
        topics: int | None = None,
        flaw: str = "",
        form: Form | None = None,
    ) -> Estimate:
        """The estimate of a mean from one value a prompt.

        Args:
            observations: The values.
            name: The measure, as in an expression (`length_error(tiny-it, en)`), or its key.
            unit: The unit of the values.
            bounds: The least and the greatest value of the measure. None where the measure has no bounds and
                its values are roughly normal. Infinite where a rare value may lie far out, which no interval
                covers: then the mean is shown and decides nothing.
            alpha: One-sided error rate of each end of the interval.
            alpha_shares: Into how many shares `alpha` is divided for the verdict `broken`; each check has a
                single share.
            rival: The estimate under the other word counter; a comparison is undecided where the verdicts
                under the two counters differ.
            worst: The worst prompts: with a `high` value, with a `low` value, or with a value `far` from 0.
            counter: The word counter.
            whole: The whole for each prompt, for `share.share`; without bounds.
            topics: How many topics there are to ask about, None where nobody knows.
            flaw: Why the values, however they turn out, cannot decide anything.
            form: The form in which the checkpoint was asked, None where the values come from no checkpoint.

        Raises:
            ValueError: A value is no finite number or is out of bounds, a prompt comes twice, or an argument
                cannot be used; the message names the value, the prompt or the argument.
        """
        if not 0 < alpha <= MOST_ALPHA:
            raise ValueError(f"{name}: alpha {alpha} does not lie between 0 and {MOST_ALPHA}")
        if alpha_shares < 1:
            raise ValueError(
                f"{name}: {alpha_shares} shares of alpha would give a check more than alpha; at least 1"
            )
        if worst not in _MIRRORED:
            raise ValueError(f"{name}: worst={worst!r} is none of {', '.join(_MIRRORED)}")
        sample = replace(usable_sample(tuple(observations), bounds, str(name)), flaw=flaw)
        if whole is not None:
            whole = usable_whole(whole, sample, str(name))
        return cls(
            *(str(name), unit, (sample,), alpha, alpha_shares, rival, worst, counter),
            whole=whole,
            topics=topics,
            forms=() if form is None else (form,),
            measures=(name if isinstance(name, MeasureKey) else MeasureKey(name),),
        )

    @cached_property
    def mean(self) -> float:
        """The mean over prompts, NaN without any prompt."""
        return math.fsum(sample.mean for sample in self.samples)

    @property
    def low(self) -> float:
        """The lower end of the 1 - 2 alpha interval."""
        return self.interval(self.alpha)[0]

    @property
    def high(self) -> float:
        """The upper end of the 1 - 2 alpha interval."""
        return self.interval(self.alpha)[1]

    @cached_property
    def observations(self) -> tuple[Observation, ...]:
        """The values behind the mean, with their signs in a contrast."""
        return tuple(
            observation for sample in self.samples if not sample.drawn for observation in sample.observations
        )

    @property
    def n(self) -> int:
        """The number of prompts."""
        return len({observation.prompt_id for observation in self.observations})

    @property
    def clusters(self) -> int:
        """The number of topics."""
        return len({observation.topic for observation in self.observations})

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest possible value of the mean, or None."""
        return sum_bounds(self.samples)

    @property
    def caveat(self) -> str:
        """The reason why the data cannot decide anything about the mean; empty where they can."""
        return next(filter(None, (sample.caveat for sample in self._deciding)), "")

    @cached_property
    def _deciding(self) -> tuple[Sample, ...]:
        """The samples whose spread gives the interval: the samples not absent, or all if all are absent."""
        return tuple(sample for sample in self.samples if not sample.absent) or self.samples

    def interval(self, alpha: float, *, copies: float = 1.0) -> tuple[float, float]:
        """The limits at one-sided `alpha`, had the same topics been seen `copies` times over."""
        if (alpha, copies) not in self._limits:
            self._limits[alpha, copies] = self._interval(alpha, copies)
        return self._limits[alpha, copies]

    def _interval(self, alpha: float, copies: float) -> tuple[float, float]:
        # Imported here, since `intervals` needs numpy and scipy.
        from lengthprobe.statistics.intervals import correlation, mean_interval, sum_interval

        clusters = [sample.clusters for sample in self._deciding]
        limits = [
            mean_interval(own, sample.bounds, alpha, copies=1.0 if sample.drawn else copies)
            for own, sample in zip(clusters, self._deciding, strict=True)
        ]
        if len(limits) == 1:
            return limits[0]
        if self.caveat:
            # Draws without information leave the whole line, whatever the bounds of the rest are.
            drawn = any(sample.drawn for sample in self.samples)
            return (None if drawn else self.bounds) or (-math.inf, math.inf)
        correlations = [[correlation(first, second) for second in clusters] for first in clusters]
        return sum_interval([sample.mean for sample in self._deciding], limits, correlations)

    def __neg__(self) -> Estimate:
        return self._scaled(-1.0, f"-{self._term}")

    def __mul__(self, factor: float) -> Estimate:
        times = number(factor, f"0.1 * {self.name}")
        if times == 0:
            raise ValueError(f"0 * {self.name} says nothing about the model")
        if not SMALLEST <= abs(times) <= 1 / SMALLEST:
            raise ValueError(
                f"{times:g} * {self.name}: beside values of another size nothing is left of it; "
                f"take a factor from {SMALLEST:g} to {1 / SMALLEST:g}"
            )
        return self._scaled(times, f"{times:g} * {self._term}")

    __rmul__ = __mul__

    def __sub__(self, other: Estimate) -> Estimate:
        return self._plus(other, -1.0, f"{self.name} - {getattr(other, '_term', other)}")

    def __add__(self, other: Estimate) -> Estimate:
        return self._plus(other, 1.0, f"{self.name} + {getattr(other, 'name', other)}")

    def __abs__(self) -> Magnitude:
        return Magnitude(f"abs({self.name})", self)

    @property
    def recounted(self) -> Estimate:
        """The estimate under the other word counter, or the estimate itself without a rival."""
        return self if self.rival is None else self.rival

    @property
    def _term(self) -> str:
        return f"({self.name})" if self.compound else self.name

    def _scaled(self, factor: float, name: str) -> Estimate:
        return replace(
            self,
            name=name,
            samples=tuple(sample.scaled(factor) for sample in self.samples),
            rival=None if self.rival is None else self.rival._scaled(factor, name),
            worst=_MIRRORED[self.worst] if factor < 0 else self.worst,
            compound=False,
        )

    def _plus(self, other: Estimate, sign: float, name: str) -> Estimate:
        if not isinstance(other, Estimate):
            raise TypeError(
                f"{name}: {other!r} is no estimate; a number is a margin: write {self.name} > {other!r}"
            )
        check_mixable(name, self, other)
        forms = merge_forms(self.forms, other.forms)
        rival = None
        if self.rival is not None or other.rival is not None:
            # A side without a rival does not depend on the word counter, and is its own rival.
            rival = self.recounted._plus(other.recounted, sign, name)
        shared = self.whole is not None and other.whole is not None and self.whole.equals(other.whole)
        return replace(
            self,
            name=name,
            samples=join_samples(self.samples, other._scaled(sign, "").samples),
            alpha_shares=max(self.alpha_shares, other.alpha_shares),
            rival=rival,
            compound=True,
            whole=self.whole if shared else None,
            background=self.background + other.background,
            topics=min(filter(None, (self.topics, other.topics)), default=None),
            effect="mean",
            forms=forms,
            unmet=first_unmet(self.unmet, other.unmet),
            measures=all_keys(self.measures, other.measures),
        )

    def side(self, below: bool, margin: float) -> Part:
        """The statement that the mean lies below, or else above, a margin."""
        return Part(self, below, margin)

    def contrasts(self, other: Comparable) -> tuple[Estimate, Estimate] | None:
        """The differences `self - other` and `-self - other`; None where `other` is no estimate."""
        return (self - other, -self - other) if isinstance(other, Estimate) else None

    def _compared(self, sign: str, other: object) -> Verdict:
        if isinstance(other, Estimate):
            contrast, margin, right = self - other, 0.0, other
        elif isinstance(other, Comparable):
            return other._compared(_REVERSED[sign], self)
        else:
            contrast, margin, right = self, number(other, f"{self.name} {sign} 0.5"), None
        part = contrast.side(sign[0] == "<", margin)
        return decide_side(sign, self, right, part, contrast, margin)

    def __repr__(self) -> str:
        # Adding zero takes the sign from a zero.
        mean, low, high = (f"{value + 0.0:.4g}" for value in (self.mean, self.low, self.high))
        return f"<{self.name}: {mean} [{low}, {high}] {self.unit}, n={self.n}>"
