"""Comparisons that are true, or false, whatever was measured."""

from __future__ import annotations

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.statistics.estimate import Estimate, Observation


def estimate(values, *, low=-10.0, high=10.0, name="length_error", prompt="p") -> Estimate:
    """One prompt a topic, in words."""
    return Estimate.from_observations(
        [Observation(f"{prompt}{at}", f"t{at}", float(value)) for at, value in enumerate(values)],
        name=name,
        unit="words",
        bounds=(low, high),
    )


RUNS_ON = estimate([10] * 150)


class TestCheckDecidable:
    """What is refused, and what is not."""

    @pytest.mark.parametrize(
        ("compare", "answer"),
        [
            (lambda error: abs(error) < 11, "always"),
            (lambda error: error < 11, "always"),
            (lambda error: 11 > error, "always"),  # noqa: SIM300
            (lambda error: error > -10.5, "always"),
            (lambda error: error > 11, "never"),
            (lambda error: abs(error) >= 11, "never"),
            (lambda error: error <= -11, "never"),
            (lambda error: error - estimate([0] * 150) < 21, "always"),
        ],
    )
    def test_a_margin_beyond_the_bounds_is_refused(self, compare, answer):
        """A model that never stops would be within 11 words, where an error counts as ten at the most."""
        with pytest.raises(SettingsError, match=f"is {answer} true: what is compared lies from ") as caught:
            compare(RUNS_ON)
        assert "within that" in caught.value.fix

    @pytest.mark.parametrize(
        "compare",
        [
            lambda error: abs(error) < 10,
            lambda error: error <= 10,
            lambda error: abs(error) > 0.5,
            lambda error: abs(error) < 0.1 * estimate([1] * 150, prompt="q"),
            # Of the two sides of this one alone is sure: the mean is not below 0.
            lambda _: abs(estimate([0] * 150, low=0.0)) < 0.5,
            lambda _: abs(estimate([10] * 150, low=9.0)) > 9.5,
        ],
    )
    def test_any_other_margin_is_taken(self, compare):
        """A bound itself too, so that `0.9 <= share <= 1` can be written."""
        assert compare(RUNS_ON).status in ("holds", "broken", "undecided")

    def test_without_bounds_any_margin_is_taken(self):
        """A mean of values like normal ones can lie anywhere."""
        values = [Observation(f"p{at}", f"t{at}", at % 7) for at in range(30)]
        found = Estimate.from_observations(values, name="cwa", unit="logits", bounds=None)
        assert (found < 1e6).status == "holds"
