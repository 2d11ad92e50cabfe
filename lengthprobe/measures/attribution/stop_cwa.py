"""CWA of the stop margin where a response could end: components that end where due, and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.measures.answered import check_answered
from lengthprobe.measures.attribution.by_component import ByComponent, estimate_of
from lengthprobe.measures.attribution.component_groups import early_controls, group_of
from lengthprobe.measures.per_response import check_lengths, note_of
from lengthprobe.measures.precondition import unmet_control, without_values
from lengthprobe.statistics.measure_key import MeasureKey

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lengthprobe.measures.attribution.by_component import Traceable
    from lengthprobe.statistics.estimate import Estimate


def stop_cwa(
    probe: Traceable, *, component: str, language: str, lengths: Collection[int] | None = None
) -> Estimate:
    """The CWA of a component group for ending a response where the end is due, more than before.

    The stop margin is logit(best end token) − logit(best other token). Its attribution is taken at the steps
    at which an end would leave a complete word: the mean where the response has N words or more, less the
    mean where the response has fewer (METHODS §2 and §3; the weights are ours). A component that pushes for
    the end, or against the end, wherever a word is complete gives 0, and so does running on. The whole is the
    sum of what all components add for or against the end where due. Responses that never reach N words are
    left out; where more than a fifth are left out, nothing is decided.

    Args:
        probe: The checkpoint.
        component: Name of the group, as in `component_groups`: `late heads`, `final MLP`, ….
        language: Code of the language.
        lengths: Only the prompts that ask for these lengths, all by default.

    Returns:
        An Estimate over topics in logits, which `share` relates to all components together.

    Raises:
        SettingsError: No group has this name, or the lengths are empty.
        ModelError: The checkpoint's components are not known, or do not add up to its logits.
    """
    from lengthprobe.attribution.cumulative import cumulative, due_weights, stop_weights

    name, group = MeasureKey("stop_cwa", (component,)), group_of(component, probe)
    check_lengths(lengths)
    if unmet := unmet_control(probe, language):
        return without_values(probe, name, language, unmet, unit="logits", bounds=None, lengths=lengths)
    every = probe.traces(language)
    check_answered(probe, [traced_response.response for traced_response in every], language)
    traced = [
        (traced_response.response, traced_response.trace.stop, traced_response.adherence)
        for traced_response in every
        if traced_response.trace and traced_response.adherence
    ]
    adherences, requested = (
        [adherence for _, _, adherence in traced],
        [response.prompt.n_words for response, _, _ in traced],
    )
    weights = stop_weights(adherences, requested)
    chosen = [row for row, n in enumerate(requested) if lengths is None or n in lengths]
    keep = [row for row in chosen if any(weights[row])]

    def kept(weights: Sequence[Sequence[float]]) -> ByComponent:
        summed = cumulative([stop for _, stop, _ in traced], weights)
        return ByComponent(
            prompts=[traced[row][0].prompt for row in keep],
            notes=[note_of(traced[row][0], traced[row][2].counts[-1]) for row in keep],
            heads=summed.heads[keep],
            mlps=summed.mlps[keep],
        )

    by_component = kept(weights)
    return estimate_of(
        probe,
        by_component,
        group,
        name=name,
        language=language,
        lengths=lengths,
        whole=kept(due_weights(adherences, requested)),
        controls=lambda: early_controls(by_component),
        asked=len(chosen),
    )
