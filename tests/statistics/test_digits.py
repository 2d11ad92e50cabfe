"""Numbers as a reader reads them."""

from __future__ import annotations

import math

import pytest

from lengthprobe.statistics.digits import in_three_digits


@pytest.mark.parametrize(
    ("value", "sign", "shown"),
    [
        (1128.4, "", "1128"),
        (-1128.4, "+", "-1128"),
        (999.6, "", "1000"),
        (0.12345, "+", "+0.123"),
        (2e6, "", "2e+06"),
        (math.inf, "", "inf"),
    ],
)
def test_a_number_of_at_most_six_digits_has_no_power_of_ten(value: float, sign: str, shown: str) -> None:
    """A reader compares 1128 with 58 at sight, and 1.13e+03 not."""
    assert in_three_digits(value, sign) == shown
