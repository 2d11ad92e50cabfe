"""Preconditions: a claim about why a model keeps to a length presupposes a model that does (METHODS §4).

A measure of cause asks `unmet_control` first. Where control is not shown to be above the floor, the measure
returns an estimate `without_values` and asks nothing more. Every comparison of this estimate is `broken`.
No control is presupposed of a base model (`Probe.in_role`): claims about a base say which effects are absent.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lengthprobe.components.names import Ablation
from lengthprobe.measures.behaviour.exact_match import exact_match
from lengthprobe.measures.causality.exact_answers import exact_under
from lengthprobe.measures.computed_once import computed_once
from lengthprobe.measures.per_response import greedy_view, measure_key, probe_form
from lengthprobe.spelling import spell_message
from lengthprobe.statistics.estimate import Estimate
from lengthprobe.statistics.sample import Sample
from lengthprobe.statistics.unmet import Unmet, first_unmet
from lengthprobe.task.prompts import split_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from lengthprobe.measures.causality.leading import Ablatable
    from lengthprobe.measures.per_response import Measured
    from lengthprobe.statistics.measure_key import MeasureKey

FLOOR = 0.2  # of the answers; ours (METHODS §4)
# Prompts a language that tell in most cases; ours.
_ENOUGH = 300


def unmet_control(probe: Any, *languages: str | None, text_of: Any = None) -> Unmet | None:
    """The unmet precondition of a claim of cause; None where the model has control to explain.

    Control is the control of the whole model, also where the probe is ablated: the cut is the explanation.

    Args:
        probe: The checkpoint with the components of the claim; has `role` and `whole` as a Probe has.
        languages: The languages of the control in the claim; None is left out.
        text_of: Another checkpoint whose responses are forced on `probe`.

    Returns:
        `broken` where the lower end of control's interval is below the floor, or on test topics the upper
        end. `undecided` where the topics are too few for any model, where only the word counter asked for
        finds no control, or where the reference has no control.

    Raises:
        ModelError: There is no control, and the components of this checkpoint are not known anyway.
    """
    first = None
    for model in (probe, text_of):
        if model is None or model.role == "base":
            continue
        for language in dict.fromkeys(filter(None, languages)):
            unmet = _unmet_in(greedy_view(model.whole), language, elsewhere=language != languages[0])
            if unmet is not None and model.role == "reference":
                unmet = unmet.of_reference()
            first = first_unmet(first, unmet)
    # Components that cannot be measured are told of every model alike.
    if first is not None and probe.whole.proof.problem is not None:
        raise probe.whole.proof.problem
    return first


def without_values(
    probe: Measured,
    name: str | MeasureKey,
    language: str,
    unmet: Unmet,
    *,
    unit: str = "share",
    bounds: tuple[float, float] | None = (0.0, 1.0),
    lengths: Collection[int] | None = None,
) -> Estimate:
    """The estimate without values in place of a measure with an unmet precondition.

    Args:
        probe: The checkpoint.
        name: Name of the measure, or its key where it has options.
        language: Code of the language.
        unmet: The unmet precondition.
        unit: The unit of the measure.
        bounds: The bounds of the measure.
        lengths: The selected lengths, for the name.
    """
    nothing = Estimate.from_observations(
        [],
        name=measure_key(name, probe, language, lengths),
        unit=unit,
        bounds=bounds,
        alpha=probe.settings.alpha,
        alpha_shares=probe.alpha_shares.mechanism,
        whole=Sample((), None) if unit == "logits" else None,
        form=probe_form(probe),
    )
    return replace(nothing, unmet=unmet)


@computed_once
def _unmet_in(whole: Ablatable, language: str, *, elsewhere: bool) -> Unmet | None:
    where = f" in {language}" if elsewhere else ""
    # Control is shown over all topics, since more topics show more; test topics have a check of their own.
    control = exact_match(whole, language=language)
    if control.caveat or (control.low < FLOOR and _perfect(control).low < FLOOR):
        asked = whole.settings.budget
        topics = "1 topic was" if control.clusters == 1 else f"{control.clusters} topics were"
        return Unmet(
            "undecided",
            f"too few topics to tell whether there is control to explain{where}: {topics} asked about",
            spell_message(f"ask more than {asked} prompts: setting:budget={max(_ENOUGH, 2 * asked)}"),
        )
    if control.low >= FLOOR:
        return _unmet_on_test_topics(whole, language, where)
    rival = control.recounted
    if rival.low >= FLOOR:
        return Unmet(
            "undecided",
            f"whether there is control to explain{where} hangs on the word counter: {_told(control)} under "
            f"{control.counter}, {_told(rival)} under {rival.counter}",
            f"{control.name} is to lie above {100 * FLOOR:g} % under both",
        )
    if whole.has_later_look and max(control.high, rival.high) >= FLOOR:
        # Few prompts have not shown control, and more may. Without a later look, control is not shown.
        return Unmet(
            "undecided",
            f"{control.n} prompts do not tell whether there is control to explain{where} ({_told(control)})",
            spell_message(f"ask more prompts: setting:budget={max(_ENOUGH, 2 * whole.settings.budget)}"),
        )
    return _broken(control, where)


def _unmet_on_test_topics(whole: Ablatable, language: str, where: str) -> Unmet | None:
    """The unmet precondition of a model with control on other topics only: cuts are scored on test topics."""
    if not any(split_of(response.prompt) == "test" for response in whole.responses(language)):
        return None
    control = exact_under(whole, language, "control", [Ablation()])
    below = control.high < FLOOR and control.recounted.high < FLOOR
    return _broken(control, f" on test topics{where}") if below and not control.caveat else None


def _broken(control: Estimate, where: str) -> Unmet:
    return Unmet(
        "broken",
        f"no control to explain{where} ({_told(control)})",
        f"{control.name}, the share of exact answers, has to be above {100 * FLOOR:g} %; no more was asked",
    )


def _perfect(control: Estimate) -> Estimate:
    """The estimate of control as if every answer were exact."""
    (sample,) = control.samples
    right = tuple(replace(observation, value=1.0) for observation in sample.observations)
    return replace(control, samples=(replace(sample, observations=right),))


def _told(control: Estimate) -> str:
    # Adding zero takes the sign from a zero.
    low, high = (f"{100 * end + 0.0:.1f}" for end in (control.low, control.high))
    return f"{100 * control.mean:.1f} %, interval {low} to {high} %"
