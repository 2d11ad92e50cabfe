"""Answers that two word counters disagree on."""

from __future__ import annotations

import pytest

from lengthprobe.measures import counter_disagreement


@pytest.mark.parametrize("counter", ["uax29", "whitespace", "italian_elision"])
def test_share_is_that_of_the_two_usual_counters(answered, values, counter):
    """A hyphen parts words for one of them, whatever counter the settings name."""
    probe = answered((2, "well-known words"), (2, "two words"), (2, "l'uomo corre")).under(counter)

    estimate = counter_disagreement(probe, language="en")

    assert values(estimate) == [1, 0, 0]
    assert (estimate.unit, estimate.bounds, estimate.rival) == ("share", (0, 1), None)
