"""How the numbers of a check are written: its effect, its interval, its size, its margin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lengthprobe.untrusted_text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

# So much of what a finding says has room in a column.
_SAID = 60
# As few digits as tell the ends of an interval from each other and from the margin, and these at the least.
_LEAST = {"share": 1}
_DIGITS, _MORE = 2, 5
_MODEL = re.compile(r"\(.+?, ")
_RELATION = re.compile(r" (?P<sign><=|>=|<|>) (?P<right>[^<>]+)$")


def numbers(check: Mapping[str, Any]) -> tuple[str, str, str]:
    """Effect, interval and size of a check or of an estimate beside one; nothing where none was measured.

    Where two measures are compared they are of the difference between the two, and have a sign.
    """
    if not check or check.get("unmet"):
        return "", "", ""
    digits, right = _digits(check), relation(check)[1]
    sign = "+" if right and not is_number(right) else ""
    mean, low, high = (_quantity(check[key], check["unit"], digits, sign) for key in ("mean", "low", "high"))
    # An end that JSON does not have is infinite: nothing is known on that side.
    interval = f"{low} to {high}" if low and high else "none"
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
    """The relation to the margin, as in `> 80 %` or `± 0.1 * cwa[final MLP](it)`, and what a finding says.

    Where a precondition is unmet it stands here, since there are no numbers to show.

    Of a finding that has no margin, its unit, where the numbers do not show it.
    """
    said = printable(check.get("says", ""), _SAID)
    unmet = why_unmet(check)
    unit = printable(check["unit"]) if said and check["unit"] != "share" and not unmet else ""
    return ": ".join(filter(None, (_relation(check) or unit, said, unmet)))


def why_unmet(check: Mapping[str, Any]) -> str:
    """Why nothing was measured of a check or of an estimate beside one, or nothing."""
    return printable(check["reason"], None) if check.get("unmet") else ""


def _relation(check: Mapping[str, Any]) -> str:
    sign, right = relation(check)
    if not sign:
        return ""
    if not is_number(right):
        # What it is compared with was measured too, on a checkpoint that is named on the left already.
        model = _MODEL.search(right)
        if model and model[0] in check["expression"].removesuffix(right):
            right = right.replace(model[0], "(")
        return f"{sign} {printable(right, 40)}"
    if not check["margin"]:
        return f"{sign} 0"
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


def _digits(check: Mapping[str, Any]) -> int:
    """How many digits after the point the numbers of a check need."""
    low, high, margin, unit = check["low"], check["high"], check.get("margin"), check["unit"]
    least = _LEAST.get(unit, _DIGITS)
    needed = [least]
    for one, other in ((low, high), (low, margin), (high, margin)):
        if one is not None and other is not None and one != other:
            enough = range(least, least + _MORE)
            needed += [n for n in enough if _quantity(one, unit, n) != _quantity(other, unit, n)][:1]
    return max(needed)


def _quantity(value: float | None, unit: str, digits: int, sign: str = "") -> str:
    """A number as its unit is read, nothing for one that is not finite."""
    if value is None:
        return ""
    read = 100 * value if unit == "share" else value
    # Adding zero takes the sign from a zero that was rounded or multiplied into minus zero.
    return f"{round(read, digits) + 0.0:{sign}.{digits}f}{' %' * (unit == 'share')}"
