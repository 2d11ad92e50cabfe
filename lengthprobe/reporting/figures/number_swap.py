"""The stop because of the number, layer by layer, beside CWA."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from lengthprobe.reporting.figures.axes import WIDTH, draw_heading, legend, mark_late, sheet, zero
from lengthprobe.reporting.figures.portraits import LINES, language_name, languages, roles, triples
from lengthprobe.reporting.palette import MUTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lengthprobe.portraits.portrait import ByLayer, OfSwap, Portrait, Together

NAME = "number_swap"
TITLE = "The stop because of the number, beside CWA"
# Two pairs of panels, for heads and for MLPs: CWA (writing the words) and number swap (ending them).
_PANELS: tuple[tuple[OfSwap, ByLayer, Together, str, str], ...] = (
    ("cwa", "heads_by_layer", "late_heads", "heads: CWA", "late heads"),
    ("number_swap", "heads_by_layer", "late_heads", "heads: number swap", "late heads"),
    ("cwa", "mlps_by_layer", "final_mlp", "MLP: CWA", "final MLP"),
    ("number_swap", "mlps_by_layer", "final_mlp", "MLP: number swap", "final MLP"),
)
_HEAD, _ROW = 0.42, 1.9
# In points, from the panel up to the name above the share.
_BELOW_NAME = 15
_MARKERS = 8


def caption(portraits: Mapping[str, Portrait]) -> str:  # noqa: ARG001
    """The caption: how to read the figure."""
    return (
        "Two measures stand side by side. CWA: what a layer gives to the tokens that keep to the length. "
        "Number swap: how much a layer calls for the end of the answer because of the number in the prompt. "
        "Both are shares of all components, with intervals over topics. The bold number is the share of the "
        "first checkpoint's late heads together, or of its final MLP. High under CWA and zero under number "
        "swap: the layer writes words, whatever the number is."
    )


def figure(portraits: Mapping[str, Portrait]) -> Figure | None:
    """A row of panels for each language; None where no claim has measured the number swap."""
    drawn = {role: portraits[role] for role in roles(portraits) if portraits[role].get("number_swap")}
    codes = [
        code
        for code in languages(portraits)
        if any(code in portrait["number_swap"] for portrait in drawn.values())
    ]
    if not codes:
        return None
    drawing = sheet(WIDTH, (_HEAD + _ROW) * len(codes) + 0.7)
    places = drawing.add_gridspec(2 * len(codes), len(_PANELS), height_ratios=[_HEAD, _ROW] * len(codes))
    panels: list[Axes] = []
    for row, code in enumerate(codes):
        measured = {
            role: portrait["number_swap"][code]
            for role, portrait in drawn.items()
            if code in portrait["number_swap"]
        }
        first = next(iter(measured.values()))
        counted = f"{int(first['n'])} prompts, {int(first['clusters'])} topics"
        draw_heading(drawing.add_subplot(places[2 * row, :]), language_name(code), counted)
        for column, (kind, component, together, name, of) in enumerate(_PANELS):
            # Heads have one scale and MLPs have one, so that pairs and languages can be compared.
            scale = panels[2 * (column // 2)] if len(panels) > 2 * (column // 2) else None
            axes = drawing.add_subplot(places[2 * row + 1, column], sharey=scale)
            panels.append(axes)
            mark_late(axes, drawn)
            zero(axes)
            for role in reversed(measured):
                draw_line(axes, role, measured[role][kind][component])
            _titles(axes, name, of, triples([first[kind][together]])[0, 0])
            axes.tick_params(labelleft=column % 2 == 0)
            axes.set_xlim(-0.5, max(portrait["n_layers"] for portrait in drawn.values()) - 0.5)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
            if row == len(codes) - 1:
                axes.set_xlabel("layer")
        panels[-len(_PANELS)].set_ylabel("share of all components, %")
    legend(drawing, drawn, late=True)
    return drawing


def draw_line(axes: Axes, role: str, rows: list[list[float | None]]) -> None:
    """Draw shares by layer, in percent, with their intervals.

    Args:
        axes: Where to.
        role: Whose they are.
        rows: Mean, low and high of each layer.
    """
    mean, low, high = 100 * triples(rows).T
    layers, line = np.arange(len(mean)), LINES[role]
    axes.fill_between(layers, low, high, color=line.colour, alpha=0.18, linewidth=0)
    axes.plot(
        layers, mean, color=line.colour, linestyle=line.dash,
        marker=line.marker, markevery=max(1, len(layers) // _MARKERS),
    )  # fmt: skip


def _titles(axes: Axes, name: str, of: str, share: float) -> None:
    # On a line each: beside each other they run into one another.
    axes.set_title(name, color=MUTED, fontsize=8, fontweight="normal", pad=_BELOW_NAME)
    if np.isfinite(share):
        # Adding zero takes the sign from a zero that was rounded into minus zero.
        said = f"{of} {round(100 * share, 1) + 0.0:.1f} %".replace("-", "−")
        axes.annotate(
            said, (0, 1), xytext=(0, 4), xycoords="axes fraction", textcoords="offset points",
            fontsize=8, fontweight="bold", va="baseline",
        )  # fmt: skip
