"""Numbers in digits, for a reader."""

from __future__ import annotations

_LONGEST = 1e6


def in_three_digits(value: float, sign: str = "") -> str:
    """A number in three significant digits, without a power of ten for numbers of at most six digits.

    Args:
        value: The number.
        sign: `+` to write a sign before a positive number too.

    >>> in_three_digits(0.12345), in_three_digits(-1128.4), in_three_digits(5, "+")
    ('0.123', '-1128', '+5')
    """
    # From 999.5 three digits would be rounded up to a fourth.
    whole = 999.5 <= abs(value) < _LONGEST
    return f"{value:{sign}.{'0f' if whole else '3g'}}"


def interval_name(alpha: float) -> str:
    """The name of an interval by its level, the share of cases in which the interval covers the truth.

    >>> interval_name(0.05)
    '90 % interval'

    Args:
        alpha: One-sided error rate of each end.
    """
    return f"{100 * (1 - 2 * alpha):g} % interval"
