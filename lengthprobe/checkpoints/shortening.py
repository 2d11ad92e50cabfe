"""Names shortened to the width of a figure's legend, and still told apart."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

LONGEST = 48
_BEGINNING = 20
# Where two would be shortened alike: their beginning, what differs or stands for it, their end.
_APART = (8, 26, 12)
_DIGITS, _BEFORE_DIGITS = 6, 13


def shortened_names(names: Sequence[str], places: Sequence[str], taken: Collection[str] = ()) -> list[str]:
    """The names, each of at most `LONGEST` characters; different names stay different.

    The beginning and the end of a long name are kept: a step or a date, in which checkpoints of a run differ,
    is mostly at the end. Where names differ in the middle, the different part is kept, too. A different part
    that is too long is replaced by digits of a digest of the place.

    Args:
        names: The names.
        places: The place that each name means.
        taken: Short names of other checkpoints.
    """
    cut = [_cut(name) for name in names]
    shortened = list(cut)
    for short in set(cut):
        alike = [index for index, name in enumerate(cut) if name == short]
        whole = list(dict.fromkeys(names[index] for index in alike))
        if len(whole) == 1 and (whole == [short] or short not in taken):
            continue
        apart = _with_what_differs(whole)
        if len(whole) > 1 and len(set(apart)) == len(whole) and not set(apart) & {*taken}:
            by_name = dict(zip(whole, apart, strict=True))
            shortened = [
                by_name[names[index]] if index in alike else name for index, name in enumerate(shortened)
            ]
        else:
            for position in alike:
                shortened[position] = _with_digits(names[position], places[position])
    return shortened


def _cut(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    return f"{name[:_BEGINNING]}…{name[_BEGINNING + 1 - LONGEST :]}"


def _with_what_differs(names: Sequence[str]) -> list[str]:
    """Each name with the part that differs from the others, and as much around the part as has room.

    No names where the different part is too long.
    """
    start, room, end = _APART
    before = _begin_alike(names)
    after = _begin_alike([name[before:][::-1] for name in names])
    around = (room - max(len(name) - before - after for name in names)) // 2
    # In a name that repeats itself, nobody could point at what differs.
    if around < 0 or after < end:
        return []
    first = max(before - around, start)
    return [
        f"{name[:start]}…{name[first : min(first + room, len(name) - end)]}…{name[-end:]}" for name in names
    ]


def _begin_alike(names: Sequence[str]) -> int:
    """The number of characters with which all names begin."""
    columns = enumerate(zip(*names, strict=False))
    return next((index for index, column in columns if len(set(column)) > 1), min(map(len, names)))


def _with_digits(name: str, place: str) -> str:
    if len(name) <= LONGEST:
        return name
    digits = sha256(place.encode(errors="surrogateescape")).hexdigest()[:_DIGITS]
    return f"{name[:_BEFORE_DIGITS]}…{digits}…{name[_BEFORE_DIGITS + _DIGITS + 2 - LONGEST :]}"
