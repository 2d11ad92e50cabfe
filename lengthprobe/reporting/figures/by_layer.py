"""CWA by layer: the attention heads of each layer, and its MLP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from lengthprobe.reporting.figures.axes import head, legend, mark_late, sheet, width_of, zero
from lengthprobe.reporting.figures.portraits import LINES, languages, late_name, roles, triples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lengthprobe.portraits.portrait import ByLayer, Portrait

NAME = "cwa_by_layer"
TITLE = "Cumulative weighted attribution by layer"
_COMPONENTS: tuple[tuple[ByLayer, str], ...] = (
    ("heads_by_layer", "attention heads"),
    ("mlps_by_layer", "MLP"),
)
_MARKERS = 16


def caption(portraits: Mapping[str, Portrait]) -> str:
    """The caption: how to read the figure."""
    first = portraits[roles(portraits)[0]]
    said = (
        "Each point is one layer. Above zero, the layer pushed for the tokens that keep to the requested "
        "length; below zero, against them. The pushes are summed over the steps of a response. Bands are "
        f"intervals over topics. The late layers ({late_name(first)}) are shaded."
    )
    if "base" in roles(portraits):
        said += (
            " A model that runs past the requested length is below zero for that reason alone. The cap, here "
            f"{portraits['base']['cap']} tokens, decides how far below."
        )
    return said


def figure(portraits: Mapping[str, Portrait]) -> Figure | None:
    """A column of panels for each language: heads above, MLPs below, the same scale along a row."""
    codes = languages(portraits)
    drawing = sheet(width_of(codes), 5.2)
    panels = drawing.subplots(len(_COMPONENTS), len(codes), sharex="col", sharey="row", squeeze=False)
    for row, (component, name) in zip(panels, _COMPONENTS, strict=True):
        for axes, language in zip(row, codes, strict=True):
            mark_late(axes, portraits)
            zero(axes)
            _panel(axes, portraits, language, component)
        row[0].set_ylabel(f"CWA of the {name}, logits")
    for axes, language in zip(panels[0], codes, strict=True):
        head(axes, portraits, language)
    for axes in panels[-1]:
        axes.set_xlabel("layer")
        axes.set_xlim(-0.5, max(portraits[role]["n_layers"] for role in roles(portraits)) - 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
    legend(drawing, portraits, late=True)
    return drawing


def _panel(axes: Axes, portraits: Mapping[str, Portrait], language: str, component: ByLayer) -> None:
    for role in reversed(roles(portraits, language)):
        mean, low, high = triples(portraits[role]["languages"][language][component]).T
        layers, line = np.arange(len(mean)), LINES[role]
        axes.fill_between(layers, low, high, color=line.colour, alpha=0.18, linewidth=0)
        axes.plot(
            layers, mean, color=line.colour, linestyle=line.dash,
            marker=line.marker, markevery=max(1, len(layers) // _MARKERS),
        )  # fmt: skip
