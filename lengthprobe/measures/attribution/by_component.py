"""Estimates of a value of each component of a model: the ground of the measures of mechanism."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from lengthprobe.measures.per_response import Measured, measure_key, probe_form
from lengthprobe.statistics.background import Background
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.halves import cross_fitted_size
from lengthprobe.statistics.sample import Sample
from lengthprobe.task.languages import load_language

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lengthprobe.asking.answers import Traced
    from lengthprobe.attribution.forced_text import Forced
    from lengthprobe.attribution.trace import ForcedTrace
    from lengthprobe.statistics.measure_key import MeasureKey
    from lengthprobe.task.prompts import Prompt

    Floats = NDArray[np.float64]


LEAST_MEASURED = 0.8  # of the responses; ours, like the margin of the share of exact answers


class Traceable(Measured, Protocol):
    """A probe, as a measure of mechanism needs one."""

    def traces(self, language: str) -> Sequence[Traced]:
        """The attribution of each response in a language."""

    def forced(self, texts: Sequence[Forced], *, target: str) -> Sequence[ForcedTrace]:
        """The contributions of the components on texts forced on the checkpoint."""


@dataclass(frozen=True, slots=True, eq=False)
class ByComponent:
    """The contribution of each component to each of n prompts.

    Args:
        prompts: The n prompts.
        notes: The prompt and the response in words, for each prompt.
        heads: Contributions of heads, [n, L, H].
        mlps: Contributions of MLPs, [n, L].
        exact: The places of the prompts with an exact answer.
        cut_off: Whether the token cap ended any of the responses.
    """

    prompts: Sequence[Prompt]
    notes: Sequence[str]
    heads: Floats
    mlps: Floats
    exact: tuple[int, ...] = ()
    cut_off: bool = False

    @property
    def layers(self) -> Floats:
        """The heads of each layer together, [n, L]."""
        summed: Floats = self.heads.sum(2)
        return summed

    @property
    def by_name(self) -> dict[str, float]:
        """The mean of each component by its name: L3H1, MLP4; empty without prompts."""
        if not self.prompts:
            return {}
        heads, mlps = self.heads.mean(0), self.mlps.mean(0)
        by_head = {
            f"L{layer}H{head}": float(heads[layer, head])
            for layer in range(heads.shape[0])
            for head in range(heads.shape[1])
        }
        return by_head | {f"MLP{layer}": float(mlps[layer]) for layer in range(len(mlps))}

    @property
    def n_layers(self) -> int:
        """The number of layers, L."""
        return int(self.mlps.shape[1])

    @property
    def whole(self) -> Floats:
        """The size of all heads and MLPs together on each prompt, cross-fitted, [n] (METHODS §3)."""
        import numpy as np

        n = len(self.prompts)
        of_each = np.concatenate([self.heads.reshape(n, math.prod(self.heads.shape[1:])), self.mlps], axis=1)
        return cross_fitted_size(of_each, [prompt.topic for prompt in self.prompts])


def estimate_of(
    probe: Measured,
    by_component: ByComponent,
    component: Callable[[ByComponent], Floats],
    *,
    name: str | MeasureKey,
    language: str,
    lengths: Collection[int] | None,
    whole: ByComponent | None = None,
    controls: Callable[[], Mapping[str, float]] = dict,
    asked: int | None = None,
) -> Estimate:
    """The mean over prompts of a component's contribution, with the whole for `share`.

    Args:
        probe: The checkpoint.
        by_component: The contribution of each component.
        component: The component, or group of components.
        name: Name of the measure, or its key for a measure with options.
        language: Code of the language.
        lengths: The selected lengths, for the name.
        whole: The contributions behind the whole; `by_component` by default.
        controls: Gives the means of the controls, for a reader of a claim that failed.
        asked: The number of all responses, measured or not; None where every response was measured.

    Returns:
        An Estimate over topics, in logits.
    """
    at_prompt = list(zip(by_component.prompts, by_component.notes, strict=True))
    total = (whole or by_component).whole

    def observed(values: Floats) -> list[Observation]:
        return [
            Observation(prompt.id, prompt.topic, float(value), note)
            for (prompt, note), value in zip(at_prompt, values, strict=True)
        ]

    key = measure_key(name, probe, language, lengths)
    estimate = Estimate.from_observations(
        observed(component(by_component)),
        name=key,
        unit="logits",
        bounds=None,
        alpha=probe.settings.alpha,
        alpha_shares=probe.alpha_shares.mechanism,
        worst="far",
        whole=Sample(tuple(observed(total)), None),
        topics=load_language(language).n_topics,
        flaw=_flaw(len(by_component.prompts), asked),
        form=probe_form(probe),
    )
    own_controls = controls if by_component.prompts else dict
    return replace(estimate, background=(Background(str(key), by_component.by_name, own_controls),))


def _flaw(measured: int, expected: int | None) -> str:
    """The reason why too few responses were measured; empty where enough were."""
    if expected is None or measured >= LEAST_MEASURED * expected:
        return ""
    return (
        f"only {measured} of {expected} responses have the place that is measured: fewer than "
        f"{100 * LEAST_MEASURED:g} % would be a choice among them"
    )
