"""Every requirement has a form against a reference, or a reason why there is none."""

from __future__ import annotations

from fixtures.matrix import claims
from lengthprobe.review.regressions import REGRESSIONS

# The form of each requirement, paired by prompt.
FORMS = {
    "mean_length_error_is_near_zero": "length_error_has_not_risen",
    "most_answers_are_exact": "exact_match_has_not_fallen",
    "answers_seldom_run_away": "runaways_have_not_risen",
    "answers_are_seldom_cut_short": "short_answers_have_not_risen",
    "error_does_not_grow_with_length": "error_growth_has_not_risen",
    "answer_is_only_the_words_asked_for": "preambles_have_not_risen",
    "verdict_does_not_hang_on_the_word_counter": "counter_disagreement_has_not_risen",
    "late_heads_write_to_length": "late_heads_have_not_weakened",
    "late_heads_keep_to_their_own_length": "late_heads_still_keep_to_their_own_length",
    "late_heads_outdo_early_ones": "late_heads_still_outdo_early_ones",
    "heads_rise_into_the_late_layers": "heads_still_rise_into_the_late_layers",
    "late_heads_stop_because_of_the_number": "late_heads_still_stop_because_of_the_number",
    "final_mlp_writes_to_length": "final_mlp_has_not_weakened",
    "final_mlp_keeps_to_its_own_length": "final_mlp_still_keeps_to_its_own_length",
    "final_mlp_outdoes_early_ones": "final_mlp_still_outdoes_early_ones",
    "final_mlp_stops_because_of_the_number": "final_mlp_still_stops_because_of_the_number",
}
_CONTROL = (
    "control itself has a form, exact_match_has_not_fallen; the cuts are of other components in each "
    "checkpoint, and two differences of control on 75 topics leave an interval of 14 points and more"
)
_TEXT = "40 sentences a language: a difference of two rises leaves an interval as wide as the margin"
# The requirements without a form.
WITHOUT = {
    "english_needs_its_heads": _CONTROL,
    "italian_needs_its_mlp": _CONTROL,
    "english_heads_suffice": _CONTROL,
    "italian_mlp_suffices": _CONTROL,
    "italian_does_without_the_english_heads": _CONTROL,
    "english_does_without_the_italian_mlp": _CONTROL,
    "english_text_does_without_the_heads": _TEXT,
    "italian_text_does_without_the_mlp": _TEXT,
}


def test_every_requirement_is_listed() -> None:
    """A new requirement gets a form, or a reason."""
    assert {*FORMS, *WITHOUT} == requirements(regression=False)
    assert not {*FORMS} & {*WITHOUT}


def test_every_form_is_a_claim() -> None:
    """Of the suites, and in the list for saved runs; no form is of no requirement."""
    assert set(FORMS.values()) == requirements(regression=True)
    assert set(FORMS.values()) == {regression.claim for regression in REGRESSIONS}


def requirements(*, regression: bool) -> set[str]:
    """The requirements of both suites, those with a reference or those without."""
    return {
        name
        for name, claim in claims().items()
        if _kind(claim) == "requirement"
        and ("reference_probe" in claim.__code__.co_varnames[: claim.__code__.co_argcount]) is regression
    }


def _kind(claim) -> str:
    (mark,) = (mark for mark in claim.pytestmark if mark.name == "claim")
    return mark.kwargs.get("kind", "requirement")
