"""Names and places of checkpoints in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def name_of(identity: Mapping[str, Any]) -> str:
    """The display name of a checkpoint; in an old report without display names, the name as typed."""
    return str(identity.get("display_name") or identity["name"])


def title_of(report: Mapping[str, Any]) -> str | None:
    """The display name of the checkpoint under test, None where none was named.

    A run that ended early may know only the name of the checkpoint, and no identity.
    """
    tested = report["model"] or report.get("named", {}).get("model")
    return name_of(tested) if tested else None


def unjudged_lines(report: Mapping[str, Any]) -> list[str]:
    """A line for each named checkpoint on which no claim came to an end."""
    why = "the run ended before any claim about it did" if report.get("interrupted") else "not asked"
    lines = []
    for role, checkpoint in report.get("named", {}).items():
        place = place_of(checkpoint)
        if not report[role]:
            lines.append(f"{role}: {name_of(checkpoint)}{f' ({place})' if place else ''}: {why}")
    return lines


def place_of(identity: Mapping[str, Any]) -> str:
    """The name as typed, for example a path; empty where the typed name is the display name."""
    typed = str(identity["name"])
    return "" if typed == name_of(identity) else typed
