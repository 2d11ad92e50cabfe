"""The reference's values of the measures that claims compare, for a reader beside the candidate's values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lengthprobe.statistics.check import Numbers
from lengthprobe.statistics.measure_key import MeasureKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.statistics.check import Check

# By measure without the checkpoint, and by unit: a measure and its share are two values.
ReferenceValues = dict[tuple[MeasureKey, str], Numbers]


def reference_values(against: Mapping[str, Any]) -> ReferenceValues:
    """The reference's values in a report, by measure and unit.

    Args:
        against: `against_reference` of the report: values and changed prompts, by language.
    """
    found = {}
    for told in against.values():
        for value in told.get("values", ()):
            key = replace(MeasureKey.from_dict(value["measure"]), checkpoint="")
            numbers = Numbers(**{name: value[name] for name in Numbers.__slots__})
            found[key, numbers.unit] = numbers
    return found


def value_beside(check: Check | None, values: ReferenceValues) -> Numbers | None:
    """The reference's value of what a check compares with a number; None where nothing is known.

    A check that compares two measures has no single value of the reference.
    """
    if check is None or check.unmet or check.relation is None or check.relation.against:
        return None
    if len(check.measures) != 1:
        return None
    return values.get((replace(check.measures[0], checkpoint=""), check.numbers.unit))
