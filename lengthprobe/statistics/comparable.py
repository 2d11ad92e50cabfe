"""Comparable: the operators with which an estimate reads like a number."""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from numbers import Real
from typing import TYPE_CHECKING, Any, NoReturn, cast

from lengthprobe.statistics.measure_key import without_checkpoints

if TYPE_CHECKING:
    from lengthprobe.statistics.comparison import Shown
    from lengthprobe.statistics.measure_key import MeasureKey
    from lengthprobe.statistics.verdict import Verdict

_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Comparable(ABC):
    """A value whose comparison with a margin gives a Verdict; refuses `==`, `bool` and `float`."""

    name: str

    # Else numpy would take `np.float64(0.5) > estimate` apart by itself.
    __array_ufunc__ = None

    @property
    @abstractmethod
    def measures(self) -> tuple[MeasureKey, ...]:
        """The keys of the measures in the value."""

    @property
    def label(self) -> str:
        """The name without checkpoint and language; of several measures, the name without checkpoints."""
        whole = without_checkpoints(self.name, self.measures, self.measures)
        return next((key.measure for key in self.measures if str(key) == self.name), whole)

    @property
    def shown(self) -> Shown:
        """The mean or the share shown to a reader."""
        return cast("Shown", self)

    @abstractmethod
    def _compared(self, sign: str, other: object) -> Verdict:
        """The verdict on `self sign other`."""

    def __lt__(self, other: object) -> Verdict:
        return self._compared("<", other)

    def __le__(self, other: object) -> Verdict:
        return self._compared("<=", other)

    def __gt__(self, other: object) -> Verdict:
        return self._compared(">", other)

    def __ge__(self, other: object) -> Verdict:
        return self._compared(">=", other)

    def __eq__(self, other: object) -> NoReturn:
        self._refuse_equality(other)

    def __ne__(self, other: object) -> NoReturn:
        self._refuse_equality(other)

    # Equality is refused, identity is not: an estimate can be kept in a set or as a key.
    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{self.name} is neither true nor false; compare it with a margin, as in: estimate > 0"
        )

    def __float__(self) -> NoReturn:
        raise TypeError(
            f"{self.name} is an interval, and no one number; compare it with a margin, as in: estimate > 0, "
            "or take its mean alone: estimate.mean"
        )

    def _refuse_equality(self, other: object) -> NoReturn:
        raise TypeError(
            f"no data show that {self.name} equals {other!r}; say how near is near enough, "
            "as in: abs(estimate) < 0.5, or abs(one - other) < 0.5"
        )


def number(value: object, instead: str) -> float:
    """A finite number, as a float.

    Args:
        value: Anything.
        instead: A correct line in place of the wrong line, for the message.

    Raises:
        TypeError: The value is no number.
        ValueError: The value is not finite.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{value!r} is no number; write {instead}")
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not finite; write {instead}")
    return float(value)


def explain(op: str, left: Any, right: Any) -> list[str] | None:
    """Lines on why `left op right` failed, for `pytest_assertrepr_compare`.

    Returns:
        None where neither side is an estimate, or where the comparison gives no Verdict.
    """
    if op not in _OPERATORS or not (isinstance(left, Comparable) or isinstance(right, Comparable)):
        return None
    return str(_OPERATORS[op](left, right)).splitlines()
