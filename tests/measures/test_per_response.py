"""What all measures share: topics, the rival count, what is shown of a prompt."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.margins import AlphaShares
from lengthprobe.measures import cwa, exact_match, length_error, stop_cwa
from lengthprobe.settings import Settings


def test_prompts_and_topics_are_those_asked(answered):
    """So that two models' estimates pair by prompt."""
    estimate = exact_match(answered((3, 3), (4, 4)), language="en")

    assert [(one.prompt_id, one.topic) for one in estimate.observations] == [("p0", "t0"), ("p1", "t1")]
    assert (estimate.n, estimate.clusters) == (2, 2)


def test_only_the_language_asked_for_counts(answered):
    """Another language's responses are another estimate."""
    assert exact_match(answered((3, 3), language="it"), language="en").n == 0


def test_rival_is_the_same_measure_under_the_other_counter(answered, values):
    """Two words for one counter are three for the other."""
    estimate = length_error(answered((2, "well-known words")), language="en")

    assert (values(estimate), estimate.counter) == ([1], "uax29")
    assert (values(estimate.rival), estimate.rival.counter) == ([0], "whitespace")
    assert estimate.rival.rival is None


def test_settings_choose_the_counter(answered, values):
    """And with it the rival; a counter for a special purpose has none."""
    probe = answered((2, "well-known words"))

    whitespace = length_error(probe.under("whitespace"), language="en")
    elision = length_error(probe.under("italian_elision"), language="en")

    assert (values(whitespace), values(whitespace.rival)) == ([0], [1])
    assert elision.rival is None


def test_alpha_and_its_shares_are_the_probes(answered):
    """An estimate knows how sure it must be."""
    probe = replace(answered((3, 3)), settings=Settings(alpha=0.01), alpha_shares=AlphaShares(14, 33))

    estimate = exact_match(probe, language="en")

    assert (estimate.alpha, estimate.alpha_shares) == (0.01, 14)


def test_note_says_what_was_asked_and_written(answered):
    """With the numbers of words, and whether the cap ended it."""
    estimate = exact_match(answered((3, "Waves sing"), (3, "And on and"), cut_off=[1]), language="en")

    assert [one.note for one in estimate.observations] == [
        "asked 3, wrote 2: 'Write 3 words' → 'Waves sing'",
        "asked 3, wrote 3, cut off: 'Write 3 words' → 'And on and'",
    ]


def test_name_reads_in_an_expression(answered):
    """Measure, model, language, and the lengths where some were chosen."""
    probe = answered((3, 3), (7, 7))

    assert exact_match(probe, language="en").name == "exact_match(model, en)"
    assert exact_match(probe, language="en", lengths=[3]).name == "exact_match(model, en, N=3)"


@pytest.mark.parametrize("lengths", [[], (), 3, "3"])
@pytest.mark.parametrize(
    "measure",
    [exact_match, partial(cwa, component="late heads"), partial(stop_cwa, component="late heads")],
)
def test_lengths_that_select_no_prompts_are_refused(answered, measure, lengths):
    """Before anything is asked, and with what to write."""
    with pytest.raises(SettingsError, match=r"lengths=.* selects no prompts") as caught:
        measure(answered((3, 3)), language="en", lengths=lengths)
    assert "lengths=[3, 4]" in caught.value.fix


def test_samples_of_a_prompt_are_one_observation(answered, values):
    """Their mean, so that topics stay the clusters; the note shows the worst of them, and says so."""
    probe = answered((3, 3), (3, 5), (4, 4), (4, 4))
    given = probe.responses("en")
    twice = tuple(
        replace(one, prompt=given[index // 2 * 2].prompt, sample=index % 2 + 1)
        for index, one in enumerate(given)
    )

    estimate = length_error(replace(probe, given=twice), language="en")

    assert (estimate.n, estimate.clusters, values(estimate)) == (2, 2, [1, 0])
    assert "asked 3, wrote 5" in estimate.observations[0].note
    assert estimate.observations[0].note.endswith("(the worst of 2)")
