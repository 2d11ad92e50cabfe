"""Elements shared by the panels of several figures: a line at zero, late layers, a legend, a head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import blended_transform_factory

from lengthprobe.reporting.figures.portraits import (
    LINES,
    label,
    language_name,
    late_layers_of_portraits,
    roles,
)
from lengthprobe.reporting.palette import INK, LATE, MUTED, RULE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from lengthprobe.portraits.portrait import Portrait

WIDTH = 9.2
_HANDLE, _LETTERS_ACROSS = 9, 12.5


def sheet(width: float, height: float) -> Figure:
    """An empty figure whose panels keep their distance.

    Args:
        width: The width in inches.
        height: The height in inches.
    """
    room = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, wspace=0.045, hspace=0.04)
    return Figure(figsize=(width, height), layout=room)


def width_of(codes: Sequence[str]) -> float:
    """The width of a figure with a column of panels for each language."""
    return max(WIDTH, WIDTH / 2.2 * len(codes))


def head(axes: Axes, portraits: Mapping[str, Portrait], language: str) -> None:
    """Write the language of a panel and the number of prompts above the panel."""
    axes.set_title(language_name(language), color=INK)
    first = portraits[roles(portraits, language)[0]]["languages"][language]
    counted = f"{first['n']} prompts, {first['clusters']} topics"
    axes.set_title(counted, loc="right", color=MUTED, fontsize=7.5, fontweight="normal")


def draw_heading(axes: Axes, text: str, below: str = "") -> None:
    """Write a heading above a block of panels, from the figure's left edge on.

    Args:
        axes: An empty place above the panels, and as wide as the panels.
        text: The heading.
        below: A line under the heading.
    """
    axes.set_axis_off()
    across = blended_transform_factory(axes.figure.transFigure, axes.transAxes)
    # No text makes the panels narrower.
    common: dict[str, Any] = {"transform": across, "va": "bottom", "in_layout": False}
    axes.text(0.012, 0.62 if below else 0.1, text, fontsize=9.5, weight="bold", **common)
    axes.text(0.012, 0.02, below, color=MUTED, style="italic", **common)


def zero(axes: Axes) -> None:
    """Draw the line at zero."""
    axes.axhline(0, color=MUTED, linewidth=0.9, zorder=1.5)
    axes.grid(visible=True, axis="y")
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)


def mark_late(axes: Axes, portraits: Mapping[str, Portrait]) -> None:
    """Shade the late layers."""
    if layers := late_layers_of_portraits(portraits):
        axes.axvspan(layers[0] - 0.5, layers[-1] + 0.5, facecolor=LATE, edgecolor="none", zorder=0)


def legend(figure: Figure, portraits: Mapping[str, Portrait], *, late: bool = False) -> None:
    """Draw the legend above the panels: the line of each role, and the shade of the late layers."""
    shown = roles(portraits)
    handles: list[Artist] = [
        Line2D([], [], color=LINES[role].colour, linestyle=LINES[role].dash, marker=LINES[role].marker)
        for role in shown
    ]
    names = [label(portraits, role) for role in shown]
    if late and late_layers_of_portraits(portraits):
        handles.append(Patch(facecolor=LATE, edgecolor=RULE))
        names.append("late layers")
    # Names that are too long for one line stand below each other.
    fits = sum(len(name) + _HANDLE for name in names) < _LETTERS_ACROSS * figure.get_figwidth()
    figure.legend(
        handles, names,
        loc="outside upper left", ncols=len(names) if fits else 1, handlelength=2.8, labelcolor=INK,
        borderaxespad=0.2,
    )  # fmt: skip


def frame(axes: Axes) -> None:
    """Leave only the colours of a map."""
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(RULE)
