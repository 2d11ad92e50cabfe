"""Refuse a command line from which pytest found another project than the project at hand.

pytest looks for its root directory before it knows the options of plugins. In `pytest --model /data/ckpt` it
takes the existing path after the space for a test path, starts from there, and silently reads neither the ini
file nor the conftest of the project.
"""

from __future__ import annotations

import argparse
import inspect
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.plugin.options import OPTIONS
from lengthprobe.plugin.refusal import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SHORT = {option.short: option.dest for option in OPTIONS if option.short}
_NAMES = {*_SHORT, *(option.flag for option in OPTIONS)}


def refuse_misread_paths(
    config: pytest.Config, args: Sequence[str], parser: pytest.Parser, *, short: bool = True
) -> None:
    """Refuse a value after a space that made pytest find another root directory or ini file.

    Args:
        config: The config, whose root directory has been found.
        args: The words of the command line.
        parser: Knows the options of every plugin and conftest that has been loaded.
        short: Whether the short options count, which the project's conftest must have had a chance to add.

    Raises:
        pytest.UsageError: A value did; the message has the line to type.
    """
    taken = {at for at in values_after_space(args) if _may_be_ours(args[at], parser, short=short)}
    values = {at + 1 for at in taken}
    kept = [arg for at, arg in enumerate(args) if at not in values]
    meant = _root(config, kept) if taken else None
    if meant is None or meant == (config.rootpath, config.inipath):
        return
    root, inipath = meant
    mended = [shlex.quote(f"{args[at]}={args[at + 1]}") for at in sorted(taken)]
    raise refusal(
        f"pytest took {' and '.join(args[at] for at in sorted(values))} for a test path: it started from "
        f"{config.rootpath} and did not read {inipath or f'the conftest of {root}'}",
        f"write an equals sign in place of the space: {' '.join(mended)}",
    )


def values_after_space(args: Sequence[str]) -> frozenset[int]:
    """The positions of words that may be lengthprobe's options, with a value in the next word."""
    end = args.index("--") if "--" in args else len(args)
    return frozenset(at for at in range(end - 1) if args[at] in _NAMES and not args[at + 1].startswith("-"))


def _may_be_ours(option: str, parser: pytest.Parser, *, short: bool) -> bool:
    """Whether nobody else has added an option with this name."""
    if option not in _SHORT:
        return True
    value = "a value that nothing has"
    try:
        read = vars(parser.parse_known_args([f"{option}={value}"], argparse.Namespace()))
    except (pytest.UsageError, SystemExit):
        return False
    return short and all(dest == _SHORT[option] for dest, given in read.items() if given == value)


def _root(config: pytest.Config, args: Sequence[str]) -> tuple[Path, Path | None] | None:
    """Root directory and ini file that pytest finds for a command line; None if pytest cannot be asked."""
    try:
        # There is no public way to ask. Should pytest move the function, nothing is refused.
        from _pytest.config.findpaths import determine_setup
    except ImportError:
        return None
    namespace = config.known_args_namespace
    paths = [arg for arg in namespace.file_or_dir if arg in args]
    known: dict[str, Any] = {
        "inifile": namespace.inifilename,
        "override_ini": namespace.override_ini,
        "args": paths,
        "rootdir_cmd_arg": namespace.rootdir or None,
        "invocation_dir": config.invocation_params.dir,
    }
    wanted = inspect.signature(determine_setup).parameters
    root, inipath, *_ = determine_setup(**{name: value for name, value in known.items() if name in wanted})
    return root, inipath
