"""Numbers of a check in words: effect, interval, size and margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.statistics.check import Beside, Check
from lengthprobe.untrusted_text import printable

if TYPE_CHECKING:
    from lengthprobe.statistics.check import Numbers

# The characters of a finding's statement for which a column has room.
_SAID = 60
# As few digits as tell the ends of an interval from each other and from the margin, and these at the least.
_LEAST = {"share": 1}
_DIGITS, _MORE = 2, 5
_RIGHT_SHOWN = 40


def numbers(found: Check | Beside | None) -> tuple[str, str, str]:
    """Effect, interval and size of a check or of an estimate beside; empty where nothing was measured.

    Where two measures are compared, the numbers are of their difference, and have a sign.
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
        margin: The margin; the numbers get enough digits to differ from the margin.
        signed: Whether the numbers are of a difference.
    """
    digits, sign = _digits(found, margin), "+" if signed else ""
    mean, low, high = (
        _quantity(value, found.unit, digits, sign) for value in (found.mean, found.low, found.high)
    )
    # An end of None is infinite, which JSON lacks: nothing is known on this side.
    interval = f"{low} to {high}" if low and high else "none"
    return mean, interval, f"{found.n} ({found.clusters})"


def margin(check: Check | None) -> str:
    """The relation to the margin, as in `> 80 %` or `± 0.1 * cwa[final MLP](it)`, and a finding's statement.

    An unmet precondition is stated here, since there are no numbers to show. A finding without a margin has
    its unit here, where the numbers do not show the unit.
    """
    if check is None:
        return ""
    said = printable(check.says or "", _SAID)
    unmet, unit = why_unmet(check), check.numbers.unit
    shown = printable(unit) if said and unit != "share" and not unmet else ""
    return ": ".join(filter(None, (_relation(check) or shown, said, unmet)))


def why_unmet(found: Check | Beside) -> str:
    """The reason why a check or an estimate beside has no numbers; empty where there are numbers."""
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


def _digits(estimate: Numbers, margin: float | None) -> int:
    """The digits that the numbers need after the point."""
    low, high, unit = estimate.low, estimate.high, estimate.unit
    least = _LEAST.get(unit, _DIGITS)
    needed = [least]
    for end, other in ((low, high), (low, margin), (high, margin)):
        if end is not None and other is not None and end != other:
            enough = range(least, least + _MORE)
            needed += [n for n in enough if _quantity(end, unit, n) != _quantity(other, unit, n)][:1]
    return max(needed)


def _quantity(value: float | None, unit: str, digits: int, sign: str = "") -> str:
    """A number in words, by its unit; empty for a number that is not finite."""
    if value is None:
        return ""
    read = 100 * value if unit == "share" else value
    # Adding zero takes the sign from a zero that was rounded or multiplied into minus zero.
    return f"{round(read, digits) + 0.0:{sign}.{digits}f}{' %' * (unit == 'share')}"
