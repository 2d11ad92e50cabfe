"""The table of a plan, and the curve of its hardest claim."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lengthprobe.errors import SettingsError
from lengthprobe.statistics.looks import looks
from lengthprobe.statistics.power import prompts_for
from lengthprobe.untrusted_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from lengthprobe.plan.expected import Basis, Expected

DEFAULT_POWER = 0.9
_BAR = 30
_BEYOND = (600, 900, 1200)
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Needed:
    """What a claim needs to be decided.

    Args:
        topics: The number of topics, None where no sensible number is enough.
        prompts: The number of prompts a language, None likewise.
        minutes: Minutes in one language, None where nobody knows.
    """

    topics: int | None = None
    prompts: int | None = None
    minutes: float | None = None


@dataclass(frozen=True, slots=True)
class Foretold:
    """A claim of a plan.

    Args:
        expected: The claim.
        change: The change to the worse, in the claim's unit.
        to_hold: What the claim needs to hold where all is as expected; None where the mean is beyond the
            margin.
        to_break: What the claim needs to be broken after the change; None where the change stays within the
            margin.
    """

    expected: Expected
    change: float
    to_hold: Needed | None
    to_break: Needed | None


def foretell(source: Basis, *, change: float | None = None, power: float = DEFAULT_POWER) -> list[Foretold]:
    """A row for each claim.

    Args:
        source: The claims.
        change: A change to the worse, in each claim's unit; by default to twice as far as the margin is.
        power: The chance wanted.

    Raises:
        SettingsError: The power is no chance, or the change is not above 0.
    """
    if not 0 < power < 1:
        raise SettingsError(f"power {power:g} is no chance between 0 and 1", "setting:power=0.9")
    if change is not None and not (change > 0 and math.isfinite(change)):
        raise SettingsError(f"change {change:g} is not above 0", "setting:change=0.1")
    return [_row(source, expected, change, power) for expected in source.claims]


def _row(source: Basis, expected: Expected, change: float | None, power: float) -> Foretold:
    sides, spread = expected.sides, expected.spread
    margin = math.copysign(sides.margin, spread.mean) if sides.sign == 0 else sides.margin
    moved = 2 * abs(margin - spread.mean) if change is None else change
    changed = sides.worse(spread, moved)
    hold = partial(sides.chance_to_hold, spread)
    to_hold = None if sides.is_beyond(spread.mean) else _needed(source, expected, hold, power)
    to_break = None
    if sides.is_beyond(changed.mean):
        to_break = _needed(source, expected, partial(sides.chance_to_break, changed), power)
    return Foretold(expected, moved, to_hold, to_break)


def _needed(
    source: Basis, expected: Expected, chance: Callable[[float, float], float], power: float
) -> Needed:
    def after(prompts: float, part: float) -> float:
        return chance(expected.topics(prompts), part)

    prompts = prompts_for(after, power, source.looks)
    if prompts is None:
        return Needed()
    minutes = None if source.seconds is None else source.seconds * prompts / _MINUTE
    return Needed(math.ceil(expected.topics(prompts)), prompts, minutes)


def plan_lines(source: Basis, rows: list[Foretold], *, power: float = DEFAULT_POWER) -> list[str]:
    """The plan for a terminal: the table, the prompts for all claims, and the curve of the hardest claim."""
    from tabulate import tabulate

    judged = ", ".join(str(prompts) for prompts, _ in source.looks)
    table = [
        (
            printable(row.expected.claim),
            row.expected.language,
            _in_unit(row.expected.sides.margin, row.expected.unit),
            _in_unit(row.expected.spread.mean, row.expected.unit),
            _told(row.to_hold, "beyond the margin"),
            _in_unit(row.change, row.expected.unit) if row.to_hold else "",
            _told(row.to_break, "within the margin") if row.to_hold else "broken already",
        )
        for row in rows
    ]
    headers = ["claim", "", "margin", "expected", "holds after", "a change of", "is broken after"]
    return [
        f"{printable(source.told)}; alpha {source.alpha:g}, judged after {judged} prompts; power {power:g}",
        "",
        tabulate(table, headers, disable_numparse=True),
        "",
        *_all_together(source, rows),
        "",
        *_curve(source, rows),
    ]


def _all_together(source: Basis, rows: list[Foretold]) -> list[str]:
    told = []
    within = [row for row in rows if row.to_hold is not None]
    every = "every claim"
    if len(within) < len(rows):
        beyond_margin = len(rows) - len(within)
        told.append(f"{beyond_margin} of {len(rows)} claims cannot hold: their value is beyond the margin")
        every = f"each of the other {len(within)}"
    for needed, what in (
        ([row.to_hold for row in within], f"{every} holds"),
        ([row.to_break for row in within], f"{every}, where it has changed so, is called broken"),
    ):
        known = [one.prompts for one in needed if one is not None]
        enough = [prompts for prompts in known if prompts is not None]
        if not enough:
            continue
        beyond = (
            f", but for {len(known) - len(enough)} too near the margin" if len(enough) < len(known) else ""
        )
        option = f": --lengthprobe-budget={max(enough)}" if max(enough) > source.looks[-1][0] else ""
        told.append(f"{what} after {max(enough):,} prompts a language{beyond}{option}")
    return told


def _curve(source: Basis, rows: list[Foretold]) -> list[str]:
    """The chance of the claim that needs most prompts to hold, by the number of prompts, as bars."""
    open_rows = [row for row in rows if row.to_hold is not None]
    if not open_rows:
        return []
    hardest = max(open_rows, key=lambda row: (row.to_hold and row.to_hold.prompts) or math.inf).expected
    of = f", {hardest.language}" if hardest.language else ""
    found = [f"chance that {printable(hardest.claim)}{of} holds, by prompts a language"]
    last = source.looks[-1][0]
    for prompts, part in (*source.looks, *((more, looks(more)[-1].part) for more in _BEYOND if more > last)):
        chance = hardest.sides.chance_to_hold(hardest.spread, hardest.topics(prompts), part)
        found.append(f"{prompts:6,} {'█' * round(_BAR * chance):<{_BAR}} {100 * chance:.0f} %")
    return found


def _told(needed: Needed | None, otherwise: str) -> str:
    if needed is None:
        return otherwise
    if needed.topics is None or needed.prompts is None:
        return "too near the margin"
    minutes = "" if needed.minutes is None else f", {max(1, math.ceil(needed.minutes))} min"
    return f"{needed.topics:,} topics, {needed.prompts:,} prompts{minutes}"


def _in_unit(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value + 0.0:.3g} %"
    return f"{value + 0.0:.3g} {unit}"
