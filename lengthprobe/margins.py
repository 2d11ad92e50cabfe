"""Margins of the claims, each with its reason, fixed before any model is measured."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, NoReturn

from lengthprobe.errors import MarginError, SettingsError
from lengthprobe.nearest import nearest
from lengthprobe.statistics.winsorised import FAR, WINSORISED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable


def _margin(
    default: float,
    kind: str,
    unit: str,
    reason: str,
    *,
    checks: int | None = None,
    most: float = WINSORISED_AT,
) -> float:
    """A field with a margin.

    `checks`: how many checks of a mechanism use the margin; None for a margin of behaviour, which a single
    check in each language uses. `most`: the number of words at which errors are winsorised, for a margin in
    words.
    """
    metadata = {"kind": kind, "unit": unit, "reason": reason, "checks": checks, "most": most}
    margin: float = field(default=default, metadata=metadata)
    return margin


# The smallest margin: a millionth takes more answers than any budget has.
_SMALLEST = 1e-6
# The least similarity of a mistyped name: names of margins are long, and a slip leaves most of a name.
_SLIP = 0.4
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Margins:
    """The margin of every claim. A field's metadata holds its kind, unit and reason."""

    length_error: float = _margin(
        0.5, "requirement", "words", "half a word: nearer to the length asked for than to either neighbour"
    )
    exact_match: float = _margin(
        0.8, "requirement", "share", "four answers in five: with fewer, a user has to count after the model"
    )
    runaways: float = _margin(
        0.05, "requirement", "share", "one answer in twenty may run away before a user calls it a habit"
    )
    short_answers: float = _margin(
        0.05, "requirement", "share", "one answer in twenty may stop more than a word early"
    )
    error_growth: float = _margin(
        0.15,
        "requirement",
        "words/word",
        "a model that is 15 % off grows its error by this much",
    )
    preambles: float = _margin(
        0.05, "requirement", "share", "one answer in twenty may say more than the words asked for"
    )
    counter_disagreement: float = _margin(
        0.1, "requirement", "share", "half of the room that the exact-match margin leaves for errors"
    )
    token_counting: float = _margin(
        # No requirement: where words are of one token each, tokens follow the error.
        0.5,
        "replication",
        "share",
        "half of a token counter's error: nearer to counting words than tokens",
    )
    base_length_error: float = _margin(
        5.0,
        "replication",
        "words",
        "the published base models run on by 27 to 35 words; errors are winsorised at 10 here",
        most=FAR,
    )
    gain_over_base: float = _margin(
        1.0, "replication", "words", "tuning is to be worth at least a word of absolute error", most=FAR
    )
    dip_at_three: float = _margin(0.0, "replication", "share", "the paper says worse, not by how much")
    smallest_share: float = _margin(
        0.02,
        "mechanism",
        "share",
        "the smallest effect that counts: one fiftieth of what all components give",
        checks=9,
    )
    necessity: float = _margin(
        0.1, "mechanism", "share", "one answer in ten more than random components cost", checks=2
    )
    control_kept: float = _margin(
        0.5,
        "mechanism",
        "ratio",
        "half of the control: with less, the other late components are needed",
        checks=2,
    )
    control_spared: float = _margin(
        0.9,
        "mechanism",
        "ratio",
        "what does without loses a tenth of it at most",
        checks=2,
    )
    text_loss_rise: float = _margin(
        0.5,
        "mechanism",
        "nats",
        "perplexity up by two thirds: a broken model loses several nats a token",
        checks=2,
    )
    attribution_dip: float = _margin(
        0.0, "replication", "logits/step", "the paper says lower, not by how much"
    )
    english_final_mlp: float = _margin(
        0.1, "replication", "ratio", "the paper says near zero beside the Italian one; a tenth is ours"
    )
    italian_late_heads: float = _margin(
        0.5, "replication", "ratio", "the paper says attenuated beside the English ones; half is ours"
    )
    length_error_rise: float = _margin(0.25, "regression", "words", "half of the margin on the error itself")
    exact_match_fall: float = _margin(
        0.05,
        "regression",
        "share",
        "150 topics in full agreement bound a fall at 2 %; this leaves room for noise",
    )
    runaways_rise: float = _margin(
        0.04,
        "regression",
        "share",
        "150 topics in full agreement bound a rise at 2 %; as much again for noise",
    )
    short_answers_rise: float = _margin(0.04, "regression", "share", "as for runaways")
    error_growth_rise: float = _margin(
        0.125,
        "regression",
        "words/word",
        "150 topics in full agreement bound a rise at 0.075; two thirds as much again for noise",
    )
    preambles_rise: float = _margin(0.04, "regression", "share", "as for runaways")
    counter_disagreement_rise: float = _margin(
        0.05, "regression", "share", "half of the margin on the share itself"
    )
    attribution_fall: float = _margin(
        0.5,
        "regression",
        "share",
        "a component that lost half of its share is not what was approved",
        checks=9,
    )

    # Hidden from type checkers, which find an unknown name by themselves.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            # Names that Python itself asks for, as in a copy, are no names of margins.
            if name.startswith("__"):
                raise AttributeError(name)
            raise MarginError(
                f"margins.{name}: no margin is called {name!r}",
                f"{_named(name)} A claim of your own can be compared with a number too, as in < 0.5",
            )

    def overridden(self, lines: Iterable[str]) -> Margins:
        """The margins with some replaced by lines of a project's ini file.

        Args:
            lines: Lines of the form `name = number`.

        Raises:
            SettingsError: A line cannot be read, or names no margin, or names the margin of another line.
        """
        known = [one.name for one in fields(self)]
        changes: dict[str, float] = {}
        for line in filter(None, (line.strip() for line in lines)):
            name, _, value = (part.strip() for part in line.partition("="))
            if name not in known:
                raise SettingsError(f"lengthprobe_margins: no margin is called {name!r}", _named(name))
            try:
                number = float(value)
            except ValueError:
                number = math.nan
            if not math.isfinite(number):
                raise SettingsError(
                    f"lengthprobe_margins: {line!r} gives no number", f"{name} = {getattr(Margins(), name):g}"
                )
            _check_range(name, value, number)
            if name in changes:
                raise SettingsError(
                    f"lengthprobe_margins: {name} stands twice: {changes[name]:g} and {number:g}",
                    f"keep one of the two lines: {name} = {number:g}",
                )
            changes[name] = number
        return replace(self, **changes)

    def changed(self) -> dict[str, float]:
        """The margins other than the default, by name."""
        return {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if getattr(self, one.name) != one.default
        }


