"""The figures of a report, each with its title, its caption and its drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.portraits.portrait import Portrait
    from lengthprobe.reporting.svg import Drawing


@dataclass(frozen=True, slots=True)
class Plate:
    """A figure of a report.

    Args:
        name: The name of the file, without the suffix.
        title: The title.
        caption: How to read the figure.
        drawing: The figure itself.
    """

    name: str
    title: str
    caption: str
    drawing: Drawing


def plates(portraits: Mapping[str, Portrait]) -> tuple[Plate, ...]:
    """The figures for which values were measured, in the order of the page.

    Args:
        portraits: The portrait of each checkpoint, by role. A portrait without a language draws nothing.
    """
    if not any(portrait.get("languages") for portrait in portraits.values()):
        return ()
    from lengthprobe.reporting.figures import (
        by_layer,
        by_length,
        causes,
        faithfulness,
        head_map,
        number_swap,
        one_response,
    )
    from lengthprobe.reporting.svg import draw_svg, style

    drawn = []
    with style():
        for room in (by_layer, number_swap, causes, faithfulness, by_length, head_map, one_response):
            figure = room.figure(portraits)
            if figure is not None:
                shown = draw_svg(figure, room.NAME.replace("_", "-"), room.TITLE)
                drawn.append(Plate(room.NAME, room.TITLE, room.caption(portraits), shown))
    return tuple(drawn)


NAMES = (
    *("cwa_by_layer", "number_swap", "causes", "faithfulness"),
    *("cwa_by_length", "head_map", "one_response"),
)
