"""Told portraits: the portraits of a session, as the reports of its claims tell them piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.portraits.portrait import Portrait

# Pieces of a portrait which only some claims measure.
_PIECES = ("number_swap", "causes", "faithfulness")


@dataclass(slots=True)
class ToldPortraits:
    """The portraits of a session."""

    _portraits: dict[str, dict[str, Any]] = field(default_factory=dict)
    _pieces: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)

    def add(self, told: Mapping[str, Any]) -> None:
        """Take up the portraits and the pieces that came with the outcome of a claim."""
        self._portraits |= told["portraits"]
        self._pieces |= {tuple(place): piece for place, piece in told["pieces"]}

    def whole(self) -> dict[str, Portrait]:
        """The portraits by role, in an order that does not depend on the workers' speed."""
        found = {
            role: portrait | {name: {} for name in _PIECES} for role, portrait in self._portraits.items()
        }
        for (role, *folders, last), piece in sorted(self._pieces.items()):
            inside = found.get(role, {})
            for folder in folders:
                inside = inside.setdefault(folder, {})
            inside[last] = piece
        return cast("dict[str, Portrait]", found)
