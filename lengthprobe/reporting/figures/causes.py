"""Control of the length without the components that lead by CWA, beside the controls for comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from lengthprobe.reporting.figures.axes import WIDTH, draw_heading, sheet, zero
from lengthprobe.reporting.figures.portraits import label, language_name, languages, roles, triples
from lengthprobe.reporting.palette import BLUE, GREY, INK, LATE
from lengthprobe.untrusted_text import escaped_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lengthprobe.portraits.portrait import BesideWhole, Causes, Portrait, RandomSets

NAME = "causes"
TITLE = "What is left of the control without the leading components"
_KINDS = {"heads": "heads", "mlps": "MLPs"}
_HEAD, _ROW = 0.42, 2.0
_WHOLE: Any = {"color": INK, "linestyle": (0, (4, 2)), "linewidth": 1.1}
_NAMED = 8
# The distance of the random sets from k, and from each other, as shares of a panel.
_BESIDE, _STREWN = 0.035, 0.009
# The least distance of two numbers below a panel, as a share of the panel.
_NUMBERS_APART = 0.05
# Room on either side of a panel, as a factor on the axis of k.
_ROOM = 1.35


def caption(portraits: Mapping[str, Portrait]) -> str:  # noqa: ARG001
    """The caption: how to read the figure."""
    return (
        "How many answers stay exact when components are cut. Dashed: the whole model. Blue: without the 1, "
        "2, 4, … components that lead by CWA. The large dot is the number that the claim takes; the others "
        "are of at most 25 prompts. Grey: without as many random components of similar size. A small dot is "
        "one set, the diamond their mean. The leading components are needed where blue lies far below grey. "
        "On the right, the square is the model with only these components left in the late layers. A dot "
        "there is another language without them. Intervals are over the topics that chose no component."
    )


def figure(portraits: Mapping[str, Portrait]) -> Figure | None:
    """A row of panels for each checkpoint, language and kind measured by a claim; None without any."""
    rows = list(_rows(portraits))
    if not rows:
        return None
    drawing = sheet(WIDTH, (_HEAD + _ROW) * len(rows) + 0.6)
    places = drawing.add_gridspec(
        2 * len(rows), 2, height_ratios=[_HEAD, _ROW] * len(rows), width_ratios=[1.7, 1]
    )
    several = len({role for role, *_ in rows}) > 1
    for row, (role, language, kind, causes) in enumerate(rows):
        whose = f"{label(portraits, role)}, " if several else ""
        title = f"{whose}{language_name(language)}: {_KINDS.get(kind, escaped_text(kind, 24))}"
        draw_heading(drawing.add_subplot(places[2 * row, :]), title, _below(causes))
        left = drawing.add_subplot(places[2 * row + 1, 0])
        right = drawing.add_subplot(places[2 * row + 1, 1], sharey=left)
        draw_curve(left, causes)
        left.set_ylabel("exact answers, %")
        _points(right, causes)
        right.tick_params(labelleft=False)
        if row == len(rows) - 1:
            left.set_xlabel("components cut (k)")
    drawing.legend(
        *_legend(), loc="outside upper left", ncols=4, handlelength=2.2, labelcolor=INK, borderaxespad=0.2
    )
    return drawing


def draw_curve(axes: Axes, found: Causes) -> None:
    """Draw control over the number of components cut, beside control of the whole model and of random sets.

    Args:
        axes: The panel.
        found: The values of a portrait for a kind of components in a language.
    """
    _frame(axes)
    _whole(axes, found)
    without, beside = found.get("without"), found.get("random")
    sizes = sorted(int(k) for k in without["by_k"]) if without else []
    if without:
        mean, low, high = 100 * triples([without["by_k"][str(k)] for k in sizes]).T
        axes.fill_between(sizes, low, high, color=BLUE, alpha=0.18, linewidth=0)
        axes.plot(sizes, mean, color=BLUE, marker="o", zorder=3)
        index = sizes.index(without["k"])
        axes.plot(sizes[index], mean[index], color=BLUE, marker="o", markersize=9, zorder=3)
    if beside and not sizes:
        sizes = [beside["k"]]
    axes.set_xscale("log", base=2)
    left, right = (sizes or [1])[0] / _ROOM, (sizes or [1])[-1] * _ROOM
    axes.set_xlim(left, right)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(sizes, [_tick(k, without["k"] if without else k, right / left) for k in sizes])
    if beside:
        _random(axes, beside, right / left)


def _tick(k: int, claimed: int, width: float) -> str:
    """The number of components as a label of its tick; empty where the claim's number is too near."""
    apart = abs(np.log(k / claimed)) / np.log(width)
    return "" if 0 < apart < _NUMBERS_APART else str(k)


