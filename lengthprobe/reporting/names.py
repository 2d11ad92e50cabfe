"""What a report calls a checkpoint, and where that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def name_of(identity: Mapping[str, Any]) -> str:
    """The display name of a checkpoint; of a report from before there were any, the name as it was typed."""
    return str(identity.get("display_name") or identity["name"])


def title_of(report: Mapping[str, Any]) -> str | None:
    """The display name of the checkpoint under test, None where none was named.

    A run that ended early knows no more of it than its name.
    """
    tested = report["model"] or report.get("named", {}).get("model")
    return name_of(tested) if tested else None


def unjudged_lines(report: Mapping[str, Any]) -> list[str]:
    """A line for each checkpoint that was named, and on which no claim came to an end."""
    why = "the run ended before any claim about it did" if report.get("interrupted") else "not asked"
    lines = []
    for role, one in report.get("named", {}).items():
        place = place_of(one)
        if not report[role]:
            lines.append(f"{role}: {name_of(one)}{f' ({place})' if place else ''}: {why}")
    return lines


def place_of(identity: Mapping[str, Any]) -> str:
    """The name as it was typed, a path for one; nothing where that is the display name."""
    typed = str(identity["name"])
    return "" if typed == name_of(identity) else typed
