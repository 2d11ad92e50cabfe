"""Intervals for the mean of clustered values: a method for bounded values, and another for unbounded values.

A cluster is a topic and counts by its mean and its size, so that many prompts about a single topic do not
narrow an interval as many topics would. Every limit is one-sided at `alpha`: low and high together are a
1 - 2 alpha interval. `copies` gives the limits as if the same topics had been seen so many times over. The
number may be a fraction, and serves to say how many more topics would decide a claim.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

# scipy carries no types.
from scipy.optimize import brentq  # type: ignore[import-untyped]

from lengthprobe.statistics.once_more import lasting_interval
from lengthprobe.statistics.sample import LEAST_TOPICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

# The trapezoidal rule of `share_below_zero`: its step, and where its points end at the latest.
_STEP = 0.1
_FARTHEST = 40.0
_MOST_NEWTON_STEPS = 60


class Clusters(NamedTuple):
    """The topics of a sample.

    Args:
        keys: The name of each topic, no name twice.
        means: The mean of each topic's values.
        sizes: How many values each topic has.
    """

    keys: Sequence[str]
    means: Sequence[float]
    sizes: Sequence[int]


def mean_interval(
    clusters: Clusters, bounds: tuple[float, float] | None, alpha: float, *, copies: float = 1.0
) -> tuple[float, float]:
    """The lower and the upper limit of a mean.

    Args:
        clusters: The topics.
        bounds: The least and the greatest value of the measure; infinite where rare values may lie far out;
            None where values are roughly normal.
        alpha: One-sided error rate of each limit.
        copies: How many times over the topics are taken.

    Returns:
        The limits. They rule nothing out in three cases: fewer than two topics; infinite bounds; no bounds,
        and fewer than `LEAST_TOPICS` topics or equal means.
    """
    if bounds is not None and not all(map(math.isfinite, bounds)):
        return -math.inf, math.inf
    if bounds is not None:
        if len(clusters.means) < 2:
            return bounds
        return _bounded_interval(tuple(clusters.means), tuple(clusters.sizes), bounds, alpha, copies)
    if len(clusters.means) < LEAST_TOPICS or all_equal(clusters.means):
        return -math.inf, math.inf
    return lasting_interval(clusters.means, clusters.sizes, alpha, copies=copies)


def all_equal(means: Sequence[float]) -> bool:
    """Whether cluster means differ by no more than rounding."""
    return max(means) - min(means) <= 1e-12 * max(abs(value) for value in means)


def bounded_interval(
    means: ArrayLike, sizes: ArrayLike, bounds: tuple[float, float], alpha: float, *, copies: float = 1.0
) -> tuple[float, float]:
    """Gaffke's interval of a mean of bounded values, with no other assumption about the values.

    The upper limit is the 1 - alpha quantile of Σ_c D_c n_c x_c over Σ_c D_c n_c, D uniform on the simplex.
    An imagined cluster, as large as the largest, joins the measured clusters at the upper bound. The lower
    limit is made likewise (Gaffke 2005; Learned-Miller & Thomas 2019, arXiv:1905.06208). Zeros and ones in
    clusters of a single value give the Clopper-Pearson limits. The interval never collapses: G equal clusters
    at the same value x leave (bound - x) (1 - alpha^(1/G)) on each side. The authors conjecture, without a
    proof, that equal clusters are covered for every distribution; no simulation has broken the conjecture.
    The size of the imagined cluster is ours: an imagined cluster of mean size errs up to four times too often
    where large clusters fail as a whole (`benchmarks/coverage.py --margins`).

    Args:
        means: Cluster means, [G].
        sizes: Cluster sizes, [G].
        bounds: The least and the greatest value possible.
        alpha: One-sided error rate of each limit.
        copies: How many times over the clusters are taken.
    """
    # x and n of the formula: cluster means and cluster sizes.
    x, n = np.asarray(means, float), np.asarray(sizes, float)
    low, high = bounds
    return (
        -_upper_limit(-x, n, -low, alpha, copies),
        _upper_limit(x, n, high, alpha, copies),
    )


# Claims share estimates, and each claim runs several times.
@lru_cache(maxsize=1024)
def _bounded_interval(
    means: tuple[float, ...],
    sizes: tuple[int, ...],
    bounds: tuple[float, float],
    alpha: float,
    copies: float,
) -> tuple[float, float]:
    return bounded_interval(means, sizes, bounds, alpha, copies=copies)


def _upper_limit(x: Floats, n: Floats, bound: float, alpha: float, copies: float) -> float:
    # x and n: cluster means and sizes, as in `bounded_interval`. Equal clusters become a single term: the
    # counts of a measure take few values, and each term costs time.
    (x, n), counts = np.unique(np.stack([x, n]), axis=1, return_counts=True)
    size = float(np.max(n))
    mean = float((x * n) @ counts) / float(n @ counts)
    counts = np.append(counts * copies, 1.0)
    x, n = np.append(x, bound), np.append(n, size)

    def excess(limit: float) -> float:
        return float(share_below_zero(n * (x - limit), counts)) - (1 - alpha)

    if mean >= bound or excess(mean) >= 0:
        return min(mean, bound)
    return float(brentq(excess, mean, bound, xtol=1e-10 * (bound - mean), rtol=1e-12))


def share_below_zero(weights: ArrayLike, counts: ArrayLike) -> Floats:
    """The probability that Σ_j w_j Γ_j is at most 0, the Γ_j independent gamma variates of shape counts_j.

    Inversion of the moment generating function M(s) = Π_j (1 - s w_j)^(-counts_j) on the vertical through
    the saddle point of M(s)/s (Lugannani & Rice 1980; Imhof 1961 and Davies 1980 for the same sum on the line
    through 0). With the points spaced as a hyperbolic sine times the saddle's own width, no singularity comes
    nearer than pi/2, and the trapezoidal rule converges geometrically.

    Args:
        weights: w, [..., K].
        counts: Shapes, [..., K]; 0 leaves a weight out.

    Returns:
        Probabilities, [...], with an absolute error under 1e-7.
    """
    # w and k: the weights w_j and the shapes counts_j of the formula.
    w, k = np.broadcast_arrays(np.asarray(weights, float), np.asarray(counts, float))
    shape = w.shape[:-1]
    w, k = np.where(k > 0, w, 0.0).reshape(-1, w.shape[-1]), k.reshape(-1, w.shape[-1])
    # The smaller tail is computed: signs are turned where the sum's mean is above zero.
    turned = np.sum(w * k, axis=-1) > 0
    w = np.where(turned[:, None], -w, w)
    above = np.zeros(len(w))
    # Where no weight is above zero (perhaps all are 0), neither is the sum.
    live = np.max(w, axis=-1) > 0
    if live.any():
        above[live] = _share_above_zero(w[live], k[live])
    return np.where(turned, above, 1 - above).reshape(shape)


def _share_above_zero(w: Floats, k: Floats) -> Floats:
    """P(Σ_j w_j Γ_j > 0), [R], for rows w, k [R, K] with a weight above zero and a mean at or below zero."""
    # s: the saddle point of each row. v: the points on the vertical line, s + i · width · sinh(v).
    s, width = _saddle(w, k)
    v = np.arange(0.0, _reach(w, k, s, width), _STEP)
    line = s[:, None] + 1j * width[:, None] * np.sinh(v)
    factors = np.log(1 - w[:, :, None] * line[:, None, :])
    value = np.exp(-(k[:, None, :] @ factors)[:, 0, :]) / line
    step = _STEP * width[:, None] * np.cosh(v)
    step[:, 0] /= 2
    return np.asarray(np.sum(value.real * step, axis=-1) / np.pi)


def _saddle(w: Floats, k: Floats) -> tuple[Floats, Floats]:
    """The minimum over s of log M(s) - log s between 0 and M's first pole, and a width, [R] each.

    The function is self-concordant: damped Newton steps stay between 0 and the pole, and converge from
    anywhere. Shapes below 1 need shorter steps. The width is the inverse root of the curvature, and no pole
    comes nearer than the width.
    """
    # s: the argument of M(s) = Π_j (1 - s w_j)^(-k_j), w the weights and k the shapes.
    mean, variance = np.sum(k * w, axis=-1), np.sum(k * w * w, axis=-1)
    s = np.minimum((np.sqrt(mean**2 + 4 * variance) - mean) / (2 * variance), 0.9 / np.max(w, axis=-1))
    shortened = np.sqrt(np.min(np.where(k > 0, np.minimum(k, 1.0), 1.0), axis=-1))
    for _ in range(_MOST_NEWTON_STEPS):
        pull = w / (1 - s[:, None] * w)
        slope = np.sum(k * pull, axis=-1) - 1 / s
        curve = np.sum(k * pull**2, axis=-1) + 1 / s**2
        decrement = np.abs(slope) / np.sqrt(curve)
        # Near is enough: the integral is the same on every line between 0 and the pole.
        if np.all(decrement < 0.1):
            break
        s = s - slope / (curve * (1 + decrement / shortened))
    return s, 1 / np.sqrt(curve)


def _reach(w: Floats, k: Floats, s: Floats, width: Floats) -> float:
    """The largest v needed: from there on the integrand's modulus stays under 1e-13."""
    v = np.arange(1.0, _FARTHEST)
    squared = (width[:, None] * np.sinh(v)) ** 2
    tilted = (w / (1 - s[:, None] * w)) ** 2
    logs = np.log1p(tilted[:, :, None] * squared[:, None, :])
    at_saddle = np.sum(k * np.log1p(-s[:, None] * w), axis=-1) + np.log(s / width)
    fall = ((k[:, None, :] @ logs)[:, 0, :] + np.log1p(squared / s[:, None] ** 2)) / 2
    needed = np.any(v - fall - at_saddle[:, None] > math.log(1e-13), axis=0)
    return 1 + float(np.max(v[needed], initial=1.0))


