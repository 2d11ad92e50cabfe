"""Measure how often the claim of necessity tells a model that needs its components from one that does not.

    python benchmarks/necessity.py [--seeds 10] [MODEL …]

Of the three healthy fixture models, which need the components that lead by CWA, and the three causally empty
ones, which show the same attributions and need none of them. Each seed asks other prompts and draws other
random sets; the topics are the same 75. A row counts the verdicts. Power is how often a healthy model
`holds`; a healthy one that is `broken` is a false alarm, and an empty one that `holds` would be a wrong
green.
"""

from __future__ import annotations

import argparse
from collections import Counter

from tabulate import tabulate

from lengthprobe.margins import Margins, alpha_shares
from lengthprobe.measures import control_without, control_without_random
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings

HEALTHY = ("tiny-it", "tiny-it-2", "tiny-it-3")
EMPTY = ("attribution-without-cause", "attribution-without-cause-2", "attribution-without-cause-3")
# Language and kind of the components, as the claims in mech_tests/test_necessity.py have them.
CLAIMS = (("en", "heads"), ("it", "mlps"))
STATUSES = ("holds", "undecided", "broken")


def main() -> None:
    """Print a row for each model and claim."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="MODEL", default=[*HEALTHY, *EMPTY])
    parser.add_argument("--seeds", type=int, default=10)
    told = parser.parse_args()
    found: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for name in told.names:
        for seed in range(told.seeds):
            probe = Probe(name, Settings(seed=seed), alpha_shares=alpha_shares(len(CLAIMS), reference=False))
            probe.prepare(traces=True)
            for language, kind in CLAIMS:
                found.setdefault((name, language), []).append(_verdict(probe, language, kind))
    headers = ["model", "language", *STATUSES, "least effect", "greatest"]
    print(tabulate([_row(*one) for one in found.items()], headers=headers, floatfmt=".1f"))


def _verdict(probe: Probe, language: str, kind: str) -> tuple[str, float]:
    """What the claim comes to, and its effect, a share of the answers."""
    without = control_without(probe, language=language, kind=kind)
    effect = control_without_random(probe, language=language, kind=kind) - without
    return (effect > Margins().necessity).status, effect.mean


def _row(asked: tuple[str, str], found: list[tuple[str, float]]) -> list[object]:
    counts = Counter(status for status, _ in found)
    effects = [effect for _, effect in found]
    ends = [f"{100 * end:+.1f} %" for end in (min(effects), max(effects))]
    return [*asked, *(counts[status] for status in STATUSES), *ends]


if __name__ == "__main__":
    main()
