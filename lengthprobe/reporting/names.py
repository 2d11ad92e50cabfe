"""What a report calls a checkpoint, and where that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def name_of(identity: Mapping[str, Any]) -> str:
    """The display name of a checkpoint; of a report from before there were any, the name as it was typed."""
    return str(identity.get("display_name") or identity["name"])


def place_of(identity: Mapping[str, Any]) -> str:
    """The name as it was typed, a path for one; nothing where that is the display name."""
    typed = str(identity["name"])
    return "" if typed == name_of(identity) else typed
