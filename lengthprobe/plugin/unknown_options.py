"""Unknown options: the option of lengthprobe's that was probably meant, beside pytest's own refusal.

A project whose conftest adds no `--model` has `--lengthprobe-model` alone. A misspelled option is unknown
everywhere. pytest refuses both, and shows with its refusal what stands in `Parser.extra_info`.
"""

from __future__ import annotations

import argparse
import shlex
from itertools import zip_longest
from typing import TYPE_CHECKING

import pytest

from lengthprobe.nearest import nearest
from lengthprobe.plugin.options import FLAGS, OF_A_COMMAND, OPTIONS, PREFIX, SWITCHES

if TYPE_CHECKING:
    from collections.abc import Sequence

_FULL = {option.short: option.flag for option in OPTIONS if option.short}
_BY_NAME = {option.name: option.flag for option in (*OPTIONS, *FLAGS, *SWITCHES, *OF_A_COMMAND)}
_VALUES = {option.flag: option.metavar for option in OPTIONS}
# Whoever misspells the prefix as well types most of a long name right; ours.
_ALIKE = 0.8


def explain_unknown(parser: pytest.Parser, typed: Sequence[str]) -> None:
    """Let pytest's refusal of an option that nobody knows say which of lengthprobe's was probably meant.

    Args:
        parser: Knows the options of every plugin and of every conftest that is loaded before the tests.
        typed: The words of the command line.
    """
    try:
        _, unknown = parser.parse_known_and_unknown_args(typed, argparse.Namespace())
    except (pytest.UsageError, SystemExit):
        # pytest refuses the line for another reason, and says so.
        return
    meant = [
        line
        for word, after in zip_longest(typed, typed[1:], fillvalue="")
        if word in unknown and (line := _line_to_type(word, after))
    ]
    if meant:
        parser.extra_info["fix"] = " ".join(dict.fromkeys(meant))
    elif any(word.startswith(PREFIX) for word in unknown):
        parser.extra_info["fix"] = f"pytest --help lists every option {PREFIX}NAME"


def _line_to_type(word: str, after: str) -> str | None:
    """The option that was probably meant, with its value; None where none of lengthprobe's is near.

    Args:
        word: An option that is unknown, with its value after an equals sign where there is one.
        after: The next word: the value, where no equals sign is.
    """
    typed, equals, value = word.partition("=")
    option = _FULL.get(typed) or _nearest(typed)
    if option not in _VALUES:
        return option
    if not equals:
        value = after if after and not after.startswith("-") else _VALUES[option]
    return shlex.quote(f"{option}={value}")


def _nearest(typed: str) -> str | None:
    if typed.startswith(PREFIX):
        # Of the whole names all are alike.
        name = nearest(typed.removeprefix(PREFIX), _BY_NAME)
        return None if name is None else _BY_NAME[name]
    # Beside `--model`, whoever wants `--lengthprobe-languages` tries `--languages`.
    return _BY_NAME.get(typed.removeprefix("--")) or nearest(typed, _BY_NAME.values(), _ALIKE)
