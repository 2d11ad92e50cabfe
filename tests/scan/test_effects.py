"""Effects: paired by prompt, over topics."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from lengthprobe.scan.effects import Outcome, effect, most_as_strong
from lengthprobe.task.prompts import prompts

PROMPTS = prompts("en", lengths=(5,), budget=4)


def test_outcome_is_exact_when_it_ends_at_n_words() -> None:
    """An answer that the cap cut off is not, whatever it has."""
    (prompt, *_) = PROMPTS
    assert Outcome(5, ended=True).exact(prompt)
    assert not Outcome(5, ended=False).exact(prompt)
    assert not Outcome(4, ended=True).exact(prompt)


def test_error_is_three_words_at_most() -> None:
    """A runaway counts as three (METHODS §1)."""
    (prompt, *_) = PROMPTS
    assert [Outcome(n, ended=True).error(prompt) for n in (3, 5, 14, 40)] == [2, 0, 3, 3]


def test_effect_is_the_mean_of_differences() -> None:
    """Of four answers two are lost and one is won: a fall of a quarter."""
    right, wrong, long = Outcome(5, ended=True), Outcome(4, ended=True), Outcome(40, ended=False)

    found = effect("L0H0", PROMPTS, [right, right, right, wrong], [wrong, long, right, right], alpha=0.05)

    assert found.fall.mean == pytest.approx((1 + 1 + 0 - 1) / 4)
    assert found.rise.mean == pytest.approx((1 + 3 + 0 - 1) / 4)
    assert found.strength == (found.fall.mean, found.rise.mean)
    assert found.fall.low < found.fall.mean < found.fall.high
    assert (found.fall.n, found.fall.clusters) == (4, len({one.topic for one in PROMPTS}))
    assert found.as_dict()["fall"]["unit"] == "share"


@pytest.mark.parametrize(("strong", "drawn"), [(0, 10), (2, 10), (9, 10)])
def test_at_most_is_clopper_and_pearson_s(strong: int, drawn: int) -> None:
    """With a larger share so few would be drawn with a probability below alpha."""
    share = (most_as_strong(strong, drawn, 10_000, alpha=0.05) + 1) / 10_000
    assert binom.cdf(strong, drawn, share) <= 0.05
    assert binom.cdf(strong, drawn, share - 2e-4) > 0.049


def test_at_most_knows_the_limits() -> None:
    """Nothing drawn says nothing, all drawn says all; those seen weak are not strong."""
    assert most_as_strong(0, 0, 15, alpha=0.05) == 15
    assert most_as_strong(1, 15, 15, alpha=0.05) == 1
    assert most_as_strong(10, 10, 15, alpha=0.05) == 15
    assert most_as_strong(0, 14, 15, alpha=0.05) == 1
