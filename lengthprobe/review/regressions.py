"""Regressions: the comparisons of a checkpoint with a reference, as the suites' regression claims make them.

`tests/review/test_regressions.py` holds this list to the tests in `behavior_tests/` and `mech_tests/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lengthprobe import measures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lengthprobe.margins import Margins
    from lengthprobe.probe import Probe
    from lengthprobe.statistics.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Regression:
    """A comparison of a candidate with a reference, paired by prompt.

    Args:
        claim: The name of the claim's test, without `test_`.
        statement: The claim as a sentence.
        margin: The name of the margin.
        compare: Gives the verdict from the candidate, the reference, the language and the margin.
        languages: The languages of the claim, empty for all.
        about: `behaviour` or `mechanism`.
    """

    claim: str
    statement: str
    margin: str
    compare: Callable[[Probe, Probe, str, float], Verdict]
    languages: tuple[str, ...] = ()
    about: str = "behaviour"

    def verdict(self, candidate: Probe, reference: Probe, language: str, margins: Margins) -> Verdict:
        """The verdict in a language.

        Raises:
            LengthprobeError: A side lacks answers, or the two were not asked alike.
        """
        return self.compare(candidate, reference, language, getattr(margins, self.margin))


def _rises(measure: Callable[..., Any]) -> Callable[[Probe, Probe, str, float], Verdict]:
    """The comparison of a measure that must not rise by a margin."""

    def compare(candidate: Probe, reference: Probe, language: str, margin: float) -> Verdict:
        change = measure(candidate, language=language) - measure(reference, language=language)
        verdict: Verdict = change < margin
        return verdict

    return compare


def _falls(measure: Callable[..., Any]) -> Callable[[Probe, Probe, str, float], Verdict]:
    """The comparison of a measure that must not fall by a margin."""

    def compare(candidate: Probe, reference: Probe, language: str, margin: float) -> Verdict:
        change = measure(candidate, language=language) - measure(reference, language=language)
        verdict: Verdict = change > -margin
        return verdict

    return compare


def _share_falls(
    measure: Callable[..., Any], component: str, less: Mapping[str, str] | None = None
) -> Callable[[Probe, Probe, str, float], Verdict]:
    """The comparison of a component's share, which must not fall by a part of itself.

    Args:
        measure: The measure of the component.
        component: The component.
        less: Arguments of the measure whose value is taken away first (another component, other signs), None
            for nothing.
    """

    def of(probe: Probe, language: str) -> Any:
        whole = measure(probe, component=component, language=language)
        if less is None:
            return whole
        return whole - measure(probe, **{"component": component, "language": language, **less})

    def compare(candidate: Probe, reference: Probe, language: str, margin: float) -> Verdict:
        fall = measures.fall_of_share(of(candidate, language), of(reference, language))
        verdict: Verdict = fall < margin
        return verdict

    return compare


REGRESSIONS = (
    Regression(
        "length_error_has_not_risen",
        "The mean absolute error has not risen against the reference.",
        "length_error_rise",
        _rises(measures.absolute_error),
    ),
    Regression(
        "exact_match_has_not_fallen",
        "No fewer answers are exact than the reference gives.",
        "exact_match_fall",
        _falls(measures.exact_match),
    ),
    Regression(
        "runaways_have_not_risen",
        "No more answers run away than the reference's.",
        "runaways_rise",
        _rises(measures.runaways),
    ),
    Regression(
        "short_answers_have_not_risen",
        "No more answers are cut short than the reference's.",
        "short_answers_rise",
        _rises(measures.short_answers),
    ),
    Regression(
        "error_growth_has_not_risen",
        "The error grows no faster with the length than the reference's.",
        "error_growth_rise",
        _rises(measures.error_growth),
    ),
    Regression(
        "preambles_have_not_risen",
        "No more answers open with a preamble than the reference's.",
        "preambles_rise",
        _rises(measures.preambles),
    ),
    Regression(
        "counter_disagreement_has_not_risen",
        "Word counters disagree on no more answers than on the reference's.",
        "counter_disagreement_rise",
        _rises(measures.counter_disagreement),
    ),
    Regression(
        "late_heads_have_not_weakened",
        "In English, the late heads' share has not fallen by half against the reference.",
        "attribution_fall",
        _share_falls(measures.cwa, "late heads"),
        ("en",),
        "mechanism",
    ),
    Regression(
        "late_heads_still_keep_to_their_own_length",
        "In English, the late heads' share that is due to the prompt's own length has not fallen by half.",
        "attribution_fall",
        _share_falls(measures.cwa, "late heads", {"signs": "shuffled"}),
        ("en",),
        "mechanism",
    ),
    Regression(
        "late_heads_still_outdo_early_ones",
        "In English, the late heads' share beyond that of the early heads has not fallen by half.",
        "attribution_fall",
        _share_falls(measures.cwa, "late heads", {"component": "early heads"}),
        ("en",),
        "mechanism",
    ),
    Regression(
        "heads_still_rise_into_the_late_layers",
        "In English, the rise of the heads' share into the late layers has not fallen by half.",
        "attribution_fall",
        _share_falls(measures.cwa, "rise of heads", {"signs": "shuffled"}),
        ("en",),
        "mechanism",
    ),
    Regression(
        "late_heads_still_stop_because_of_the_number",
        "In English, the late heads' share in the stop that is due to the number has not fallen by half.",
        "attribution_fall",
        _share_falls(measures.number_swap, "late heads"),
        ("en",),
        "mechanism",
    ),
    Regression(
        "final_mlp_has_not_weakened",
        "In Italian, the final MLP's share has not fallen by half against the reference.",
        "attribution_fall",
        _share_falls(measures.cwa, "final MLP"),
        ("it",),
        "mechanism",
    ),
    Regression(
        "final_mlp_still_keeps_to_its_own_length",
        "In Italian, the final MLP's share that is due to the prompt's own length has not fallen by half.",
        "attribution_fall",
        _share_falls(measures.cwa, "final MLP", {"signs": "shuffled"}),
        ("it",),
        "mechanism",
    ),
    Regression(
        "final_mlp_still_outdoes_early_ones",
        "In Italian, the final MLP's share beyond that of the early MLPs has not fallen by half.",
        "attribution_fall",
        _share_falls(measures.cwa, "final MLP", {"component": "early MLPs"}),
        ("it",),
        "mechanism",
    ),
    Regression(
        "final_mlp_still_stops_because_of_the_number",
        "In Italian, the final MLP's share in the stop that is due to the number has not fallen by half.",
        "attribution_fall",
        _share_falls(measures.number_swap, "final MLP"),
        ("it",),
        "mechanism",
    ),
)
