"""Row limits: the numbers of rows with which memory ran out, remembered for a run and its processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class RowLimits:
    """The smallest number of rows of each kind of work with which a checkpoint ran out of memory.

    Args:
        share: Called with a kind and a number that failed, or None; gives the smallest number that failed in
            any process of the run, None where none failed. None: this process remembers alone.
    """

    def __init__(self, share: Callable[[str, int | None], int | None] | None = None) -> None:
        self._share = share
        self._failed: dict[str, int] = {}

    def smallest(self, kind: str, failed: int | None = None) -> int | None:
        """The smallest number of rows of a kind that failed, None where none failed.

        Args:
            kind: The kind of work.
            failed: A number that has just failed.
        """
        shared = self._share(kind, failed) if self._share else None
        known = [one for one in (self._failed.get(kind), failed, shared) if one is not None]
        if known:
            self._failed[kind] = min(known)
        return self._failed.get(kind)


@dataclass(frozen=True, slots=True)
class RowLimit:
    """The limit of a kind of work.

    Args:
        limits: The limits of the checkpoint; None: nothing is remembered.
        kind: The kind of work.
        width: The tokens of a row, where rows differ much: rows of about the same width have one limit.
    """

    limits: RowLimits | None
    kind: str
    width: Callable[[Any], int] | None = None

    def has_failed(self, rows: Sequence[Any]) -> bool:
        """Whether memory ran out for as many rows or fewer; a single row is always tried."""
        if self.limits is None or len(rows) < 2:
            return False
        smallest = self.limits.smallest(self._kind(rows))
        return smallest is not None and len(rows) >= smallest

    def note(self, rows: Sequence[Any]) -> None:
        """Remember that memory ran out for some rows."""
        if self.limits is not None and len(rows) > 1:
            self.limits.smallest(self._kind(rows), len(rows))

    def _kind(self, rows: Sequence[Any]) -> str:
        if self.width is None:
            return self.kind
        return f"{self.kind} below {1 << max(map(self.width, rows)).bit_length()} tokens"
