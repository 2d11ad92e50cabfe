"""Effects of ablating a component on the answers, with intervals over topics."""

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
    """The answer to a prompt in numbers.

    Args:
        n_words: Words of the answer.
        ended: Whether the model ended the answer, and not the token cap.
    """

    n_words: int
    ended: bool

    def exact(self, prompt: Prompt) -> bool:
        """Whether the answer ended with the number of words asked for."""
        return self.ended and self.n_words == prompt.n_words

    def error(self, prompt: Prompt) -> float:
        """The error in words, without its sign and three at the most (METHODS §1)."""
        return abs(winsorised_error(self.n_words - prompt.n_words))


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """The effect of ablating a component.

    Args:
        component: The name of the component.
        fall: The fall of exact match, a share.
        rise: The rise of |error|, in words.
    """

    component: str
    fall: Estimate
    rise: Estimate

    @property
    def strength(self) -> tuple[float, float]:
        """The key by which components are ranked: the fall, and among equal falls the rise."""
        return self.fall.mean, self.rise.mean

    def as_dict(self) -> dict[str, Any]:
        """The effect for JSON."""
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
        component: The name of the component.
        prompts: The prompts.
        whole: The outcome of the whole model on each prompt.
        ablated: The outcome without the component on each prompt.
        alpha: One-sided error rate of each end of an interval.
    """
    both = list(zip(prompts, whole, ablated, strict=True))

    def mean(name: str, unit: str, most: float, values: list[float]) -> Estimate:
        return Estimate.from_observations(
            [
                Observation(prompt.id, prompt.topic, value)
                for (prompt, _, _), value in zip(both, values, strict=True)
            ],
            name=f"{name}({component})",
            unit=unit,
            bounds=(-most, most),
            alpha=alpha,
        )

    falls = [float(own.exact(prompt)) - float(cut.exact(prompt)) for prompt, own, cut in both]
    rises = [cut.error(prompt) - own.error(prompt) for prompt, own, cut in both]
    return Effect(component, mean("fall", "share", 1.0, falls), mean("rise", "words", WINSORISED_AT, rises))


def most_as_strong(strong: int, drawn: int, others: int, *, alpha: float) -> int:
    """The largest number of strong components among `others`, by a random sample.

    The share has the upper limit of Clopper and Pearson (1934). The limit takes no account of how few
    components there are, and so is on the safe side.

    Args:
        strong: How many drawn components were strong.
        drawn: How many components were drawn.
        others: How many components there were to draw from.
        alpha: One-sided error rate.
    """
    if drawn in (0, others):
        return strong if drawn else others
    # scipy carries no types, and takes its time to import.
    from scipy.special import betaincinv  # type: ignore[import-untyped]

    share = 1.0 if strong == drawn else float(betaincinv(strong + 1, drawn - strong, 1 - alpha))
    return min(int(share * others), others - drawn + strong)


def _stated(estimate: Estimate) -> dict[str, Any]:
    return {
        "mean": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "n": estimate.n,
        "clusters": estimate.clusters,
        "unit": estimate.unit,
    }
