"""Background: facts behind an estimate of a component, for the reader of a failed claim."""

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
    """The means of a model's other components, and controls against which to read an estimate.

    Args:
        name: The estimate.
        components: The mean of each component, by its name.
        controls: Gives the mean of each control, by its name; called once, when the controls are shown.
        what: The kind of the controls: `controls` of an attribution, or `answers` for other figures of the
            same answers.
    """

    name: str
    components: Mapping[str, float]
    controls: Callable[[], Mapping[str, float]]
    what: str = "controls"

    @property
    def largest(self) -> dict[str, float]:
        """The largest components by magnitude."""
        return dict(sorted(self.components.items(), key=lambda pair: (-abs(pair[1]), pair[0]))[:_MOST])

    @cached_property
    def controlled(self) -> dict[str, float]:
        """The mean of each control."""
        return dict(self.controls())


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact for the reader.

    Args:
        what: `largest components`, `controls`, `answers` or `differ most`.
        of: The estimate; empty where the reader knows.
        values: The mean of each component or control, by its name; for `differ most`, the means in both
            terms. None for an unknown mean.
    """

    what: str
    of: str
    values: Mapping[str, Value | tuple[Value, ...]]

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Fact:
        """The fact from JSON."""
        pairs = kept["values"].items()
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in pairs}
        return cls(kept["what"], kept["of"], values)

    def line(self) -> str:
        """The fact in words."""
        of = f"{self.of}: " if self.of else ""
        return f"{of}{self.what}: {means_in_words(self.what, self.values)}"

    def finite(self) -> Fact:
        """The fact for a report: NaN and infinity, which JSON lacks, become None."""
        values = {
            name: tuple(map(_finite, value)) if isinstance(value, tuple) else _finite(value)
            for name, value in self.values.items()
        }
        return Fact(self.what, self.of, values)


def background_facts(backgrounds: Sequence[Background]) -> list[Fact]:
    """Facts on the terms of an estimate, each once: the largest components, and the controls.

    Two terms with the same components give the largest components of the first term, and the components that
    differ most between the terms.
    """
    distinct = list({background.name: background for background in backgrounds}.values())
    moved = _moved(*distinct) if len(distinct) == 2 else {}
    facts = _each(
        "largest components",
        [(background.name, background.largest) for background in distinct[: 1 if moved else None]],
    )
    if moved:
        facts = [
            Fact("largest components", distinct[0].name, facts[0].values),
            Fact("differ most", "", moved),
        ]
    for what in dict.fromkeys(background.what for background in distinct):
        facts += _each(
            what,
            [
                (background.name, background.controlled if background.what == what else {})
                for background in distinct
            ],
        )
    return facts


def means_in_words(what: str, values: Mapping[str, Any]) -> str:
    """Means by name in words, as in `MLP3 +9.41, L2H1 +1.87` or `MLP3 +9.41 against -0.2`.

    Args:
        what: The kind of the means, as in `Fact`: contributions have a sign, figures of answers have none.
        values: The means.
    """
    sign = "" if what == _ANSWERS else "+"
    return ", ".join(
        f"{name} {' against '.join(_number(number, sign) for number in _several(value))}"
        for name, value in values.items()
    )


def _each(what: str, of_each: Sequence[tuple[str, Mapping[str, float]]]) -> list[Fact]:
    """A fact on each term; a single fact without a name where the values of all terms are equal."""
    with_values = [(name, values) for name, values in of_each if values]
    if len(with_values) == len(of_each) and all(values == with_values[0][1] for _, values in with_values):
        return [Fact(what, "", values) for _, values in with_values[:1]]
    return [Fact(what, name, values) for name, values in with_values]


def _moved(background: Background, other: Background) -> dict[str, tuple[float, float]]:
    """The components that differ most between two terms; empty where the terms have other components."""
    if background.components.keys() != other.components.keys():
        return {}
    pairs = {name: (value, other.components[name]) for name, value in background.components.items()}
    largest = sorted(pairs, key=lambda name: (-abs(pairs[name][0] - pairs[name][1]), name))[:_MOST]
    return {name: pairs[name] for name in largest if pairs[name][0] != pairs[name][1]}


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) else [value]


def _number(value: float | None, sign: str) -> str:
    return "not known" if value is None else in_three_digits(value, sign)


def _finite(value: Value) -> Value:
    return value if value is not None and math.isfinite(value) else None
