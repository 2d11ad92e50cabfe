"""Observation and Sample: the values from the prompts, before anything is said about a mean."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lengthprobe.statistics.intervals import Clusters

# Without bounds (ours). Where values are skewed like exponential values, the limits of `once_more` err in 8 %
# with ten topics, and in 14 % with five.
LEAST_TOPICS = 10

# A sum smaller than this share of its terms is a 0 with the error of rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Observation:
    """The value of a measure on a prompt.

    Args:
        prompt_id: Digest of the prompt.
        topic: Key of the topic: prompts with the same topic are a cluster.
        value: The value.
        note: The prompt and the response, shown for the worst prompts; anybody's text.
        bounds: The least and the greatest value that the prompt can give, where prompts differ; None where
            every prompt has the bounds of the measure.
    """

    prompt_id: str
    topic: str
    value: float
    note: str = ""
    bounds: tuple[float, float] | None = None

    def scaled(self, factor: float) -> Observation:
        """The observation with its value times a number."""
        return replace(self, value=factor * self.value, bounds=_scaled(self.bounds, factor))

    def plus(self, other: Observation) -> Observation:
        """The sum with an observation of the same prompt, with the notes of both."""
        return replace(
            self,
            value=_sum(self.value, other.value),
            note=_both(self.note, other.note),
            bounds=_added(self.bounds, other.bounds),
        )


@dataclass(frozen=True, eq=False)
class Sample:
    """Values of a measure, with a single value for each prompt.

    Args:
        observations: The values.
        bounds: The least and the greatest value of the measure, or None.
        flaw: Why the values, however they turn out, cannot decide anything: too many prompts gave no value.
        drawn: Whether the values are from no prompts, but from random draws of something else, each less the
            mean of all. The spread of draws widens an interval, and more prompts do not narrow the spread.
    """

    observations: tuple[Observation, ...]
    bounds: tuple[float, float] | None
    flaw: str = ""
    drawn: bool = False

    @property
    def mean(self) -> float:
        """The mean over prompts, NaN without any."""
        if not self.observations:
            return math.nan
        return math.fsum(observation.value for observation in self.observations) / len(self.observations)

    @cached_property
    def by_prompt(self) -> dict[str, Observation]:
        """The observation of each prompt id."""
        return {observation.prompt_id: observation for observation in self.observations}

    @cached_property
    def clusters(self) -> Clusters:
        """The mean and size of each topic; sums are exact, so that the order of prompts plays no part."""
        # Imported here, since `intervals` needs numpy and scipy.
        from lengthprobe.statistics.intervals import Clusters

        topics: dict[str, list[float]] = {}
        for observation in self.observations:
            topics.setdefault(observation.topic, []).append(observation.value)
        means = [math.fsum(values) / len(values) for values in topics.values()]
        return Clusters(tuple(topics), means, [len(values) for values in topics.values()])

    @property
    def caveat(self) -> str:
        """The reason why the values cannot decide anything about their mean; empty where they can."""
        from lengthprobe.statistics.intervals import all_equal

        if not self.observations:
            return self.flaw or "no prompt was measured"
        if len(self.clusters.keys) < 2:
            return "fewer than two topics: nothing tells how much topics differ"
        if self.flaw:
            return self.flaw
        if self.bounds is None and all_equal(self.clusters.means):
            return "every value is equal and the measure declares no bounds"
        if self.bounds is None and len(self.clusters.keys) < LEAST_TOPICS:
            few = f"only {len(self.clusters.keys)} topics"
            return f"{few}: without bounds, fewer than {LEAST_TOPICS} do not show how far out a topic can lie"
        if self.bounds is not None and not all(map(math.isfinite, self.bounds)):
            return "a rare value may lie far out, so that the mean is shown and decides nothing"
        return ""

    @property
    def absent(self) -> bool:
        """Whether a measure without bounds is exactly 0 on every prompt, of two topics or more.

        Roughly normal values are not all 0 by chance: the measured thing is absent, as a cut component is.
        """
        silent = self.bounds is None and not any(observation.value for observation in self.observations)
        return silent and len(self.clusters.keys) > 1

    def equals(self, other: Sample) -> bool:
        """Whether two samples give every prompt the very same value, whatever the notes."""
        return self is other or _by_prompt(self, "value") == _by_prompt(other, "value")

    def scaled(self, factor: float) -> Sample:
        """The sample with every value times a number."""
        observations = tuple(observation.scaled(factor) for observation in self.observations)
        return replace(self, observations=observations, bounds=_scaled(self.bounds, factor))

    def shifted(self, by: float) -> Sample:
        """The sample without bounds with every value greater by a number."""
        return replace(
            self,
            observations=tuple(
                replace(observation, value=observation.value + by) for observation in self.observations
            ),
        )

    def plus(self, other: Sample) -> Sample:
        """The sum, prompt by prompt, of two samples of the same prompts.

        The bounds of the sum are the sums of both bounds, or the farthest of the prompts' own bounds where
        every prompt has its own. The latter are nearer where the largest values of the two samples belong to
        different prompts.
        """
        observations = tuple(
            observation.plus(other.by_prompt[observation.prompt_id]) for observation in self.observations
        )
        flaw = self.flaw or other.flaw
        bounds = _added(self.bounds, other.bounds)
        if bounds is None:
            return Sample(observations, None, flaw, drawn=self.drawn and other.drawn)
        return Sample(observations, _farthest(observations) or bounds, flaw)


def draws(values: Mapping[str, float]) -> Sample:
    """The sample of random draws: each draw less the mean of all, exactly 0 where all are equal.

    Args:
        values: The value of each draw, by its name.
    """
    mean = math.fsum(values.values()) / len(values)
    rows = tuple(Observation(name, name, _sum(value, -mean)) for name, value in values.items())
    return Sample(rows, None, drawn=True)


def sum_bounds(samples: Sequence[Sample]) -> tuple[float, float] | None:
    """The least and the greatest possible value of a sum of means, or None.

    Random draws add nothing to the bounds: their deviations from their mean have mean 0.
    """
    terms = [sample.bounds for sample in samples if not sample.drawn]
    bounds = [pair for pair in terms if pair is not None]
    if len(bounds) < len(terms):
        return None
    return math.fsum(low for low, _ in bounds), math.fsum(high for _, high in bounds)


def join_samples(samples: tuple[Sample, ...], others: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """The terms of a sum: samples of the same prompts become one, the rest stand side by side."""
    terms = list(samples)
    for other in others:
        for index, term in enumerate(terms):
            if term.by_prompt.keys() == other.by_prompt.keys():
                terms[index] = term.plus(other)
                break
        else:
            terms.append(other)
    return tuple(terms)


def usable_sample(
    observations: tuple[Observation, ...], bounds: tuple[float, float] | None, name: str
) -> Sample:
    """The sample of the observations, checked.

    Where every prompt has bounds of its own, the bounds of the sample are the farthest of these: a prompt
    that was not asked is like an asked prompt.

    Raises:
        ValueError: A value is no finite number or out of bounds, a prompt's own bounds lie beyond the bounds,
            or a prompt comes twice.
    """
    low, high = bounds or (-math.inf, math.inf)
    if not low < high:
        raise ValueError(f"{name}: bounds {bounds} leave no room for a value")
    seen: set[str] = set()
    for observation in observations:
        least, most = observation.bounds or (low, high)
        if not low <= least <= most <= high:
            raise ValueError(
                f"{name}: prompt {observation.prompt_id} has bounds {least} to {most}, "
                f"not within {low} to {high}"
            )
        if not math.isfinite(observation.value) or not least <= observation.value <= most:
            raise ValueError(
                f"{name}: prompt {observation.prompt_id} gives {observation.value}, "
                f"not a number within {least} to {most}"
            )
        if observation.prompt_id in seen:
            raise ValueError(f"{name}: prompt {observation.prompt_id} was measured twice")
        seen.add(observation.prompt_id)
    return Sample(observations, _farthest(observations) or bounds)


def usable_whole(whole: Sample, sample: Sample, name: str) -> Sample:
    """The whole of a sample, checked.

    Raises:
        ValueError: The whole has other prompts or topics or declares bounds, or a value is no finite number.
    """
    if whole.bounds is not None:
        raise ValueError(f"{name}: a whole has values like normal ones, and no bounds; not {whole.bounds}")
    usable_sample(whole.observations, None, f"{name}: its whole")
    if _by_prompt(whole, "topic") != _by_prompt(sample, "topic"):
        raise ValueError(f"{name}: its whole is of other prompts, or gives them other topics")
    return whole


def _by_prompt(sample: Sample, field: str) -> dict[str, object]:
    return {observation.prompt_id: getattr(observation, field) for observation in sample.observations}


def _scaled(bounds: tuple[float, float] | None, factor: float) -> tuple[float, float] | None:
    if bounds is None:
        return None
    low, high = sorted(factor * bound for bound in bounds)
    return low, high


def _added(
    bounds: tuple[float, float] | None, other: tuple[float, float] | None
) -> tuple[float, float] | None:
    return None if bounds is None or other is None else (bounds[0] + other[0], bounds[1] + other[1])


def _farthest(observations: Sequence[Observation]) -> tuple[float, float] | None:
    """The farthest of the prompts' own bounds, None where a prompt has none."""
    own = [observation.bounds for observation in observations]
    known = [bounds for bounds in own if bounds is not None]
    if not known or len(known) < len(own):
        return None
    return min(low for low, _ in known), max(high for _, high in known)


def _sum(value: float, other: float) -> float:
    total = value + other
    return total if abs(total) > _ROUNDING * max(abs(value), abs(other)) else 0.0


def _both(note: str, other: str) -> str:
    """The notes of both sides; a prompt asked of both stands once."""
    if other in ("", note):
        return note
    start = note.find(": ")
    ends = [end for end in range(len(note)) if start >= 0 and note.startswith(" → ", end)]
    # Prompt and response are anybody's text: search the longest part, up to an arrow, found in both notes.
    shared = next((part for end in reversed(ends) if (part := f"{note[start:end]} → ") in other), None)
    if shared:
        other = other.replace(shared, ": ", 1)
    return f"{note} | against: {other}".removeprefix(" | ")
