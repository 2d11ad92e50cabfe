"""constraints.txt: a version for everything that `make` installs."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DIRECT = [
    Requirement(line)
    for line in (
        *PROJECT["dependencies"],
        *(x for some in PROJECT["optional-dependencies"].values() for x in some),
    )
]


def _pins() -> dict[str, str]:
    """The version of each package that stands in the lock for this Python and system."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    pins = [Requirement(line) for line in lines]
    return {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }


def _public(name: str) -> str:
    """The installed version of a package, without the name of its build."""
    return version(name).partition("+")[0]


@pytest.mark.parametrize("direct", DIRECT, ids=str)
def test_holds_a_version_that_pyproject_allows(direct):
    """Every direct dependency has one."""
    assert direct.specifier.contains(_pins()[canonicalize_name(direct.name)], prereleases=True)


def test_is_whole():
    """What the dependencies depend on in turn is locked too: a later release changes nothing for a clone."""
    pins, left, seen = _pins(), [(one.name, frozenset(one.extras)) for one in DIRECT], set()
    missing = set()
    while left:
        name, extras = left.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        if canonicalize_name(name) not in pins:
            missing.add(name)
        try:
            # Another version than the locked one may need other things.
            lines = (requires(name) or []) if _public(name) == pins.get(canonicalize_name(name)) else []
        except PackageNotFoundError:
            continue
        for line in map(Requirement, lines):
            wanted = (
                [line.marker.evaluate({"extra": extra}) for extra in ("", *extras)] if line.marker else [True]
            )
            if any(wanted):
                left.append((line.name, frozenset(line.extras)))
    assert missing == set()
