"""Causes: the effects of cutting components of a checkpoint, in the shape of the figures and of JSON."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Never

from lengthprobe.components.names import Ablation, every_component
from lengthprobe.measures.causality.control import (
    control,
    control_by_number,
    control_with_only,
    control_without,
    control_without_random,
)
from lengthprobe.measures.causality.exact_answers import exact_by_set
from lengthprobe.measures.causality.faithfulness import effects_by_component, faithfulness
from lengthprobe.measures.causality.leading import KINDS, leading_components, relative_length, similar_sets
from lengthprobe.measures.per_response import key_with_arguments, measure_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from lengthprobe.measures.causality.leading import Ablatable
    from lengthprobe.portraits.portrait import (
        BesideWhole,
        Curve,
        Elsewhere,
        Faithfulness,
        Interval,
        LeadingAlone,
        Piece,
        RandomSets,
    )
    from lengthprobe.statistics.estimate import Estimate
    from lengthprobe.statistics.measure_key import MeasureKey

    # Without any components of similar size, random sets are an empty piece.
    Empty = dict[str, Never]
    Draw = Callable[[], Piece | Empty]


def causes(probe: Ablatable, language: str, measured: Collection[MeasureKey]) -> dict[tuple[str, ...], Draw]:
    """Functions that draw the causes in a language, by the place of each in the portrait.

    There is a function only for values that a claim has measured at the claims' default number of components.
    Only the curve asks for further answers, at its other numbers of components.

    Args:
        probe: The checkpoint.
        language: Code of the language in which the components are found.
        measured: The keys of the measures that claims have compared or reported.
    """

    def is_measured(name: str, kind: str, where: str = language, found_in: str | None = None) -> bool:
        return measure_key(key_with_arguments(name, kind, None, found_in), probe, where, None) in measured

    draws: dict[tuple[str, ...], Draw] = {}
    for kind in KINDS:
        place = ("causes", language, kind)
        if is_measured("control_without", kind):
            draws[*place, "without"] = partial(_curve, probe, language, kind)
        if is_measured("control_without_random", kind):
            draws[*place, "random"] = partial(_random, probe, language, kind)
        if is_measured("control_with_only", kind):
            draws[*place, "only"] = partial(_only, probe, language, kind)
        for other in probe.settings.languages:
            if other != language and is_measured("control_without", kind, other, found_in=language):
                draws[*place, "elsewhere", other] = partial(_elsewhere, probe, language, kind, other)
    if measure_key("faithfulness", probe, language, None) in measured:
        draws["faithfulness", language] = partial(_faithfulness, probe, language)
    return draws


def curve_of(n: int, k: int) -> tuple[int, ...]:
    """The numbers of components cut along the curve: 1, 2, 4, … up to half of all n, and k.

    With more than half of the components cut, little is left to write with (ours).
    """
    doubling = {2**power for power in range(n.bit_length()) if 2 * 2**power <= n}
    return tuple(sorted(doubling | {k}))


def _curve(probe: Ablatable, language: str, kind: str) -> Curve:
    """Control without the leading components, for every number of components along the curve."""
    chosen = leading_components(probe, language=language, kind=kind)
    of_model = every_component(probe.proof.n_layers, probe.proof.n_heads)
    claimed = len(chosen)
    sizes = curve_of(sum(component.kind == chosen[0].kind for component in of_model), claimed)
    beside = [k for k in sizes if k != claimed]
    every = control_by_number(probe, language=language, kind=kind, sizes=beside)
    every[claimed] = control_without(probe, language=language, kind=kind)
    return {
        **_beside_whole(probe, language, kind),
        "leading": [
            component.name
            for component in leading_components(probe, language=language, kind=kind, k=sizes[-1])
        ],
        "by_k": {str(k): _interval(every[k]) for k in sizes},
    }


def _random(probe: Ablatable, language: str, kind: str) -> RandomSets | Empty:
    chosen = leading_components(probe, language=language, kind=kind)
    sets = similar_sets(probe, chosen, language=language)
    under = [Ablation().and_also(components, "zero") for components in sets]
    without = control_without_random(probe, language=language, kind=kind)
    if not sets or not without.n:
        # No components are of similar size, or too few.
        return {}
    return {
        **_beside_whole(probe, language, kind),
        "without": _interval(without),
        "sets": list(exact_by_set(probe, language, under)),
        "length": relative_length(probe, chosen, sets, language=language),
    }


def _only(probe: Ablatable, language: str, kind: str) -> LeadingAlone:
    only = control_with_only(probe, language=language, kind=kind)
    return {**_beside_whole(probe, language, kind), "with_only": _interval(only)}


def _elsewhere(probe: Ablatable, language: str, kind: str, other: str) -> Elsewhere:
    """Control in the language `other` without the components that lead in `language`."""
    without = control_without(probe, language=other, kind=kind, found_in=language)
    k = len(leading_components(probe, language=language, kind=kind))
    whole = control(probe, language=other)
    return {"k": k, "whole": _interval(whole), "without": _interval(without)}


def _beside_whole(probe: Ablatable, language: str, kind: str) -> BesideWhole:
    """The number of leading components, and the control of the whole model with its prompts and topics."""
    whole = control(probe, language=language)
    return {
        "k": len(leading_components(probe, language=language, kind=kind)),
        "n": whole.n,
        "clusters": whole.clusters,
        "whole": _interval(whole),
    }


def _faithfulness(probe: Ablatable, language: str) -> Faithfulness:
    """The rank correlation, and for every component the CWA in logits and the effect in words."""
    return {
        "correlation": _interval(faithfulness(probe, language=language)),
        "components": {name: list(pair) for name, pair in effects_by_component(probe, language).items()},
    }


def _interval(estimate: Estimate) -> Interval:
    """Mean, low and high; None in place of NaN and infinity, which JSON lacks."""
    numbers = (estimate.mean, estimate.low, estimate.high)
    # Adding zero takes the sign from a zero.
    return [value + 0.0 if math.isfinite(value) else None for value in numbers]