def sum_interval(
    means: Sequence[float], limits: Sequence[tuple[float, float]], correlations: Sequence[Sequence[float]]
) -> tuple[float, float]:
    """The interval of a sum of means from the interval of each: MOVER.

    Zou & Donner 2008, doi:10.1002/sim.3095 (Newcombe's method of 1998 when the means are shares): distances
    from mean to limit add like standard deviations. A correlation counts only where the correlation widens
    the interval (ours): an estimated correlation must not make the interval collapse.

    Args:
        means: The means, [M], each with its sign.
        limits: Their lower and upper limits, [M].
        correlations: Between the means, [M, M].
    """
    if not np.all(np.isfinite(limits)):
        return -math.inf, math.inf
    matrix = np.maximum(np.asarray(correlations, float), 0.0)
    np.fill_diagonal(matrix, 1.0)
    below, above = np.abs(np.asarray(limits, float).T - np.asarray(means, float))
    middle = math.fsum(means)
    return middle - math.sqrt(below @ matrix @ below), middle + math.sqrt(above @ matrix @ above)


def correlation(one: Clusters, other: Clusters) -> float:
    """The correlation of two means over the topics of both, 0 where either mean does not vary."""
    first, second = _influences(one), _influences(other)
    norm = math.sqrt(math.fsum(v * v for v in first.values()) * math.fsum(v * v for v in second.values()))
    shared = math.fsum(value * second[key] for key, value in first.items() if key in second)
    return max(-1.0, min(1.0, shared / norm)) if norm > 0 else 0.0


def _influences(clusters: Clusters) -> dict[str, float]:
    # m and n: the mean and the size of a cluster.
    total = sum(clusters.sizes)
    mean = math.fsum(m * n for m, n in zip(clusters.means, clusters.sizes, strict=True)) / total
    return {
        key: n * (m - mean) / total
        for key, m, n in zip(clusters.keys, clusters.means, clusters.sizes, strict=True)
    }
