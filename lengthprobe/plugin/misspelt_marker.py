"""Misspelt markers: `-m` names a marker that no test has, and the one that was probably meant."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from lengthprobe.nearest import nearest
from lengthprobe.plugin.markers import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import pytest

# What an expression says by a name of its own, or of a marker's arguments: `slow(reason="a flaky host")`.
_WORDS = ("and", "or", "not")
_ARGUMENTS = re.compile(r"\([^()]*=[^()]*\)")
_NAME = re.compile(r"[\w:+.\[\]/\\-]+")


def misspelt_marker(config: pytest.Config, borne: Collection[str], *, selected: bool) -> str:
    """What is said of a name in `-m` that no test has as a marker; empty where each has a bearer.

    A marker that is registered is spelt as it should be, whoever has it. A name that is like none is told of
    where it left no claim to run.

    Args:
        config: Holds the expression, and the registered markers.
        borne: The markers that tests have.
        selected: Whether any claim is left to run.
    """
    expression = str(config.getoption("markexpr", "") or "")
    registered = {re.split(r"[:(]", line)[0].strip() for line in config.getini("markers")}
    unknown = [name for name in _names(expression) if name not in borne and name not in registered]
    for name in unknown:
        near = nearest(name, sorted({*borne, *KINDS}))
        if near is not None:
            meant = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", near, expression)
            return f"no test has the marker {name}: did you mean -m {shlex.quote(meant)}?"
    if unknown and not selected:
        return f"no test has the marker {unknown[0]}: a claim has one of {', '.join(KINDS)}"
    return ""


def _names(expression: str) -> Iterator[str]:
    for found in _NAME.findall(_ARGUMENTS.sub("", expression)):
        if found not in _WORDS:
            yield found
