"""How much of a token counter's error is in a model's errors, N held fixed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.measures import error_by_tokens_per_word, share


@pytest.fixture
def tokened(answered):
    """Return a function that makes a probe from triples of N, words written, and tokens taken."""

    def probe(*triples):
        made = answered(*((n, words) for n, words, _ in triples))
        given = [
            replace(one, token_ids=tuple(range(tokens)))
            for one, (_, _, tokens) in zip(made.given, triples, strict=True)
        ]
        return replace(made, given=tuple(given))

    return probe


def _slope(triples):
    """The slope as the docstring says it, in numpy."""
    n, words, tokens = np.array(triples, float).T
    error = np.clip(words - n, -10, 10)
    apart = np.where(words > 0, n * words / np.maximum(tokens, 1) - n, np.nan)
    parts = wholes = 0.0
    for one in np.unique(n):
        here = n == one
        d = apart[here] - np.nanmean(apart[here])
        z = np.nan_to_num(np.sign(d))
        z, d = z - z.mean(), np.nan_to_num(d)
        parts += (z * (error[here] - error[here].mean())).sum()
        wholes += (z * d).sum()
    return parts / wholes


def test_is_walds_slope_within_each_n(tokened):
    """As numpy computes it, an empty response and a runaway among them."""
    triples = [(3, 3, 4), (3, 2, 6), (3, 0, 0), (3, 3, 9), (6, 5, 6), (6, 4, 9), (6, 90, 99), (6, 7, 11)]

    estimate = error_by_tokens_per_word(tokened(*triples), language="en")

    assert estimate.mean == pytest.approx(_slope(triples))
    assert share(estimate).mean == pytest.approx(_slope(triples))
    assert estimate.unit == "share"


def test_who_counts_tokens_has_all_of_it(tokened):
    """As many tokens as words were asked for, at one to three tokens a word."""
    triples = [(n, n // t, n) for n in (6, 12) for t in (1, 2, 3)] * 20
    found = share(error_by_tokens_per_word(tokened(*triples), language="en"))
    assert found.mean == pytest.approx(1)
    assert (found < 0.5).status == "broken"


def test_who_counts_words_has_none_of_it(tokened):
    """Without an error, or with the same at each N, there is none to follow; and that is sure."""
    for off in (0, 2):
        triples = [(n, n + off, (n + off) * t) for n in (3, 6) for t in (1, 2, 3)] * 20
        found = share(error_by_tokens_per_word(tokened(*triples), language="en"))
        assert (found.mean, found.low, found.high) == (0, 0, 0)
        assert (found < 0.5).status == "holds"


def test_longer_requests_are_not_compared_with_shorter_ones(tokened):
    """Where both the error and the tokens a word grow with N, and with nothing else, there is nothing."""
    triples = [(n, n - n // 3, (n - n // 3) * n // 3 + more) for n in (3, 6, 9) for more in (0, 2)] * 20
    assert error_by_tokens_per_word(tokened(*triples), language="en").mean == 0


def test_as_many_tokens_a_word_everywhere_is_refused(tokened):
    """There is nothing to see: neither with equal responses, nor with none."""
    for triples in ([(3, 3, 6), (3, 2, 4)], [(3, 0, 0), (4, 0, 0)]):
        with pytest.raises(SettingsError, match="as many tokens a word wherever N is the same") as told:
            error_by_tokens_per_word(tokened(*triples), language="en")
        assert "--lengthprobe-budget=300" in told.value.fix


def test_the_other_counter_is_its_rival(tokened):
    """A claim that comes out differently under two counters is undecided, as of any length."""
    estimate = error_by_tokens_per_word(tokened((3, 3, 4), (3, 2, 6)), language="en")
    assert (estimate.counter, estimate.rival.counter) == ("uax29", "whitespace")
    assert estimate.rival.whole is not None
