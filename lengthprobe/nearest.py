"""Nearest names: the name probably meant by an unknown name."""

from __future__ import annotations

from difflib import SequenceMatcher, get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# The similarity of `knd` and `kind`, or of `lengths_eror` and `length_error`; ours.
_ALIKE = 0.6


def nearest(name: str, known: Iterable[str], alike: float = _ALIKE) -> str | None:
    """The known name most similar to a name, None where none is similar.

    Args:
        name: The name as typed.
        known: The known names.
        alike: The least similarity, from 0 to 1.
    """
    found = get_close_matches(name, list(known), n=1, cutoff=alike)
    return found[0] if found else None


def nearest_first(name: str, known: Iterable[str]) -> list[str]:
    """The known names, those that are the most like another first, and equals by the alphabet."""
    return sorted(known, key=lambda each: (-SequenceMatcher(None, each, name).ratio(), each))


def option_to_type(option: str, typed: str, known: Sequence[str]) -> str:
    """An option ready to type, with the value probably meant, and with the other values in words.

    >>> option_to_type("--dtype", "flaot16", ("auto", "float32", "float16"))
    '--dtype=float16, or auto or float32'

    Args:
        option: The name of the option.
        typed: The wrong value.
        known: The correct values, the usual value first.
    """
    meant = nearest(typed, known) or known[0]
    others = [value for value in known if value != meant]
    # A list with bars, pasted into a shell, would be a pipe.
    return f"{option}={meant}, or {', '.join(others[:-1])}{' or ' * (len(others) > 1)}{others[-1]}"
