"""Print how often the claim of necessity errs, with the truth at its margin, by the number of random sets.

    python benchmarks/necessity_margin.py [--repeats 300] [--seed 0]

The truth: without the leading components a share of the answers is exact, and without random sets, on average
over all that could be drawn, a tenth more: exactly the margin, so that `random - without > 0.1` is to hold in
at most 5 % of all repeats, and to be broken in at most 5 / 68 %. Each repeat draws sets anew, which lie apart
as the shape says. 75 topics, one prompt each; a prompt is answered under five sets, which take turns.

*Fixed*: the interval takes the sets as given, as it once did. *Drawn*: it leaves room for other sets, and
fewer than ten are undecided, as the measure has it now.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np
from tabulate import tabulate

from lengthprobe.measures.causality.control import FEWEST_SETS
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.sample import Sample

TOPICS, SETS_A_PROMPT, MARGIN, ALPHA_SHARES = 75, 5, 0.1, 68.0
COUNTS = (1, 2, 5, 10, 20)


@dataclass(frozen=True)
class Shape:
    """How random sets lie apart.

    Args:
        name: In words.
        without: The share of exact answers without the leading components.
        spread: How many draws a set's own share is worth, as that of a beta distribution; None: all alike.
    """

    name: str
    without: float
    spread: float | None


SHAPES = (
    Shape("sets alike", 0.45, None),
    Shape("sets a little apart (standard deviation 0.14)", 0.45, 12.0),
    Shape("sets far apart (0.25)", 0.45, 3.0),
    Shape("each costs nearly all or nearly nothing (0.41)", 0.45, 0.5),
    Shape("far apart, nothing left without the leading ones", 0.0, 3.0),
)


def estimates(shape: Shape, n_sets: int, rng: np.random.Generator) -> tuple[Estimate, Estimate]:
    """What random sets leave less what the leading ones do: with the sets as given, and as drawn."""
    mean = shape.without + MARGIN
    shares = np.full(n_sets, mean)
    if shape.spread is not None:
        shares = rng.beta(mean * shape.spread, (1 - mean) * shape.spread, n_sets)
    each = min(SETS_A_PROMPT, n_sets)
    turns = (np.arange(TOPICS)[:, None] * each + np.arange(each)) % n_sets
    exact = rng.random((TOPICS, each)) < shares[turns]
    without = rng.random(TOPICS) < shape.without
    values = exact.mean(1) - without
    fixed = Estimate.from_observations(
        [Observation(f"p{at}", f"t{at}", float(value)) for at, value in enumerate(values)],
        name="random - without",
        unit="share",
        bounds=(-1.0, 1.0),
        alpha_shares=ALPHA_SHARES,
    )
    of_each = np.array([exact[turns == one].mean() for one in range(n_sets)])
    apart = [Observation(f"s{at}", f"s{at}", float(one - of_each.mean())) for at, one in enumerate(of_each)]
    return fixed, replace(fixed, samples=(*fixed.samples, Sample(tuple(apart), None, drawn=True)))


def errs(shape: Shape, n_sets: int, repeats: int, rng: np.random.Generator) -> tuple[str, str]:
    """How often the claim holds and is broken, in per cent, with the sets as given, and as drawn."""
    counts = np.zeros((2, 2))
    for _ in range(repeats):
        for at, estimate in enumerate(estimates(shape, n_sets, rng)):
            status = (estimate > MARGIN).status if at == 0 or n_sets >= FEWEST_SETS else "undecided"
            counts[at] += [status == "holds", status == "broken"]
    fixed, drawn = (" / ".join(f"{100 * count / repeats:.1f}" for count in row) for row in counts)
    return fixed, drawn


def main() -> None:
    """Print a row for each shape, before and after."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    rng = np.random.default_rng(told.seed)
    print(
        "% of claims that hold / are broken at the margin, nominally 5 / 0.07, by the number of random sets"
    )
    for shape in SHAPES:
        found = [errs(shape, n_sets, told.repeats, rng) for n_sets in COUNTS]
        rows = [[called, *(one[at] for one in found)] for at, called in enumerate(("fixed", "drawn"))]
        print(f"\n{shape.name}\n{tabulate(rows, ['interval', *map(str, COUNTS)])}", flush=True)


if __name__ == "__main__":
    main()
