"""The interval of a ratio of two means over the same prompts: Fieller's, with clusters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

# scipy carries no types.
from scipy.special import stdtrit  # type: ignore[import-untyped]

from lengthprobe.statistics.intervals import robust_covariance

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def ratio_interval(
    parts: ArrayLike, wholes: ArrayLike, sizes: ArrayLike, alpha: float
) -> tuple[float, float]:
    """The lower and the upper limit of mean(part) / mean(whole).

    They are the ratios r at which a limit of the robust interval of the mean of part - r · whole is 0
    (Fieller 1954, Journal of the Royal Statistical Society B 16, 175-185; the variance is that of
    `intervals.robust_interval`). So the interval lies wholly above m exactly when that of part - m · whole
    lies above 0. It is a point where part is the same multiple of whole in every cluster.

    With r = R + d, R the measured ratio and e = part - R · whole, the limits are the roots d of
    (d · mean(whole))² = t² (V(e) - 2 d C(e, whole) + d² V(whole)).

    Args:
        parts, wholes: Cluster means, [G].
        sizes: Cluster sizes, [G].
        alpha: One-sided error rate of each limit.

    Returns:
        The limits; infinite where the interval of the mean of the whole is not wholly above 0.
    """
    x, w, n = np.asarray(parts, float), np.asarray(wholes, float), np.asarray(sizes, float)
    share = n / n.sum()
    whole = float(share @ w)
    squared_t = float(stdtrit(len(n) - 1, alpha)) ** 2
    curve = whole**2 - squared_t * robust_covariance(w, w, n)
    if whole <= 0 or curve <= 0:
        return -math.inf, math.inf
    ratio = float(share @ x) / whole
    rest = x - ratio * w
    tilt = -squared_t * robust_covariance(rest, w, n)
    reach = math.sqrt(tilt**2 + curve * squared_t * robust_covariance(rest, rest, n))
    return ratio + (tilt - reach) / curve, ratio + (tilt + reach) / curve
