"""Background: what stands behind an estimate of one component, for a reader of a claim that failed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lengthprobe.statistics.digits import in_three_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST = 5
_ANSWERS = "answers"
Value = float | None


@dataclass(frozen=True, eq=False)
class Background:
    """The components of a model beside the one that was estimated, and what the estimate is to be read
    against.

    Args:
        name: The estimate.
        components: The mean of each component, by its name.
        controls: Gives the mean of each control, by its name; asked when it is to be shown, and once.
        what: What is told so: `controls` of an attribution, or `answers`: other figures of the same answers.
    """

    name: str
    components: Mapping[str, float]
    controls: Callable[[], Mapping[str, float]]
    what: str = "controls"

    @property
    def largest(self) -> dict[str, float]:
        """The largest components, whatever their sign."""
        return dict(sorted(self.components.items(), key=lambda pair: (-abs(pair[1]), pair[0]))[:_MOST])

    @cached_property
    def controlled(self) -> dict[str, float]:
        """The mean of each control."""
        return dict(self.controls())


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a reader is told.

    Args:
        what: `largest components`, `controls`, `answers` or `differ most`.
        of: The estimate; nothing where that goes without saying.
        values: By the name of a component or a control its mean; of components that differ, the one and the
            other. None for what is not known.
    """

    what: str
    of: str
    values: Mapping[str, Value | tuple[Value, ...]]

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Fact:
        """It from JSON."""
        pairs = kept["values"].items()
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in pairs}
        return cls(kept["what"], kept["of"], values)

    def line(self) -> str:
        """It in words."""
        of = f"{self.of}: " if self.of else ""
        return f"{of}{self.what}: {means_in_words(self.what, self.values)}"

    def finite(self) -> Fact:
        """It as a report keeps it: a number that JSON does not have is None."""
        values = {
            name: tuple(map(_finite, value)) if isinstance(value, tuple) else _finite(value)
            for name, value in self.values.items()
        }
        return Fact(self.what, self.of, values)


def background_facts(backgrounds: Sequence[Background]) -> list[Fact]:
    """What a reader is told of the terms of an estimate, each thing once.

    The largest components, and the controls; of two terms that have the same components, those of the first
    and what differs most between the two.
    """
    distinct = list({one.name: one for one in backgrounds}.values())
    moved = _moved(*distinct) if len(distinct) == 2 else {}
    found = _each("largest components", [(one.name, one.largest) for one in distinct[: 1 if moved else None]])
    if moved:
        found = [
            Fact("largest components", distinct[0].name, found[0].values),
            Fact("differ most", "", moved),
        ]
    for what in dict.fromkeys(one.what for one in distinct):
        found += _each(what, [(one.name, one.controlled if one.what == what else {}) for one in distinct])
    return found


def means_in_words(what: str, values: Mapping[str, Any]) -> str:
    """Means by name in words, as in `MLP3 +9.41, L2H1 +1.87` or `MLP3 +9.41 against -0.2`.

    Args:
        what: What they are, as in `Fact`: contributions have a sign, figures of answers have none.
        values: The means.
    """
    sign = "" if what == _ANSWERS else "+"
    return ", ".join(
        f"{name} {' against '.join(_number(one, sign) for one in _several(value))}"
        for name, value in values.items()
    )


def _each(what: str, of_each: Sequence[tuple[str, Mapping[str, float]]]) -> list[Fact]:
    """The same thing of each term: once and without a name where all are equal."""
    some = [(name, values) for name, values in of_each if values]
    if len(some) == len(of_each) and all(values == some[0][1] for _, values in some):
        return [Fact(what, "", values) for _, values in some[:1]]
    return [Fact(what, name, values) for name, values in some]


def _moved(one: Background, other: Background) -> dict[str, tuple[float, float]]:
    """The components that differ most between two terms that have the same components."""
    if one.components.keys() != other.components.keys():
        return {}
    pairs = {name: (value, other.components[name]) for name, value in one.components.items()}
    largest = sorted(pairs, key=lambda name: (-abs(pairs[name][0] - pairs[name][1]), name))[:_MOST]
    return {name: pairs[name] for name in largest if pairs[name][0] != pairs[name][1]}


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) else [value]


def _number(value: float | None, sign: str) -> str:
    return "not known" if value is None else in_three_digits(value, sign)


def _finite(value: Value) -> Value:
    return value if value is not None and math.isfinite(value) else None
