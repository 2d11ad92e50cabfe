"""Power curves: how often a gate passes and is called broken, by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate_answers import Pair
from gate_rules import RULES
from gate_scenarios import Gate

from lengthprobe.reporting.figures.axes import WIDTH, sheet
from lengthprobe.reporting.palette import BLUE, GREY, INK, VERMILLION
from lengthprobe.reporting.svg import draw_svg, style

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gate_answers import Design
    from gate_scenarios import Row
    from numpy.random import Generator

_COMMON, _RATE = 0.5, 0.97
_FALLS = (0.0, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2)
# Colour, dash and marker of each rule drawn.
_LINES = {
    "one look at 150": (GREY, ":", "s"),
    "one look at 300": (GREY, "-", "D"),
    "four looks": (BLUE, "-", "o"),
    "betting, mixture": (VERMILLION, ":", "v"),
    "hybrid": (VERMILLION, "-", "^"),
}


def draw(path: Path, good: Sequence[Row], asked: Design, repeats: int, rng: Generator) -> None:
    """Write the picture: gates that pass by the rate of exact answers, and by the fall, and gates broken."""
    rules = [rule for rule in RULES if rule.name in _LINES]
    falls = {
        fall: Gate(Pair(1 - _RATE, more=fall, common=_COMMON), asked, repeats, rng, rules) for fall in _FALLS
    }
    with style():
        figure = sheet(WIDTH, 3.4)
        panels = figure.subplots(1, 3, sharey=True)
        for rule, (colour, dash, marker) in _LINES.items():
            passes = {
                row["rate"]: row["passes"]
                for row in good
                if (row["rule"], row["common"], row["misses"]) == (rule, _COMMON, "on all wordings")
            }
            points = [
                ([100 * rate for rate in passes], list(passes.values())),
                *(
                    ([100 * fall for fall in falls], [gate.row(rule)[what] for gate in falls.values()])
                    for what in ("passes", "broken")
                ),
            ]
            for axes, (across, up) in zip(panels, points, strict=True):
                axes.plot(across, up, color=colour, linestyle=dash, marker=marker, label=rule, linewidth=1.3)
        titles = ("As good as the reference", "Worse than the reference", "Worse than the reference")
        labels = (
            "exact answers of both, %",
            "fall in exact answers, points",
            "fall in exact answers, points",
        )
        for axes, title, label in zip(panels, titles, labels, strict=True):
            axes.set_title(title, color=INK)
            axes.set_xlabel(label)
            axes.grid(visible=True, axis="y")
            axes.tick_params(length=0)
            axes.set_ylim(-3, 103)
        for axes in panels[1:]:
            # The margin on the fall.
            axes.axvline(5, color=GREY, linewidth=0.9)
        panels[0].set_xticks([85, 90, 95, 100])
        panels[0].set_ylabel("gates that pass, %")
        panels[1].set_ylabel("gates that pass, %")
        panels[2].set_ylabel("gates called broken, %")
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(names))
        drawing = draw_svg(figure, "power", "Shares of gates that pass and that are called broken, by rule")
    path.write_text(drawing.file, encoding="utf-8")
