"""The margins of a report, in lists for a page: each with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from lengthprobe.margins import Margins

if TYPE_CHECKING:
    from collections.abc import Mapping

_TITLES = {
    "requirement": "Behaviour",
    "mechanism": "Mechanism",
    "regression": "Against the reference",
    "replication": "Replications",
}
_FURTHER = "Further"


@dataclass(frozen=True, slots=True)
class StatedMargin:
    """A margin of a report.

    Args:
        name: The name, as in the ini file.
        text: The margin with its unit.
        reason: Why the margin is as it is, empty for a margin of another version.
        usual: The default, where the report has another margin; else empty.
    """

    name: str
    text: str
    reason: str = ""
    usual: str = ""


def margin_lists(margins: Mapping[str, float]) -> list[tuple[str, list[StatedMargin]]]:
    """The margins of a report in lists with a title each, by kind."""
    known = {one.name: one for one in fields(Margins)}
    lists: dict[str, list[StatedMargin]] = {title: [] for title in (*_TITLES.values(), _FURTHER)}
    for name, margin in margins.items():
        if name not in known:
            lists[_FURTHER].append(StatedMargin(name, f"{margin:g}"))
            continue
        told, usual = known[name].metadata, float(getattr(Margins(), name))
        default = "" if usual == margin else _with_unit(usual, told["unit"])
        stated = StatedMargin(name, _with_unit(margin, told["unit"]), told["reason"], default)
        lists[_TITLES.get(told["kind"], _FURTHER)].append(stated)
    return [(title, stated) for title, stated in lists.items() if stated]


def _with_unit(margin: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * margin:g} %"
    if margin == 1 and unit == "words":
        return "1 word"
    return f"{margin:g}" if unit == "ratio" else f"{margin:g} {unit}"