def _named(name: str) -> str:
    """A hint: the margin probably meant by a name, or all margins."""
    known = [one.name for one in fields(Margins)]
    near = nearest(name, known, _SLIP)
    return f"did you mean {near}?" if near else f"known: {', '.join(known)}"


def _check_range(name: str, value: str, number: float) -> None:
    """Refuse a margin with all possible values on one side: the claim would always hold, or never."""
    ((unit, most),) = (
        (one.metadata["unit"], one.metadata["most"]) for one in fields(Margins) if one.name == name
    )
    # Python reads a number as small as 1e-999 as 0: only a number written with zeros alone counts as 0.
    is_zero = not any(digit in "123456789" for digit in value.lower().partition("e")[0])
    if not is_zero and abs(number) < _SMALLEST:
        raise SettingsError(
            f"lengthprobe_margins: {name} = {value} is too small to be told from 0 by any number of answers",
            f"{name} = {getattr(Margins(), name):g}",
        )
    if number < 0 or (unit == "share" and number >= 1):
        raise SettingsError(
            f"lengthprobe_margins: {name} = {number:g} can decide nothing: a margin is not negative"
            + (", and a share is below 1" if unit == "share" else ""),
            f"{name} = {_meant(name, number):g}",
        )

    if unit == "words" and number >= most:
        raise SettingsError(
            f"lengthprobe_margins: {name} = {number:g} can decide nothing: errors are winsorised at "
            f"{most:g} words, and their mean never lies beyond",
            f"{name} = {getattr(Margins(), name):g}",
        )


def _meant(name: str, number: float) -> float:
    """The margin probably meant: a share typed in per cent, or else the default.

    A margin that nearly every model passes is never proposed: for `exact_match`, a share to reach, a small
    margin; for any other share a large margin.
    """
    if name == "exact_match":
        if number in (1, 100):
            return 0.99
        return number / 100 if _HALF <= number / 100 < 1 else float(Margins().exact_match)
    return number / 100 if 1 < number <= 100 * _HALF else float(getattr(Margins(), name))


@dataclass(frozen=True, slots=True)
class AlphaShares:
    """The numbers of shares into which alpha is divided for the verdict `broken`; each check has one share.

    Args:
        behaviour: The number for a check of behaviour (the model's responses).
        mechanism: The number for a check of a mechanism (the model's components).
    """

    behaviour: float = 1.0
    mechanism: float = 1.0


# The part of alpha for checks of behaviour. A user gets the responses, and the mean must tell a model that is
# off by a word from a healthy model (ours).
_OF_BEHAVIOUR = 0.75


def alpha_shares(n_languages: int, *, reference: bool) -> AlphaShares:
    """The shares of alpha, the chance of a false `broken`: three quarters go to checks of behaviour.

    The rest goes to checks of a mechanism. Every requirement counts, a requirement of behaviour once in each
    language; with a reference the regression forms count too. The numbers depend neither on the selection of
    claims nor on the checkpoint, so that no verdict does.
    """
    kinds = ("requirement", "mechanism", "regression") if reference else ("requirement", "mechanism")
    gating = [one.metadata["checks"] for one in fields(Margins) if one.metadata["kind"] in kinds]
    of_behaviour = gating.count(None) * max(1, n_languages)
    of_mechanism = sum(checks for checks in gating if checks is not None)
    return AlphaShares(of_behaviour / _OF_BEHAVIOUR, of_mechanism / (1 - _OF_BEHAVIOUR))
