"""Winsorised errors: an error in words, cut at a size at which a mean over topics still has power."""

from __future__ import annotations

# Words; ours (METHODS §9). Over 150 topics a perfect model's interval is ± 0.06 words at 3, ± 0.20 at 10.
# No valid interval is narrower: an interval has to leave room for the error on a topic not asked.
WINSORISED_AT = 3.0
# For claims on larger errors: a base runs on by tens of words, and cut at 3 the errors of a model that counts
# tokens would all be alike.
FAR = 10.0


def winsorised_error(error: float, at: float = WINSORISED_AT) -> float:
    """An error cut at `at` words, either way.

    >>> winsorised_error(80), winsorised_error(-1)
    (3.0, -1)
    """
    return max(-at, min(at, error))
