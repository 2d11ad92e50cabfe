"""How far two attributions lie apart."""

from __future__ import annotations

from typing import Any

COMPONENTS = ("heads", "mlps", "embedding", "biases")
ARRAYS = (*COMPONENTS, "logits")


def distance(actual: Any, expected: Any, arrays: tuple[str, ...] = ARRAYS) -> float:
    """The largest difference in any array at the steps that count, in shares of that array's largest.

    Every array is [n, T, …]; NaN where one of them is NaN.
    """
    assert (actual.mask == expected.mask).all()
    found = []
    for name in arrays:
        one, other = (getattr(each, name)[each.mask].double() for each in (actual, expected))
        assert one.shape == other.shape, name
        found.append(float((one - other).abs().max() / other.abs().max().clamp(min=1e-6)))
    return max(found, key=lambda value: (value != value, value))
