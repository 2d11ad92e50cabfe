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
    check_answered(probe, [one.response for one in every], language)
    traced = [(one.response, one.trace.stop, one.adherence) for one in every if one.trace and one.adherence]
    adherences, asked = [one for _, _, one in traced], [one.prompt.n_words for one, _, _ in traced]
    weights = stop_weights(adherences, asked)
    chosen = [at for at, n in enumerate(asked) if lengths is None or n in lengths]
    keep = [at for at in chosen if any(weights[at])]

    def kept(weights: Sequence[Sequence[float]]) -> ByComponent:
        found = cumulative([stop for _, stop, _ in traced], weights)
        return ByComponent(
            prompts=[traced[at][0].prompt for at in keep],
            notes=[note_of(traced[at][0], traced[at][2].counts[-1]) for at in keep],
            heads=found.heads[keep],
            mlps=found.mlps[keep],
        )

    by_component = kept(weights)
    return estimate_of(
        probe,
        by_component,
        group,
        name=name,
        language=language,
        lengths=lengths,
        whole=kept(due_weights(adherences, asked)),
        controls=lambda: early_controls(by_component),
        asked=len(chosen),
    )
