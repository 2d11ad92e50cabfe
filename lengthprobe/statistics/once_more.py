"""Limits of a mean without bounds, which hold whichever measured topic is met once more."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

# scipy carries no types.
from scipy.special import stdtrit  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def lasting_interval(
    means: ArrayLike, sizes: ArrayLike, alpha: float, *, copies: float = 1.0
) -> tuple[float, float]:
    """The limits of a mean without bounds: the farthest of G cluster-robust t limits.

    Each of the G limits counts a different topic twice, as Gaffke's interval imagines a further topic at the
    bound (ours). So a topic far out moves the limit on its own side, and a mean that hangs on a single topic
    is not decided. Roughly normal values lose little: 150 topics err in 3 % in place of 5 %. With 1 % of
    runaways or with skew, Student's own limits err in 7 to 25 % (`benchmarks/coverage.py --margins`).

    The variance is CR2 (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018) for a regression on a constant:
    each cluster's residual is divided by √(1 - its share of the values).

    Args:
        means: Cluster means, [G].
        sizes: Cluster sizes, [G].
        alpha: One-sided error rate of each limit.
        copies: How many times over the clusters are taken, beside the cluster met once more.
    """
    # x: cluster means.
    x, again = np.asarray(means, float), OnceMore.of(sizes, copies)
    middles = again.means(x)
    reach = again.t(alpha) * np.sqrt(again.covariances(x - middles[:, None], x - middles[:, None]))
    return float(np.min(middles - reach)), float(np.max(middles + reach))


def ratio_interval(
    parts: ArrayLike, wholes: ArrayLike, sizes: ArrayLike, alpha: float
) -> tuple[float, float]:
    """The lower and the upper limit of mean(part) / mean(whole).

    The limits are the ratios r at which a limit of `lasting_interval` of part - r · whole is 0 (Fieller 1954,
    Journal of the Royal Statistical Society B 16, 175-185). So the interval lies wholly above m exactly when
    the interval of part - m · whole lies above 0. The interval is a point where part is the same multiple of
    whole in every cluster.

    With r = R + d, R the ratio of the means and e = part - R · whole, the limits with a topic met once more
    are the roots d of (d · mean(whole))² = t² (V(e) - 2 d C(e, whole) + d² V(whole)).

    Args:
        parts, wholes: Cluster means, [G].
        sizes: Cluster sizes, [G].
        alpha: One-sided error rate of each limit.

    Returns:
        The limits; infinite where the interval of the mean of the whole is not wholly above 0.
    """
    # x and w: cluster means of the parts and of the wholes. Of the equation, `ratio` is R, `rest` is e, and
    # the roots are d = (tilt ± reach) / curve.
    x, w, again = np.asarray(parts, float), np.asarray(wholes, float), OnceMore.of(sizes)
    whole, squared_t = again.means(w), again.t(alpha) ** 2
    around = w - whole[:, None]
    curve = whole**2 - squared_t * again.covariances(around, around)
    if np.any(whole <= 0) or np.any(curve <= 0):
        return -math.inf, math.inf
    ratio = again.means(x) / whole
    # The means of these residuals are 0.
    rest = x - ratio[:, None] * w
    tilt = -squared_t * again.covariances(rest, around)
    reach = np.sqrt(tilt**2 + curve * squared_t * again.covariances(rest, rest))
    return float(np.min(ratio + (tilt - reach) / curve)), float(np.max(ratio + (tilt + reach) / curve))


@dataclass(frozen=True, slots=True)
class OnceMore:
    """The weights of G topics, in G rows: in each row a different topic is met once more.

    Args:
        shares: Each topic's share of the prompts, [G, G], with a row for each topic met again.
        copies: How many times over the topics are taken.
    """

    shares: Floats
    copies: float

    @classmethod
    def of(cls, sizes: ArrayLike, copies: float = 1.0) -> OnceMore:
        """The weights of topics of some sizes, [G]."""
        # n: the sizes.
        n = np.asarray(sizes, float)
        return cls(n / (copies * n.sum() + n)[:, None], copies)

    def t(self, alpha: float) -> float:
        """The quantile of Student's t, with as many degrees of freedom as measured topics, less 1."""
        return -float(stdtrit(self.copies * len(self.shares) - 1, alpha))

    def means(self, x: Floats) -> Floats:
        """The mean of topic means x [G], for each topic met again, [G]."""
        return np.asarray(self.copies * (self.shares @ x) + np.diag(self.shares) * x)

    def covariances(self, one: Floats, other: Floats) -> Floats:
        """The CR2 covariance of two means from their residuals [G, G], for each topic met again, [G]."""
        terms = self.shares**2 * one * other / (1 - self.shares)
        return np.asarray(self.copies * terms.sum(axis=1) + np.diag(terms))
