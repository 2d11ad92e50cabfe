"""Nearest names: what was probably meant by a name that nothing has."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# As alike as `knd` and `kind`, or `lengths_eror` and `length_error`; ours.
_ALIKE = 0.6


def nearest(name: str, known: Iterable[str], alike: float = _ALIKE) -> str | None:
    """The known name that is the most like another, None where none is alike.

    Args:
        name: What was typed.
        known: The names there are.
        alike: How alike they must be, from 0 to 1.
    """
    found = get_close_matches(name, list(known), n=1, cutoff=alike)
    return found[0] if found else None
