"""CWA of each component against the effect of ablating this component alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from lengthprobe.reporting.figures.axes import WIDTH, sheet, zero
from lengthprobe.reporting.figures.portraits import grid, label, language_name, languages, roles, triples
from lengthprobe.reporting.palette import BLUE, INK, MUTED, VERMILLION
from lengthprobe.untrusted_text import escaped_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from lengthprobe.portraits.portrait import Faithfulness, Portrait

NAME = "faithfulness"
TITLE = "Attribution against cause, component by component"
_ACROSS, _ROW = 2, 3.3
# The height of a line above a panel, in points.
_LINE = 11.5
_HEADS: Any = {"color": BLUE, "marker": "o"}
_MLPS: Any = {"color": VERMILLION, "marker": "s"}
# The most components named, and the size of a name as shares of a panel. No name covers a name or a point.
_NAMED, _SIZE = 12, (0.1, 0.06)


def caption(portraits: Mapping[str, Portrait]) -> str:  # noqa: ARG001
    """The caption: how to read the figure."""
    return (
        "Each point is one component. Farther right: the component gives more to the tokens that keep to the "
        "length (CWA). Higher: without this component alone, the answers get worse by so many words. Where "
        "attribution tells the cause, points rise from left to right. A point far right at height zero gives "
        "what is not needed. A high point on the left works through other components. The interval of the "
        "rank correlation is over components. All values are in report.json."
    )


def figure(portraits: Mapping[str, Portrait]) -> Figure | None:
    """A panel for each checkpoint and language with measured faithfulness; None without any."""
    shown = list(_shown(portraits))
    if not shown:
        return None
    down = -(-len(shown) // _ACROSS)
    drawing = sheet(WIDTH, _ROW * down + 0.5)
    panels = drawing.subplots(down, _ACROSS, squeeze=False).ravel()
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    several = len({role for role, *_ in shown}) > 1
    for axes, (role, language, faithfulness) in zip(panels, shown, strict=False):
        _panel(axes, faithfulness)
        # Each text has its own line: a long name would run into the text beside.
        below = [_correlation(faithfulness), *([label(portraits, role)] if several else [])]
        axes.set_title(language_name(language), color=INK, pad=6 + _LINE * len(below))
        for line, text in enumerate(below):
            axes.annotate(
                text, (0, 1), xytext=(0, 5 + _LINE * line), xycoords="axes fraction",
                textcoords="offset points", color=MUTED, fontsize=7.5, va="baseline",
            )  # fmt: skip
        axes.set_xlabel("CWA, logits")
    for axes in panels[::_ACROSS]:
        axes.set_ylabel("|error| without it, words more")
    handles = [Line2D([], [], linestyle="", **look) for look in (_HEADS, _MLPS)]
    drawing.legend(
        handles, ["head", "MLP"], loc="outside upper left", ncols=2, labelcolor=INK, borderaxespad=0.2
    )
    return drawing


def _panel(axes: Axes, faithfulness: Faithfulness) -> None:
    zero(axes)
    axes.axvline(0, color=MUTED, linewidth=0.9, zorder=1.5)
    names = list(faithfulness["components"])
    places = grid(list(faithfulness["components"].values())).reshape(-1, 2)
    is_mlp = np.array([name.startswith("MLP") for name in names], dtype=bool)
    for mask, look in ((~is_mlp, _HEADS), (is_mlp, _MLPS)):
        axes.plot(*places[mask].T, linestyle="", alpha=0.85, zorder=3, **look)
    axes.margins(x=0.12, y=0.12)
    for index, side in _named(places).items():
        axes.annotate(
            escaped_text(names[index], 16), places[index], xytext=(5 * side, 3), textcoords="offset points",
            ha="left" if side > 0 else "right", fontsize=7.5,
        )  # fmt: skip


def _named(places: NDArray[np.float64]) -> dict[int, int]:
    """The components that stand out, the farthest from zero first, with the side of each name (1 or -1)."""
    spans = np.ptp(np.vstack([np.nan_to_num(places), [[0, 0]]]), axis=0)
    scaled, size = places / np.where(spans > 0, spans, 1), np.array(_SIZE)
    chosen: dict[int, int] = {}
    taken = np.empty((0, 2))
    for index in np.argsort(-np.nan_to_num(np.hypot(*scaled.T)), kind="stable"):
        others = np.delete(scaled, index, axis=0)
        for side in (1, -1) if np.isfinite(scaled[index]).all() and len(chosen) < _NAMED else ():
            middle = scaled[index] + [side * size[0] / 2, size[1] / 2]
            if _is_free(middle, taken, size) and _is_free(middle, others, size / 2):
                chosen[int(index)], taken = side, np.vstack([taken, middle])
                break
    return chosen


def _is_free(middle: NDArray[np.float64], others: NDArray[np.float64], apart: NDArray[np.float64]) -> bool:
    return not (np.abs(others - middle) < apart).all(1).any()


def _correlation(faithfulness: Faithfulness) -> str:
    mean, low, high = triples([faithfulness["correlation"]])[0]
    if not np.isfinite(mean):
        return f"{len(faithfulness['components'])} components"
    known = f" ({_signed(low)} to {_signed(high)})" if np.isfinite([low, high]).all() else ""
    return f"rank correlation {_signed(mean)}{known}"


def _signed(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def _shown(portraits: Mapping[str, Portrait]) -> Iterator[tuple[str, str, Faithfulness]]:
    for role in roles(portraits):
        for language in languages(portraits):
            if faithfulness := portraits[role].get("faithfulness", {}).get(language):
                yield role, language, faithfulness
