"""How the numbers of a check are written: its effect, its interval, its size, its margin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lengthprobe.task.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

# So much of what a finding says has room in a column.
_SAID = 60
_RELATION = re.compile(r" (?P<sign><=|>=|<|>) (?P<right>[^<>]+)$")


def numbers(check: Mapping[str, Any]) -> tuple[str, str, str]:
    """Effect, interval and size of a check or of an estimate beside one; nothing of an empty one."""
    if not check:
        return "", "", ""
    mean, low, high = (_quantity(check[key], check["unit"]) for key in ("mean", "low", "high"))
    # An end that JSON does not have is infinite: nothing is known on that side.
    interval = f"{low} to {high}" if low and high else "not known"
    return mean, interval, f"{check['n']} ({check['clusters']})"


def relation(check: Mapping[str, Any]) -> tuple[str, str]:
    """How a check compares its estimate, and with what: `>`, `<` and the like, `±` for within.

    Returns:
        The sign and the right side as it was written; nothing where the check has no comparison.
    """
    found = _RELATION.search(check.get("expression", ""))
    if found is None:
        return "", ""
    sign = found["sign"]
    if sign in ("<", "<=") and check["expression"].startswith("abs("):
        sign = "±"
    return sign, found["right"]


def margin(check: Mapping[str, Any]) -> str:
    """The relation to the margin, as in `> 80 %` or `± 0.5 words`, and what a finding says."""
    return ": ".join(filter(None, (_relation(check), printable(check.get("says", ""), _SAID))))


def _relation(check: Mapping[str, Any]) -> str:
    sign, right = relation(check)
    if not sign:
        return ""
    if not is_number(right):
        # What it is compared with was measured too.
        return f"{sign} {printable(right, 40)}"
    if check["unit"] == "share":
        return f"{sign} {100 * check['margin']:g} %"
    return f"{sign} {check['margin']:g} {printable(check['unit'])}"


def is_number(text: str) -> bool:
    """Whether the right side of a comparison is a margin that was fixed in advance."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _quantity(value: float | None, unit: str) -> str:
    """A number as its unit is read, nothing for one that is not finite."""
    if value is None:
        return ""
    # Adding zero takes the sign from a zero that was rounded or multiplied into minus zero.
    return f"{round(100 * value, 1) + 0.0:.1f} %" if unit == "share" else f"{round(value, 2) + 0.0:.2f}"