def _random(axes: Axes, random_sets: RandomSets, width: float) -> None:
    """Draw the random sets beside k, each as a dot, and their mean with its interval.

    Args:
        axes: The panel.
        random_sets: The random sets.
        width: The ratio of the axis's right end to its left end.
    """
    sets = 100 * np.array(random_sets["sets"], dtype=float)
    # Strewn sideways, so that sets with the same control do not hide each other.
    positions = random_sets["k"] * width ** (_BESIDE + _STREWN * (np.arange(len(sets)) % 3 - 1))
    axes.plot(positions, sets, color=GREY, linestyle="", marker="o", markersize=2.6, alpha=0.7)
    mean, low, high = 100 * triples([random_sets["without"]])[0]
    place = random_sets["k"] * width ** (2 * _BESIDE)
    axes.vlines(place, low, high, color=GREY, linewidth=1.8)
    axes.plot(place, mean, color=GREY, marker="D", markersize=5.5, linestyle="")


def _points(axes: Axes, causes: Causes) -> None:
    """Draw the values at k only: these components alone left late, and other languages without them."""
    _frame(axes)
    named: list[str] = []
    if only := causes.get("only"):
        _point(axes, 0, only["with_only"], only["whole"], "s")
        named.append("only these\nleft late")
    for other, values in causes.get("elsewhere", {}).items():
        _point(axes, len(named), values["without"], values["whole"], "o")
        named.append(f"{language_name(other)}\nwithout these")
    axes.set_xticks(range(len(named)), named)
    axes.set_xlim(-0.6, max(len(named), 2) - 0.4)
    axes.set_visible(bool(named))


def _point(
    axes: Axes, place: int, values: Sequence[float | None], whole: Sequence[float | None], marker: str
) -> None:
    mean, low, high = 100 * triples([values])[0]
    axes.hlines(100 * triples([whole])[0, 0], place - 0.28, place + 0.28, **_WHOLE)
    axes.vlines(place, low, high, color=BLUE, linewidth=1.8)
    axes.plot(place, mean, color=BLUE, marker=marker, markersize=7, linestyle="", zorder=3)


def _whole(axes: Axes, causes: Causes) -> None:
    """Draw the control of the whole model, across the panel."""
    if first := _first(causes):
        mean, low, high = 100 * triples([first["whole"]])[0]
        axes.axhspan(low, high, facecolor=LATE, edgecolor="none", zorder=0)
        axes.axhline(mean, zorder=2, **_WHOLE)


def _first(causes: Causes) -> BesideWhole | None:
    """The first values with the control of the whole model, None where only other languages were measured."""
    every = (causes.get("only"), causes.get("random"), causes.get("without"))
    return next((values for values in every if values), None)


def _frame(axes: Axes) -> None:
    zero(axes)
    axes.set_ylim(-7, 107)
    axes.set_yticks(range(0, 101, 25))


def _legend() -> tuple[list[Artist], list[str]]:
    handles: list[Artist] = [
        Line2D([], [], **_WHOLE),
        Line2D([], [], color=BLUE, marker="o"),
        Line2D([], [], color=GREY, marker="D", markersize=5.5),
    ]
    return handles, ["whole model", "without the leading k", "without random ones of similar size"]


def _below(causes: Causes) -> str:
    """The line under a heading: prompts and topics, and the leading components."""
    first = _first(causes)
    said = [f"{first['n']} prompts, {first['clusters']} topics"] if first else []
    if without := causes.get("without"):
        leading = [escaped_text(str(name), 16) for name in without["leading"][: without["k"]]]
        more = f" and {len(leading) - _NAMED} more" if len(leading) > _NAMED else ""
        said.append(f"leading: {', '.join(leading[:_NAMED])}{more}")
    if beside := causes.get("random"):
        said.append(f"output norm of the random sets: {100 * beside['length']:.0f} % of theirs")
    return "; ".join(said)


def _rows(
    portraits: Mapping[str, Portrait],
) -> Iterator[tuple[str, str, str, Causes]]:
    """Role, language and kind of all measured causes, with their values."""
    for role in roles(portraits):
        for language in languages(portraits):
            for kind, causes in portraits[role].get("causes", {}).get(language, {}).items():
                yield role, language, kind, causes
