"""Names by which a waiver may name a claim, and a refusal for a name that no claim has."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from lengthprobe.nearest import nearest, nearest_first
from lengthprobe.plugin.refusal import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pytest

    from lengthprobe.reporting.ledger import Entry

_PACKAGE = Path(__file__).parents[1]
_TEST = re.compile(r"^\s*(?:async\s+)?def (test\w*)", re.MULTILINE)
_WITH_LANGUAGE = re.compile(r"(?P<claim>.+?)\s*(?:\[(?P<bracketed>[a-z]{2,3})\]|\s(?P<bare>[a-z]{2,3}))")
_SHOWN = 3


def fold(name: str) -> str:
    """The name of a claim without a difference of capitals or spaces."""
    return " ".join(name.split()).casefold()


def claim_names(entry: Entry, language: str | None = None) -> list[str]:
    """The names of a claim, folded: the phrase in the table, the function, the test.

    Args:
        entry: The claim.
        language: The language that each name ends with, in brackets or without; None for no language.
    """
    function = entry.nodeid.split("::")[-1].partition("[")[0]
    names = [entry.nodeid, entry.claim, entry.claim.partition(" [")[0], function]
    if language is not None:
        names = [f"{name}{after}" for name in names for after in (f" [{language}]", f" {language}")]
    return [fold(name) for name in dict.fromkeys(names)]


def without_language(name: str) -> str:
    """The name of a claim before the language at its end; empty where no language is there."""
    found = _WITH_LANGUAGE.fullmatch(name)
    return found["claim"] if found else ""


def refuse_unknown_names(
    named: Sequence[str], claims: Iterable[Entry], config: pytest.Config, option: str
) -> None:
    """Refuse a waiver that names no claim.

    A run may collect a part of the claims only. So a claim counts as known, too, where a file of the project
    or of the shipped suites has a test of its name.

    Args:
        named: The claims as the waivers name them.
        claims: All claims that were collected, before any choice.
        config: Knows where the project is.
        option: The name of the ini entry.

    Raises:
        pytest.UsageError: No claim has the name; or no language has the code at its end.
    """
    collected = list(claims)
    known = {
        name for entry in collected for name in [*claim_names(entry), *claim_names(entry, entry.language)]
    }
    left = [name for name in named if fold(name) not in known]
    if not left:
        return
    # A case of a claim that was not collected may have any parameters.
    elsewhere = {_without_case(name) for name in left} - known
    phrases = {entry.claim.partition(" [")[0] for entry in collected}
    functions = set(_functions(config))
    known |= functions | {_phrase(name) for name in functions}
    for name in left:
        claim = without_language(name)
        if claim and _without_file(claim) in known:
            _refuse_unknown_language(name, claim, option)
            continue
        if _without_file(name) in known or _without_case(name) in known & elsewhere:
            continue
        shown = nearest_first(claim or name, phrases or {_phrase(each) for each in functions})[:_SHOWN]
        raise refusal(
            f"{option}: {name!r} names no claim",
            f"did you mean {', or '.join(map(repr, shown))}?" if shown else f"take it out of {option}",
        )


def _without_file(name: str) -> str:
    """The name of a claim, folded, or of the function where a test is named with its file."""
    return fold(name.split("::")[-1])


def _without_case(name: str) -> str:
    """The name of a claim, folded, without the parameters in brackets at its end."""
    return _without_file(name).partition("[")[0].strip()


def _refuse_unknown_language(name: str, claim: str, option: str) -> None:
    from lengthprobe.task.languages import available

    code = name.removeprefix(claim).strip(" []")
    if code not in available():
        near = nearest(code, available(), 0.4)
        raise refusal(
            f"{option}: {name!r}: no language has the code {code!r}",
            f"{claim} [{near}]" if near else f"one of {', '.join(available())}",
        )


def _functions(config: pytest.Config) -> Iterator[str]:
    """The names of all test functions in files of the project and of the shipped suites."""
    roots = dict.fromkeys([config.rootpath, *map(Path, config.args), _PACKAGE / "suites"])
    for root in roots:
        for path in _test_files(root, config):
            try:
                yield from _TEST.findall(path.read_text(encoding="utf-8", errors="replace"))
            except OSError:
                continue


def _test_files(root: Path, config: pytest.Config) -> Iterator[Path]:
    patterns, passed_over = config.getini("python_files"), config.getini("norecursedirs")
    for folder, inner, names in os.walk(root):
        inner[:] = [
            name
            for name in inner
            if not any(fnmatch(name, each) for each in passed_over)
            and not Path(folder, name, "pyvenv.cfg").exists()
        ]
        yield from (Path(folder, name) for name in names if any(fnmatch(name, each) for each in patterns))


def _phrase(function: str) -> str:
    """The phrase of a function's name, folded."""
    return function.removeprefix("test_").replace("_", " ").casefold()
