"""Winsorised errors: an error in words, up to where a mean over topics has power."""

from __future__ import annotations

# Words; ours (METHODS §9). Over 150 topics a perfect model's interval is ± 0.06 words at 3, ± 0.20 at 10.
# No valid interval is narrower: it has to leave room for what a topic that was not asked could give.
WINSORISED_AT = 3.0


def winsorised(error: float) -> float:
    """An error of at most ±3 words.

    >>> winsorised(80), winsorised(-1)
    (3.0, -1)
    """
    return max(-WINSORISED_AT, min(WINSORISED_AT, error))
