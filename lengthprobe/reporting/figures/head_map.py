"""CWA of every head, layer by head, on a common scale of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import AsinhNorm, LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from lengthprobe.reporting.figures.axes import draw_heading, frame, sheet, width_of
from lengthprobe.reporting.figures.portraits import grid, label, language_name, languages, roles
from lengthprobe.reporting.palette import DIVERGING, MUTED, ON_DARK, ON_LIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from lengthprobe.portraits.portrait import Portrait

NAME = "head_map"
TITLE = "Attribution of every head"
_CELLS_WITH_NUMBERS = 96
_STRONGEST = 3
_PIXELS = 256
_FLATTER = 8
_DARK = 0.55
_HEAD = 0.22
# A row of a deep model must still be seen.
_LEAST_ROW = 0.06
# An odd number of colours, so that the middle colour is white.
COLOURS = LinearSegmentedColormap.from_list("against-for", DIVERGING, N=129)


def caption(portraits: Mapping[str, Portrait]) -> str:  # noqa: ARG001
    """The caption: how to read the figure."""
    return (
        "A cell is one head. A row is one layer, the last on top. Blue heads wrote for the requested length, "
        "orange heads against it, white heads neither. All panels share one scale, on which small values are "
        "spread. The late layers lie above the black line."
    )


def figure(portraits: Mapping[str, Portrait]) -> Figure | None:
    """A map for each checkpoint (in rows) and each language (in columns)."""
    shown, codes = roles(portraits), languages(portraits)
    maps = {
        (role, code): grid(portraits[role]["languages"][code]["head_map"])
        for role in shown
        for code in codes
        if code in portraits[role]["languages"]
    }
    most = max(float(np.abs(np.nan_to_num(values)).max(initial=0)) for values in maps.values()) or 1.0
    scale = scale_of(most)
    n_layers = max(values.shape[0] for values in maps.values())
    height = max(1.6, min(3.0, 0.32 * n_layers), _LEAST_ROW * n_layers)
    drawing = sheet(width_of(codes), (height + _HEAD + 0.5) * len(shown) + 0.6)
    places = drawing.add_gridspec(2 * len(shown), len(codes), height_ratios=[_HEAD, height] * len(shown))
    panels = []
    for row, role in enumerate(shown):
        draw_heading(drawing.add_subplot(places[2 * row, :]), label(portraits, role))
        for column, code in enumerate(codes):
            if (role, code) in maps:
                panels.append(drawing.add_subplot(places[2 * row + 1, column]))
                means = maps[role, code]
                panel(panels[-1], means, scale, portraits[role]["late_layers"], strongest(means))
                panels[-1].set_title(language_name(code), fontsize=8.5, fontweight="normal", pad=5)
    colour_bar(drawing, panels, scale, "CWA, logits")
    return drawing


def scale_of(most: float) -> AsinhNorm:
    """A scale of colours from `-most` to `most`.

    The scale is linear about zero and flatter towards the ends: the largest value of a map must not bleach
    the other maps.
    """
    return AsinhNorm(most / _FLATTER, -most, most)


def colour_bar(figure: Figure, panels: list[Axes], scale: AsinhNorm, label: str) -> None:
    """Draw the scale of colours below some panels."""
    bar = figure.colorbar(
        ScalarMappable(scale, COLOURS), ax=panels, location="bottom", shrink=0.5, aspect=40, pad=0.02
    )
    ticks = _ticks(float(scale.vmax or 1.0))
    bar.set_ticks(ticks, labels=[_tick(tick) for tick in ticks])
    bar.set_label(label, color=MUTED)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    bar.ax.minorticks_off()


def panel(axes: Axes, means: NDArray[np.float64], scale: AsinhNorm, late: list[int], note: str) -> None:
    """Draw a map: layer by head, the last layer on top, with the numbers where there is room for them.

    Args:
        axes: The panel.
        means: The values of the cells, [L, H]; NaN for an unknown value.
        scale: The scale of colours.
        late: The late layers, which lie above a line.
        note: A text above the map's right end.
    """
    n_layers, n_heads = means.shape
    # Whole pixels for every cell: then a viewer that smooths an enlarged picture has nothing to smooth.
    pixels = means.repeat(-(-_PIXELS // n_layers), axis=0).repeat(-(-_PIXELS // n_heads), axis=1)
    axes.imshow(
        pixels, cmap=COLOURS, norm=scale, origin="lower", aspect="auto", interpolation="none",
        extent=(-0.5, n_heads - 0.5, -0.5, n_layers - 0.5),
    )  # fmt: skip
    if late and late[0] > 0:
        axes.axhline(late[0] - 0.5, color=ON_LIGHT, linewidth=0.9)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    frame(axes)
    axes.set_xlabel("head")
    axes.set_ylabel("layer")
    axes.set_title(note, loc="right", color=MUTED, fontsize=7.5, fontweight="normal", pad=5)
    if means.size <= _CELLS_WITH_NUMBERS:
        for layer, one_head in np.ndindex(means.shape):
            value = float(means[layer, one_head])
            red, green, blue, _ = COLOURS(scale(np.nan_to_num(value)))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < _DARK
            axes.text(
                one_head, layer, _signed(value), ha="center", va="center", fontsize=7.5,
                color=ON_DARK if dark else ON_LIGHT,
            )  # fmt: skip


def _ticks(most: float) -> list[float]:
    """Zero, and on both sides the largest round number on the scale and a quarter of this number."""
    unit = 10.0 ** np.floor(np.log10(most))
    largest = float(np.floor(most / unit) * unit)
    above = [largest / 4, largest]
    return [*(-tick for tick in reversed(above)), 0.0, *above]


def _tick(value: float) -> str:
    return f"{value:+g}".replace("-", "−") if value else "0"


def strongest(means: NDArray[np.float64]) -> str:
    """The heads with the largest CWA by name, since no reader counts to row 30."""
    order = np.argsort(-np.abs(np.nan_to_num(means)), axis=None, kind="stable")[:_STRONGEST]
    named = [divmod(int(place), means.shape[1]) for place in order]
    return "strongest " + ", ".join(f"L{layer}H{head} {_signed(means[layer, head])}" for layer, head in named)


def _signed(value: float) -> str:
    if np.isnan(value):
        return ""
    rounded = round(float(value), 1) + 0.0
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0"
