"""How the numbers of a check are written: its effect, its interval, its size, its margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.statistics.check import Beside, Check
from lengthprobe.untrusted_text import printable

if TYPE_CHECKING:
    from lengthprobe.statistics.check import Numbers

# So much of what a finding says has room in a column.
_SAID = 60
# As few digits as tell the ends of an interval from each other and from the margin, and these at the least.
_LEAST = {"share": 1}
_DIGITS, _MORE = 2, 5
_RIGHT_SHOWN = 40


def numbers(found: Check | Beside | None) -> tuple[str, str, str]:
    """Effect, interval and size of a check or of an estimate beside one; nothing where none was measured.

    Where two measures are compared they are of the difference between the two, and have a sign.
    """
    if found is None or found.unmet:
        return "", "", ""
    if isinstance(found, Beside):
        return printed_numbers(found.numbers)
    signed = found.relation is not None and found.relation.against != ""
    return printed_numbers(found.numbers, found.margin, signed=signed)


def printed_numbers(
    found: Numbers, margin: float | None = None, *, signed: bool = False
) -> tuple[str, str, str]:
    """Effect, interval and size in words.

    Args:
        found: The numbers.
        margin: What they are to be told from.
        signed: Whether they are of a difference.
    """
    digits, sign = _digits(found, margin), "+" if signed else ""
    mean, low, high = (
        _quantity(value, found.unit, digits, sign) for value in (found.mean, found.low, found.high)
    )
    # An end that JSON does not have is infinite: nothing is known on that side.
    interval = f"{low} to {high}" if low and high else "none"
    return mean, interval, f"{found.n} ({found.clusters})"


def margin(check: Check | None) -> str:
    """The relation to the margin, as in `> 80 %` or `± 0.1 * cwa[final MLP](it)`, and what a finding says.

    Where a precondition is unmet it stands here, since there are no numbers to show.

    Of a finding that has no margin, its unit, where the numbers do not show it.
    """
    if check is None:
        return ""
    said = printable(check.says or "", _SAID)
    unmet, unit = why_unmet(check), check.numbers.unit
    shown = printable(unit) if said and unit != "share" and not unmet else ""
    return ": ".join(filter(None, (_relation(check) or shown, said, unmet)))


def why_unmet(found: Check | Beside) -> str:
    """Why nothing was measured of a check or of an estimate beside one, or nothing."""
    return printable(found.reason, None) if found.unmet else ""


def _relation(check: Check) -> str:
    relation, unit = check.relation, check.numbers.unit
    if relation is None:
        return ""
    sign = "±" if relation.within else relation.sign
    if relation.against:
        return f"{sign} {printable(relation.against, _RIGHT_SHOWN)}"
    if not check.margin:
        return f"{sign} 0"
    if unit == "share":
        return f"{sign} {100 * check.margin:g} %"
    return f"{sign} {check.margin:g} {printable(unit)}"


def _digits(found: Numbers, margin: float | None) -> int:
    """How many digits after the point the numbers need."""
    low, high, unit = found.low, found.high, found.unit
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
