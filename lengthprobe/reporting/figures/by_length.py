"""CWA by the number of words asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lengthprobe.reporting.figures.axes import head, legend, sheet, width_of, zero
from lengthprobe.reporting.figures.portraits import LINES, languages, roles, triples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lengthprobe.portraits.portrait import ByLength, Portrait

NAME = "cwa_by_length"
TITLE = "Attribution by the number of words asked for"
_COMPONENTS: tuple[tuple[ByLength, str], ...] = (
    ("final_mlp_by_length", "final MLP"),
    ("late_heads_by_length", "late heads"),
)
_APART = 0.14


def caption(portraits: Mapping[str, Portrait]) -> str:  # noqa: ARG001
    """The caption: how to read the figure."""
    return (
        "Each point is the mean over the prompts that ask for so many words, with its interval over topics. "
        "A sum over steps grows with the response. A component that wrote the response lies above zero and "
        "rises from left to right."
    )


def figure(portraits: Mapping[str, Portrait]) -> Figure | None:
    """A column of panels for each language: the final MLP above, the late heads below."""
    codes = languages(portraits)
    drawing = sheet(width_of(codes), 4.6)
    panels = drawing.subplots(len(_COMPONENTS), len(codes), sharex="col", sharey="row", squeeze=False)
    for row, (component, name) in zip(panels, _COMPONENTS, strict=True):
        for axes, language in zip(row, codes, strict=True):
            zero(axes)
            _panel(axes, portraits, language, component)
        row[0].set_ylabel(f"CWA of the {name}, logits")
    for axes, language in zip(panels[0], codes, strict=True):
        head(axes, portraits, language)
    for axes in panels[-1]:
        axes.set_xlabel("words asked for (N)")
    legend(drawing, portraits)
    return drawing


def _panel(axes: Axes, portraits: Mapping[str, Portrait], language: str, component: ByLength) -> None:
    shown, all_lengths = roles(portraits, language), set()
    for place, role in enumerate(shown):
        by_length = {int(n): row for n, row in portraits[role]["languages"][language][component].items()}
        lengths = sorted(by_length)
        all_lengths.update(lengths)
        mean, low, high = triples([by_length[n] for n in lengths]).T
        # Side by side, since intervals at one N would hide each other.
        positions, line = np.array(lengths) + _APART * (place - (len(shown) - 1) / 2), LINES[role]
        axes.plot(positions, mean, color=line.colour, linestyle=line.dash, marker=line.marker, linewidth=1.1)
        axes.vlines(positions, low, high, color=line.colour, linewidth=1.6)
    axes.set_xticks(sorted(all_lengths))
