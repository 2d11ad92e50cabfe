"""Effects: what ablating a component did to the answers, with intervals over topics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.winsorised import WINSORISED_AT, winsorised_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.task.prompts import Prompt


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one prompt.

    Args:
        n_words: Words of the answer.
        ended: Whether the model ended it, and not the token cap.
    """

    n_words: int
    ended: bool

    def exact(self, prompt: Prompt) -> bool:
        """Whether the answer has the words asked for."""
        return self.ended and self.n_words == prompt.n_words

    def error(self, prompt: Prompt) -> float:
        """By how many words it is off, three at the most (METHODS §1)."""
        return abs(winsorised_error(self.n_words - prompt.n_words))


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What ablating one component does.

    Args:
        component: Its name.
        fall: By how much exact match falls, a share.
        rise: By how much |error| rises, in words.
    """

    component: str
    fall: Estimate
    rise: Estimate

    @property
    def strength(self) -> tuple[float, float]:
        """What components are ranked by: the fall, and among equals the rise."""
        return self.fall.mean, self.rise.mean

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return {"component": self.component, "fall": _stated(self.fall), "rise": _stated(self.rise)}


def effect(
    component: str,
    prompts: Sequence[Prompt],
    whole: Sequence[Outcome],
    ablated: Sequence[Outcome],
    *,
    alpha: float,
) -> Effect:
    """The effect of ablating a component, paired by prompt.

    Args:
        component: Its name.
        prompts: The prompts.
        whole: What the whole model made of each.
        ablated: What it made of each without the component.
        alpha: One-sided error rate of each end of an interval.
    """
    both = list(zip(prompts, whole, ablated, strict=True))

    def mean(name: str, unit: str, most: float, values: list[float]) -> Estimate:
        return Estimate.from_observations(
            [Observation(one.id, one.topic, value) for (one, _, _), value in zip(both, values, strict=True)],
            name=f"{name}({component})",
            unit=unit,
            bounds=(-most, most),
            alpha=alpha,
        )

    falls = [float(own.exact(one)) - float(cut.exact(one)) for one, own, cut in both]
    rises = [cut.error(one) - own.error(one) for one, own, cut in both]
    return Effect(component, mean("fall", "share", 1.0, falls), mean("rise", "words", WINSORISED_AT, rises))


def most_as_strong(strong: int, drawn: int, others: int, *, alpha: float) -> int:
    """How many of some components may be as strong as `strong` of those drawn from them were, at most.

    The upper limit of Clopper and Pearson (1934) of the share, which takes no account of how few there are,
    and so is on the safe side.

    Args:
        strong: How many of the drawn ones were strong.
        drawn: How many were drawn.
        others: How many they were drawn from.
        alpha: One-sided error rate.
    """
    if drawn in (0, others):
        return strong if drawn else others
    # scipy carries no types, and takes its time to import.
    from scipy.special import betaincinv  # type: ignore[import-untyped]

    share = 1.0 if strong == drawn else float(betaincinv(strong + 1, drawn - strong, 1 - alpha))
    return min(int(share * others), others - drawn + strong)


def _stated(one: Estimate) -> dict[str, Any]:
    return {
        "mean": one.mean,
        "low": one.low,
        "high": one.high,
        "n": one.n,
        "clusters": one.clusters,
        "unit": one.unit,
    }
