"""Cumulative Weighted Attribution: a component's part in tokens that keep to the length, less in others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.errors import SettingsError
from lengthprobe.measures.answered import check_answered
from lengthprobe.measures.attribution.by_component import ByComponent, estimate_of
from lengthprobe.measures.attribution.component_groups import early_controls, group_of
from lengthprobe.measures.per_response import check_lengths, note_of
from lengthprobe.measures.precondition import unmet_control, without_values
from lengthprobe.statistics.measure_key import MeasureKey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from lengthprobe.asking.answers import Traced
    from lengthprobe.attribution.trace import Contributions
    from lengthprobe.measures.attribution.by_component import Traceable
    from lengthprobe.measures.attribution.component_groups import Group
    from lengthprobe.statistics.estimate import Estimate
    from lengthprobe.task.adherence import Adherence


def cwa(
    probe: Traceable,
    *,
    component: str,
    language: str,
    lengths: Collection[int] | None = None,
    signs: str = "adherence",
    per_step: bool = False,
    text_of: Traceable | None = None,
) -> Estimate:
    """The CWA of a component group (arXiv:2509.02075; METHODS §3).

    Args:
        probe: The checkpoint.
        component: Name of the group, as in `component_groups`: `late heads`, `final MLP`, and their controls
            `early heads`, `rise of heads` (the late layers less the layers before), `early MLPs`.
        language: Code of the language.
        lengths: Only the prompts that ask for these lengths, all by default.
        signs: `adherence` (default): +1 for a written token that keeps to the length asked for, −1 for any
            other. The controls: `shuffled` (another prompt's length), `all-plus`.
        per_step: The mean over a response's steps in place of the sum, which grows with the response.
        text_of: Another checkpoint, whose responses are forced on `probe` in place of the probe's own: the
            control *same text*.

    Returns:
        An Estimate over topics in logits, which `share` relates to all components together.

    Raises:
        SettingsError: No group has this name; or as `cwa_by_component`.
        ModelError: The checkpoint's components are not known, or do not add up to its logits; or the
            checkpoint has a single layer, and so no layer before the late layers to rise from.
    """
    group = group_of(component, probe)
    check_lengths(lengths)
    stated = [component]
    stated += [signs] if signs != "adherence" else []
    stated += ["per step"] if per_step else []
    stated += [f"on {text_of.name}'s text"] if text_of is not None else []
    if unmet := unmet_control(probe, language, text_of=text_of):
        called = MeasureKey("cwa", tuple(stated))
        return without_values(probe, called, language, unmet, unit="logits", bounds=None, lengths=lengths)

    def under(signs: str) -> ByComponent:
        return cwa_by_component(
            probe, language, lengths=lengths, signs=signs, per_step=per_step, text_of=text_of
        )

    by_component = under(signs)
    # The cap is named where the cap ended a response.
    stated += [f"cap {probe.settings.cap}"] if by_component.cut_off else []
    return estimate_of(
        probe,
        by_component,
        group,
        name=MeasureKey("cwa", tuple(stated)),
        language=language,
        lengths=lengths,
        # A control is related to the whole of the measure, and to no whole of its own.
        whole=by_component if signs == "adherence" else under("adherence"),
        controls=lambda: _controls(text_of or probe, language, group, under),
    )


def cwa_by_component(
    probe: Traceable,
    language: str,
    *,
    lengths: Collection[int] | None = None,
    signs: str = "adherence",
    per_step: bool = False,
    text_of: Traceable | None = None,
) -> ByComponent:
    """The CWA of every component, prompt by prompt; arguments as in `cwa`.

    Raises:
        SettingsError: The lengths are empty; or signs are to be shuffled, and all prompts ask for the same
            length.
        LengthprobeError: As `Probe.traces`.
    """
    import numpy as np

    from lengthprobe.attribution.cumulative import cumulative, token_weights

    check_lengths(lengths)
    source = text_of or probe
    every = source.traces(language)
    check_answered(source, [traced.response for traced in every], language)
    requested = [traced.response.prompt.n_words for traced in every]
    if signs == "shuffled" and len(set(requested)) < 2:
        raise SettingsError(
            f"the control of CWA takes another prompt's length, and all prompts in {language!r} ask for "
            f"{requested[0]} words",
            "setting:lengths=3-9, or any two lengths",
        )
    contributions, adherences = _of_own(every) if text_of is None else _of_forced(probe, every)
    # Lengths are shuffled among all prompts, whichever are selected.
    weights = token_weights(adherences, requested, signs=signs)
    summed = cumulative(contributions, weights)
    keep = [
        row
        for row, traced in enumerate(every)
        if lengths is None or traced.response.prompt.n_words in lengths
    ]
    # A text may have no step, where another tokenizer has no token; steps of a thought are not of the answer.
    n_steps = np.array([max(1, sum(adherence.in_answer)) for adherence in adherences], float)
    steps = n_steps[keep] if per_step else 1.0
    return ByComponent(
        prompts=[every[row].response.prompt for row in keep],
        notes=[note_of(every[row].response, _n_words(adherences[row])) for row in keep],
        heads=(summed.heads[keep].T / steps).T,
        mlps=(summed.mlps[keep].T / steps).T,
        exact=tuple(place for place, row in enumerate(keep) if _is_exact(every[row], adherences[row])),
        cut_off=any(every[row].response.ran_on for row in keep),
    )


def _is_exact(traced: Traced, adherence: Adherence) -> bool:
    return adherence.ended and _n_words(adherence) == traced.response.prompt.n_words


def _n_words(adherence: Adherence) -> int:
    return adherence.counts[-1] if adherence.counts else 0


def _controls(
    source: Traceable, language: str, group: Group, under: Callable[[str], ByComponent]
) -> dict[str, float]:
    """The means of the group under the controls without a forward pass (METHODS §3)."""
    several = len({traced.response.prompt.n_words for traced in source.traces(language)}) > 1
    controls = ("shuffled", "all-plus") if several else ("all-plus",)
    means = {signs: float(group(under(signs)).mean()) for signs in controls}
    by_component = under("adherence")
    if by_component.exact:
        means["exact answers only"] = float(group(by_component)[list(by_component.exact)].mean())
    return means | early_controls(by_component)


def _of_own(every: Sequence[Traced]) -> tuple[list[Contributions], list[Adherence]]:
    traced = [
        (traced_response.trace.token, traced_response.adherence)
        for traced_response in every
        if traced_response.trace and traced_response.adherence
    ]
    return [trace for trace, _ in traced], [adherence for _, adherence in traced]


def _of_forced(probe: Traceable, every: Sequence[Traced]) -> tuple[list[Contributions], list[Adherence]]:
    from lengthprobe.attribution.forced_text import Forced

    texts = [
        Forced(
            traced.response.prompt,
            traced.response.token_ids,
            traced.response.text,
            traced.response.finish_reason == "stop",
            opened=traced.response.opened,
        )
        for traced in every
    ]
    forced = probe.forced(texts, target="token")
    return [result.contributions for result in forced], [
        result.adherence for result in forced if result.adherence
    ]
