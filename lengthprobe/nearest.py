"""Nearest names: what was probably meant by a name that nothing has."""

from __future__ import annotations

from difflib import SequenceMatcher, get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def nearest_first(name: str, known: Iterable[str]) -> list[str]:
    """The known names, those that are the most like another first, and equals by the alphabet."""
    return sorted(known, key=lambda each: (-SequenceMatcher(None, each, name).ratio(), each))


def option_to_type(option: str, typed: str, known: Sequence[str]) -> str:
    """An option as it can be typed, with the value that was probably meant, and the others in words.

    >>> option_to_type("--dtype", "flaot16", ("auto", "float32", "float16"))
    '--dtype=float16, or auto or float32'

    Args:
        option: Its name.
        typed: The value that it cannot have.
        known: The values that it can have, the usual one first.
    """
    meant = nearest(typed, known) or known[0]
    others = [value for value in known if value != meant]
    # A list with bars would be a pipe where it is pasted into a shell.
    return f"{option}={meant}, or {', '.join(others[:-1])}{' or ' * (len(others) > 1)}{others[-1]}"
