"""Stateless: a claim is run early only where no run can change the next."""

from __future__ import annotations

import enum
import functools
import itertools
import pathlib
import re
from collections.abc import Callable
from typing import Any

import pytest

from lengthprobe import measures
from lengthprobe.components.names import Component
from lengthprobe.plugin.stateless import is_stateless

LENGTHS, NAMES, PATTERN = (3, 5), frozenset({"a"}), re.compile("a")
PLACE, HEAD = pathlib.Path("a"), Component(1, 0)
QUEUE, BY_NAME, SEEN = ["de"], {"a": 1}, set[str]()
LEFT, NESTED = iter([1]), (1, ["de"])
COUNT = 0


class Colour(enum.Enum):
    """Fixed values."""

    RED = 1


class Pool:
    """An object with a state."""

    def take(self) -> int:
        """One of it."""
        return 1


POOL = Pool()


def fixed(probe: Any) -> Any:
    """Uses fixed values, a module, a class and a function."""
    return measures, NAMES, PATTERN, PLACE, HEAD, Colour.RED, Pool, helper(probe), list(LENGTHS)


def helper(probe: Any) -> Any:
    """Calls itself."""
    return helper(probe) if COUNT > 1 else LENGTHS


def with_default(probe: Any, language: str = "en") -> Any:
    """A default that is fixed."""
    return probe, language


def pops(probe: Any) -> Any:
    """Uses a list up."""
    return probe, QUEUE.pop()


def reads(probe: Any) -> Any:
    """Nobody knows that it only reads."""
    return probe, BY_NAME["a"]


def remembers(probe: Any) -> Any:
    """A set."""
    return probe in SEEN


def iterates(probe: Any) -> Any:
    """An iterator."""
    return probe, next(LEFT)


def nests(probe: Any) -> Any:
    """A list in a tuple."""
    return probe, NESTED


def counts(probe: Any) -> Any:
    """Sets a global name."""
    global COUNT
    COUNT += 1
    return probe


def draws(probe: Any) -> Any:
    """An object with a state."""
    return probe, POOL.take()


def calls(probe: Any) -> Any:
    """A function that has a state."""
    return pops(probe)


def within(probe: Any) -> Any:
    """In a function of its own."""

    def inner() -> Any:
        return QUEUE.pop()

    return probe, inner()


def in_comprehension(probe: Any) -> Any:
    """In a comprehension."""
    return [one for one in probe if one in QUEUE]


def default_list(probe: Any, kept: list[int] = []) -> Any:  # noqa: B006
    """A list that lives on."""
    kept.append(1)
    return probe, kept


def enclosed() -> Callable[[Any], Any]:
    """A function that counts in its closure."""
    numbers = itertools.count()

    def claim(probe: Any) -> Any:
        return probe, next(numbers)

    return claim


@functools.wraps(pops)
def wrapped(probe: Any) -> Any:
    """Wraps a function with a state."""
    return pops(probe)


@pytest.mark.parametrize("function", [fixed, helper, with_default, lambda probe: probe])
def test_fixed_values_are_no_state(function: Callable[..., Any]) -> None:
    """Modules, classes, functions, numbers, texts, tuples of them, values of lengthprobe's."""
    assert is_stateless(function)


@pytest.mark.parametrize(
    "function",
    [
        *(pops, reads, remembers, iterates, nests, counts, draws, calls, within, in_comprehension),
        *(default_list, enclosed(), wrapped, functools.partial(fixed, None)),
    ],
)
def test_a_value_that_can_change_is_a_state(function: Callable[..., Any]) -> None:
    """Wherever it is used."""
    assert not is_stateless(function)
