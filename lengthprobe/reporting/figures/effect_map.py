"""The effect of ablating each head and MLP, layer by layer, on a common scale of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Rectangle

from lengthprobe.components.layers import late_layers
from lengthprobe.reporting.figures.axes import WIDTH, draw_heading, sheet
from lengthprobe.reporting.figures.head_map import colour_bar, panel, scale_of, strongest
from lengthprobe.reporting.figures.portraits import grid
from lengthprobe.reporting.palette import VERMILLION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

NAME = "effect_map"
TITLE = "Effect of ablating every head and MLP"
_HEAD, _MLPS = 0.22, 0.12


def caption() -> str:
    """The caption: how to read the figure."""
    return (
        "A cell is one head; at the right, one MLP. A row is one layer, the last on top. Blue: without this "
        "component, so many answers in a hundred are no longer exact. Framed cells were measured on every "
        "prompt. The others are foretold from the model's own answers. White: no change is foretold."
    )


def figure(shown: Mapping[str, Any]) -> Figure:
    """The map.

    Args:
        shown: `title`; `heads`, [L, H], and `mlps`, [L], the fall of exact match as a share, None where it is
            not known; `measured`, the places of the cells that were measured: (layer, head), None for an MLP.
    """
    heads = 100 * grid(shown["heads"])
    mlps = 100 * grid([[value] for value in shown["mlps"]])
    n_layers = len(heads)
    most = max(float(np.nanmax(np.abs(np.nan_to_num(values)), initial=0)) for values in (heads, mlps)) or 1.0
    scale, late = scale_of(most), list(late_layers(n_layers))
    height = min(6.0, max(1.8, 0.32 * n_layers))
    drawing = sheet(WIDTH, height + _HEAD + 1.1)
    places = drawing.add_gridspec(2, 2, height_ratios=[_HEAD, height], width_ratios=[1 - _MLPS, _MLPS])
    draw_heading(drawing.add_subplot(places[0, :]), shown["title"])
    left, right = drawing.add_subplot(places[1, 0]), drawing.add_subplot(places[1, 1])
    panel(left, heads, scale, late, strongest(heads))
    panel(right, mlps, scale, late, "")
    right.set_xlabel("MLP")
    right.set_ylabel("")
    right.set_xticks([])
    _frame(left, heads, [place for place in shown["measured"] if place[1] is not None])
    _frame(right, mlps, [(layer, 0) for layer, head in shown["measured"] if head is None])
    colour_bar(drawing, [left, right], scale, "fall of exact match, percentage points")
    return drawing


def _frame(axes: Axes, means: NDArray[np.float64], places: Sequence[tuple[int, int]]) -> None:
    """Frame the cells at some places."""
    n_layers, n_heads = means.shape
    for layer, head in places:
        if layer < n_layers and head < n_heads:
            axes.add_patch(
                Rectangle((head - 0.46, layer - 0.46), 0.92, 0.92, fill=False, edgecolor=VERMILLION)
            )
