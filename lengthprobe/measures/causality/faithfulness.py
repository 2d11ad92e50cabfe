"""Faithfulness: whether control is lost when the components with a high CWA are ablated."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from lengthprobe.components.names import Ablation, Component, every_component
from lengthprobe.measures.attribution.cwa import cwa_by_component
from lengthprobe.measures.causality.exact_answers import ablated_responses, test_prompts
from lengthprobe.measures.per_response import measure_key, probe_form
from lengthprobe.measures.precondition import unmet_control, without_values
from lengthprobe.statistics.digits import in_three_digits
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.winsorised import winsorised_error
from lengthprobe.task.words import count_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.measures.causality.leading import Ablatable

# In a larger model: the number of components of largest |CWA|, and of components drawn at random (ours).
_FROM_EITHER = 32


def faithfulness(probe: Ablatable, *, language: str) -> Estimate:
    """The rank correlation of CWA with the effect of ablation, over components (METHODS §4).

    The effect of a component is the rise of the mean |error|, winsorised at 3 words, over one prompt about
    each test topic, when this component alone gives nothing. The correlation is Spearman's, and ties take
    their mean rank. The interval is the jackknife's over components, with ranks taken as given, and may pass
    1 (ours). A model with more than 64 components is measured on the 32 components of largest |CWA|, and on
    32 others drawn by the settings' seed.

    Args:
        probe: The checkpoint.
        language: Code of the language.

    Returns:
        An Estimate over components.

    Raises:
        LengthprobeError: The components are not known, or no prompt is about a test topic.
    """
    if unmet := unmet_control(probe, language):
        return without_values(probe, "faithfulness", language, unmet, unit="rank correlation", bounds=None)
    effects = effects_by_component(probe, language)
    xs, ys = (_ranks([pair[side] for pair in effects.values()]) for side in (0, 1))
    whole, n = _correlation(xs, ys), len(effects)
    pseudo = [
        n * whole - (n - 1) * _correlation(_without(xs, left_out), _without(ys, left_out))
        for left_out in range(n)
    ]
    return Estimate.from_observations(
        [
            Observation(
                name,
                name,
                value,
                f"{name}: CWA {in_three_digits(cwa, '+')}, |error| {effect:+.2f} words without it",
            )
            for (name, (cwa, effect)), value in zip(effects.items(), pseudo, strict=True)
        ],
        name=measure_key("faithfulness", probe, language, None),
        unit="rank correlation",
        bounds=None,
        alpha=probe.settings.alpha,
        alpha_shares=probe.alpha_shares.mechanism,
        worst="low",
        form=probe_form(probe),
    )


def _noted(name: str, cwa: float, effect: float) -> str:
    return f"{name}: CWA {in_three_digits(cwa, '+')}, |error| {effect:+.2f} words without it"


def effects_by_component(probe: Ablatable, language: str) -> dict[str, tuple[float, float]]:
    """CWA of each measured component, and the rise of the mean |error| without this component, in words."""
    cwa = cwa_by_component(probe, language).by_name
    components = _looked_at(probe, cwa)
    effects = _effects(probe, language, components)
    return {
        component.name: (cwa[component.name], effect)
        for component, effect in zip(components, effects, strict=True)
    }


def _looked_at(probe: Ablatable, cwa: dict[str, float]) -> list[Component]:
    every = every_component(probe.proof.n_layers, probe.proof.n_heads)
    if len(every) <= 2 * _FROM_EITHER:
        return list(every)
    largest = sorted(every, key=lambda component: -abs(cwa[component.name]))
    drawn = random.Random(probe.settings.seed).sample(largest[_FROM_EITHER:], _FROM_EITHER)
    return [*largest[:_FROM_EITHER], *drawn]


def _effects(probe: Ablatable, language: str, components: Sequence[Component]) -> list[float]:
    """The rise of the mean |error| without each component, in words."""
    prompts = test_prompts(probe, language)
    sets = [Ablation(), *(Ablation(zero=(component,)) for component in components)]
    answers = ablated_responses(
        probe, language, [(prompt, ablation) for ablation in sets for prompt in prompts]
    )
    counter = probe.settings.counter
    errors = [
        abs(
            winsorised_error(
                count_words(response.answer, language=language, counter=counter) - response.prompt.n_words
            )
        )
        for response in answers
    ]
    n = len(prompts)
    means = [sum(errors[index * n : (index + 1) * n]) / n for index in range(len(sets))]
    return [mean - means[0] for mean in means[1:]]


def _ranks(values: Sequence[float]) -> list[float]:
    from scipy.stats import rankdata  # type: ignore[import-untyped]

    return [float(rank) for rank in rankdata(values)]


def _correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Pearson's correlation of two lists; 0 where all values of a list are equal."""
    import numpy as np

    if len(set(xs)) < 2 or len(set(ys)) < 2:
        return 0.0
    return float(np.corrcoef(xs, ys)[0, 1])


def _without(values: Sequence[float], left_out: int) -> list[float]:
    return [value for place, value in enumerate(values) if place != left_out]
