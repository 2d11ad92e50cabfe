"""Print how often a gate of fourteen claims passes, is called broken, and stays undecided, and what it asks.

Usage: python benchmarks/gate_power.py [--repeats 200] [--seed 0] [--json FILE] [--picture FILE]

A gate has the seven requirements and the seven regressions of behavior_tests, in two languages. A language
has answers of its own. Answers are made up (`gate_answers`), for the prompts that the real stream asks. The
claims are read with the library's own intervals (`gate_claims`), by several rules (`gate_rules`).

With the truth at a margin, a claim holds in alpha at the most, and is broken in its share of alpha.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gate_answers import design
from gate_claims import ALPHA, SHARES
from gate_scenarios import LANGUAGES, fall_rows, good_rows, kept, margin_rows, needed_rows
from tabulate import tabulate

from lengthprobe.statistics.looks import DEFAULT_BUDGET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gate_scenarios import Row


def print_by_rule(title: str, rows: Sequence[Row], facts: Sequence[str], cell: str) -> None:
    """Print a table with a column for each rule; `cell` formats the row of a rule."""
    found: dict[tuple[Any, ...], dict[str, str]] = {}
    for row in rows:
        found.setdefault(tuple(row[fact] for fact in facts), {})[row["rule"]] = cell.format(**row)
    table = [[*key, *cells.values()] for key, cells in found.items()]
    print(f"{title}\n{tabulate(table, [*facts, *next(iter(found.values()))])}\n", flush=True)


def worst_rows(rows: Sequence[Row]) -> list[Row]:
    """For each rule and each way in which answers fail, the claim that errs most often."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = (row["spread"], row["prompts_a_topic"], row["correlation"], row["rule"])
        worst = found.setdefault(key, row | {"holds": 0.0, "broken": 0.0})
        worst["holds"], worst["broken"] = (
            max(worst["holds"], row["holds"]),
            max(worst["broken"], row["broken"]),
        )
    return list(found.values())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="How often a gate passes, and what it asks.")
    parser.add_argument("--repeats", type=int, default=200, help="gates of each kind (200)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the power curves")
    settings = parser.parse_args()
    start, rng = time.perf_counter(), np.random.default_rng(settings.seed)
    asked, languages = design("en", DEFAULT_BUDGET), LANGUAGES * settings.repeats

    print(
        f"Gates of 14 claims in 2 languages, % of {settings.repeats}; "
        f"alpha {ALPHA:g} over {SHARES:.1f} shares\n"
    )
    good = good_rows(asked, languages, rng)
    facts = ("rate", "common", "misses")
    print_by_rule("As good as the reference: passes / broken", good, facts, "{passes:.0f} / {broken:.1f}")
    print_by_rule("The same in one language", good, facts, "{passes_in_one_language:.0f}")
    print_by_rule("Prompts a language, median (mean)", good, facts, "{gate_median:.0f} ({gate_mean:.0f})")
    print_by_rule("Prompts a claim, median (mean)", good, facts, "{claim_median:.0f} ({claim_mean:.0f})")
    falls = fall_rows(asked, languages, rng)
    facts = ("fall", "rate", "common")
    print_by_rule("Worse than the reference: broken / passes", falls, facts, "{broken:.0f} / {passes:.1f}")
    print_by_rule("Prompts a language, median (mean)", falls, facts, "{gate_median:.0f} ({gate_mean:.0f})")
    margins = margin_rows(asked, languages, rng)
    facts = ("spread", "prompts_a_topic", "correlation")
    print_by_rule(
        "Truth at the margin, the worst of 14 claims: holds / broken "
        f"(nominal 5 / {100 * ALPHA / SHARES:.2f})",
        worst_rows(margins),
        facts,
        "{holds:.1f} / {broken:.2f}",
    )
    broken = kept(margins, languages)
    print(f"{len(broken)} of {2 * len(margins)} rates exceed their promise", *broken, sep="\n  ")
    print("(wordings drawn at random are no promise: verdicts are about these wordings)\n")
    needed = needed_rows(asked, max(40, languages // 4), rng)
    print(
        f"Prompts, one a topic, for 95 of 100 gates by four looks\n{tabulate(needed, 'keys')}\n", flush=True
    )
    if settings.json:
        found = {
            "repeats": settings.repeats,
            "good": good,
            "falls": falls,
            "margins": margins,
            "needed": needed,
        }
        settings.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    if settings.picture:
        from gate_picture import draw

        draw(settings.picture, good, asked, languages, rng)
    print(f"{time.perf_counter() - start:.0f} s, {time.process_time():.0f} s of them at work")


if __name__ == "__main__":
    main()
