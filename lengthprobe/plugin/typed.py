"""Words of a command line as typed, and whether a flag that lets code run is among these words."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lengthprobe.plugin.options import FLAGS
from lengthprobe.plugin.refusal import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

# How deep files of arguments may name one another, before somebody has made a circle of them.
_DEEPEST = 20


def words(args: Iterable[str | os.PathLike[str]], depth: int = 0) -> list[str]:
    """The words of a command line as pytest reads them: paths as text, `@file` replaced by its lines."""
    found: list[str] = []
    for word in (os.fspath(arg) for arg in args):
        lines = _lines(word) if word.startswith("@") and depth < _DEEPEST else None
        found += [word] if lines is None else words(lines, depth + 1)
    return found


def _lines(word: str) -> list[str] | None:
    try:
        # As argparse opens the file.
        return Path(word[1:]).read_text(sys.getfilesystemencoding(), "surrogateescape").splitlines()
    except (OSError, ValueError):
        return None


def refuse_untyped_flags(config: pytest.Config) -> None:
    """Refuse a flag that lets code run unless the user typed the flag.

    Typed flags stand on the command line itself or in PYTEST_ADDOPTS, which are the user's own. A flag from
    `addopts`, from a file of arguments or from a conftest comes with the project.

    Raises:
        pytest.UsageError: An untyped flag is set; the message says by which file or option.
    """
    typed = {
        *map(os.fspath, config.invocation_params.args),
        *shlex.split(os.environ.get("PYTEST_ADDOPTS", "")),
    }
    for flag in FLAGS:
        if config.getoption(flag.dest) and flag.flag not in typed:
            raise refusal(
                f"{flag.flag} comes from {_origin(config, flag.flag, typed)}, and is obeyed only where it is "
                "typed: a project must not make anybody run code that it brings along",
                f"take it out of there; where you trust the checkpoint's author, type it: pytest {flag.flag}",
            )


def _origin(config: pytest.Config, flag: str, typed: Iterable[str]) -> str:
    """The place where a flag is set, in words by which a user finds the place."""
    if flag in config.getini("addopts"):
        overridden = any(one.startswith("addopts=") for one in config.getoption("override_ini") or ())
        return "addopts, which -o overrides" if overridden else f"addopts in {config.inipath}"
    files = [word for word in typed if word.startswith("@") and flag in words([word])]
    return files[0] if files else "a conftest or a plugin"
