"""Background: what stands behind an estimate of one part among many, for a reader of a claim that failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MOST = 5


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """The parts of a model beside the one that was estimated, and the estimate's controls.

    Args:
        name: The estimate.
        parts: The mean of each part, by its name.
        controls: Gives the mean of each control, by its name; asked when it is to be shown.
    """

    name: str
    parts: Mapping[str, float]
    controls: Callable[[], Mapping[str, float]]

    def lines(self) -> list[str]:
        """The largest parts, and the controls."""
        largest = sorted(self.parts.items(), key=lambda part: (-abs(part[1]), part[0]))[:_MOST]
        told = {"largest parts": dict(largest), "controls": self.controls()}
        return [f"{self.name}: {what}: {_listed(values)}" for what, values in told.items() if values]


def background_lines(backgrounds: Sequence[Background]) -> list[str]:
    """What a reader is told of the terms of an estimate; of two that differ, what differs most."""
    distinct = list({one.name: one for one in backgrounds}.values())
    lines = [line for one in distinct for line in one.lines()]
    if len(distinct) == 2 and distinct[0].parts.keys() == distinct[1].parts.keys():
        one, other = (each.parts for each in distinct)
        changed = sorted(one, key=lambda name: (-abs(one[name] - other[name]), name))[:_MOST]
        moves = [
            f"{name} {one[name]:+.3g} against {other[name]:+.3g}"
            for name in changed
            if one[name] != other[name]
        ]
        lines += [f"differ most: {', '.join(moves)}"] if moves else []
    return lines


def _listed(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:+.3g}" for name, value in values.items())
