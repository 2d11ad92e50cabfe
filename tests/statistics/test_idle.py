"""Comparisons that are true, or false, whatever was measured."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.sample import draws


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
            # At a bound: true but for a mean of exactly that, which no sample shows.
            (lambda error: abs(error) <= 10, "always"),
            (lambda error: abs(error) < 10, "always, or all but always,"),
            (lambda error: error <= 10, "always"),
            (lambda error: error < 10, "always, or all but always,"),
            (lambda error: error >= -10, "always"),
            (lambda error: error > -10, "always, or all but always,"),
            (lambda error: error > 10, "never"),
            (lambda error: error < -10, "never"),
            (lambda _: abs(estimate([5] * 150, low=0.0)) > 0, "always, or all but always,"),
            # A bound of a multiple is rounded: 0.1 * 3 is 0.30000000000000004.
            (lambda _: 0.1 * estimate([1] * 150, low=-3.0, high=3.0) < 0.3, "always, or all but always,"),
            (lambda _: 0.1 * estimate([1] * 150, low=-3.0, high=3.0) > 0.3, "never"),
        ],
    )
    def test_a_margin_at_the_bounds_or_beyond_is_refused(self, compare, answer):
        """A model that never stops would be within 11 words, where an error counts as ten at the most."""
        with pytest.raises(SettingsError, match=f"is {answer} true: what is compared lies from ") as caught:
            compare(RUNS_ON)
        assert re.match(r"take a margin between -?\d.*, neither of the two; ", caught.value.fix)

    @pytest.mark.parametrize(
        "compare",
        [
            lambda error: abs(error) < 9.99,
            lambda error: error >= 10,
            lambda error: error <= -10,
            lambda error: abs(error) > 0.5,
            lambda error: abs(error) < 0.1 * estimate([1] * 150, prompt="q"),
            # Of the two sides of this one alone is sure: the mean is not below 0.
            lambda _: abs(estimate([0] * 150, low=0.0)) < 0.5,
            lambda _: abs(estimate([10] * 150, low=9.0)) > 9.5,
        ],
    )
    def test_any_other_margin_is_taken(self, compare):
        """A bound itself too where a perfect checkpoint is asked for: that can be broken."""
        assert compare(RUNS_ON).status in ("holds", "broken", "undecided")

    @pytest.mark.parametrize(
        "compare",
        [
            lambda random, _: random < 2,
            lambda random, _: random <= 1,
            lambda random, without: random - without < -1.5,
            lambda random, without: without - random > -1,
            lambda random, without: abs(random - without) < 1,
        ],
    )
    def test_random_sets_leave_the_bounds_as_they_are(self, compare):
        """The share of exact answers under any sets lies from 0 to 1, however far the sets lie apart."""
        random, without = (
            estimate([value] * 100, low=0.0, high=1.0, name=name)
            for name, value in (("random", 0.9), ("without", 0.0))
        )
        apart = draws({f"set {at}": 0.8 + at / 100 for at in range(20)})

        with pytest.raises(SettingsError, match="what is compared lies from"):
            compare(replace(random, samples=(*random.samples, apart)), without)

    def test_without_bounds_any_margin_is_taken(self):
        """A mean of values like normal ones can lie anywhere."""
        values = [Observation(f"p{at}", f"t{at}", at % 7) for at in range(30)]
        found = Estimate.from_observations(values, name="cwa", unit="logits", bounds=None)
        assert (found < 1e6).status == "holds"
