"""Control: the share of exact answers on test topics, of the whole model and with components ablated."""

from __future__ import annotations

from dataclasses import replace
from math import comb
from typing import TYPE_CHECKING

from lengthprobe.components.layers import late_layers
from lengthprobe.components.names import Ablation, Component, every_component
from lengthprobe.measures.attribution.cwa import cwa_by_component
from lengthprobe.measures.causality.exact_answers import exact_under, exact_under_each
from lengthprobe.measures.causality.leading import SIMILAR, leading_components, others_of_kind, similar_sets
from lengthprobe.measures.per_response import key_with_arguments
from lengthprobe.measures.precondition import unmet_control, without_values
from lengthprobe.statistics.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.measures.causality.leading import Ablatable
    from lengthprobe.statistics.estimate import Estimate

# With the truth at the margin a claim errs in up to half of all cases against a single random set, and in a
# third against two sets, since sets lie apart (benchmarks/necessity_margin.py; METHODS §9).
FEWEST_SETS = 10
# The number of test topics for values that only a figure shows, and no claim decides.
FIGURE_PROMPTS = 25


def control(probe: Ablatable, *, language: str) -> Estimate:
    """The share of exact answers to one prompt about each test topic, by the probe's own model.

    Args:
        probe: The checkpoint.
        language: Code of the language.

    Raises:
        SettingsError: No prompt is about a test topic.
    """
    return exact_under(probe, language, "control", [Ablation()])


def control_without(
    probe: Ablatable,
    *,
    language: str,
    kind: str = "heads",
    k: int | None = None,
    found_in: str | None = None,
    mode: str = "zero",
) -> Estimate:
    """Control without the components of highest CWA (METHODS §4, necessity).

    Args:
        probe: The checkpoint.
        language: Code of the language.
        kind: `heads` or `mlps`.
        k: How many components; by default as many heads as a layer has, or one MLP.
        found_in: The language on whose discovery topics the components are found; `language` by default.
        mode: The mode of ablation, as in `Probe.ablated`.

    Raises:
        LengthprobeError: As `leading_components`; or the mode is unknown.
    """
    called = key_with_arguments("control_without", kind, k, found_in, mode)
    if unmet := unmet_control(probe, language, found_in):
        return without_values(probe, called, language, unmet)
    chosen = leading_components(probe, language=found_in or language, kind=kind, k=k)
    components = _cwa(probe, found_in or language, chosen)
    return exact_under(probe, language, called, [_all(chosen, mode)], components=components)


def control_by_number(
    probe: Ablatable, *, language: str, kind: str, sizes: Sequence[int]
) -> dict[int, Estimate]:
    """Control without the k components of highest CWA, for several k, on few test topics; for a figure.

    Args:
        probe, language, kind: As in `control_without`.
        sizes: Every k.
    """
    keys = {k: key_with_arguments("control_by_number", kind, k, None) for k in sizes}
    if unmet := unmet_control(probe, language):
        return {k: without_values(probe, key, language, unmet) for k, key in keys.items()}
    chosen = {k: leading_components(probe, language=language, kind=kind, k=k) for k in sizes}
    named = {keys[k]: _all(chosen[k], "zero") for k in sizes}
    estimates = exact_under_each(probe, language, named, n_prompts=FIGURE_PROMPTS)
    return dict(zip(sizes, estimates, strict=True))


def control_without_random(
    probe: Ablatable, *, language: str, kind: str = "heads", k: int | None = None, mode: str = "zero"
) -> Estimate:
    """Control without random sets of as many other components, from any layer, of similar output norm.

    There are twenty sets, ten at the least (`similar_sets`). Each prompt is answered under five sets, which
    take turns, and the value of the prompt is the mean over its five (ours). Other sets could have been
    drawn: the interval leaves room for the spread of the sets, which is told beside a claim that failed.
    Where the sets are all sets there are, as with five MLPs, nothing was drawn, and fewer than ten are
    enough. Where otherwise fewer than ten sets are of similar size, the estimate has no value, and decides
    nothing.

    Args:
        probe, language, kind, k, mode: As in `control_without`.
    """
    called = key_with_arguments("control_without_random", kind, k, None, mode)
    if unmet := unmet_control(probe, language):
        return without_values(probe, called, language, unmet)
    chosen = leading_components(probe, language=language, kind=kind, k=k)
    sets = similar_sets(probe, chosen, language=language)
    there_are = comb(len(others_of_kind(probe, chosen)), len(chosen))
    if len(sets) >= FEWEST_SETS or len(sets) == there_are:
        under = [_all(components, mode) for components in sets]
        return exact_under(probe, language, called, under, drawn=len(sets) < there_are)
    return _unknown(exact_under(probe, language, called, [Ablation()]), kind, len(sets))


def control_with_only(
    probe: Ablatable, *, language: str, kind: str = "heads", k: int | None = None, mode: str = "zero"
) -> Estimate:
    """Control with all components of the late layers ablated but the leading ones (METHODS §4, sufficiency).

    Args:
        probe, language, kind, k, mode: As in `control_without`.
    """
    called = key_with_arguments("control_with_only", kind, k, None, mode)
    if unmet := unmet_control(probe, language):
        return without_values(probe, called, language, unmet)
    chosen = leading_components(probe, language=language, kind=kind, k=k)
    late = late_layers(probe.proof.n_layers)
    others = [
        component
        for component in every_component(probe.proof.n_layers, probe.proof.n_heads)
        if component.layer in late and component not in chosen
    ]
    return exact_under(
        probe, language, called, [_all(others, mode)], components=_cwa(probe, language, chosen)
    )


def _unknown(measured: Estimate, kind: str, n_sets: int) -> Estimate:
    """The estimate without any value, for too few random sets to compare with."""
    have = "no random set" if not n_sets else f"only {n_sets} random set{'s' * (n_sets > 1)}"
    few = f": what random ones cost is not known from fewer than {FEWEST_SETS} sets" if n_sets else ""
    flaw = (
        f"{have} of other {'heads' if kind == 'heads' else 'MLPs'} {'have' if n_sets > 1 else 'has'} outputs "
        f"from {SIMILAR:g} to {1 / SIMILAR:g} times as long as those of the leading ones"
        + (few or ": nothing of similar size to compare with")
    )
    rival = None if measured.rival is None else _unknown(measured.rival, kind, n_sets)
    return replace(measured, samples=(Sample((), measured.bounds, flaw),), rival=rival)


def _all(components: Sequence[Component], mode: str) -> Ablation:
    return Ablation().and_also(components, mode)


def _cwa(probe: Ablatable, language: str, chosen: Sequence[Component]) -> dict[str, float]:
    """The CWA of some components, by name."""
    means = cwa_by_component(probe, language).by_name
    return {component.name: means[component.name] for component in chosen}
