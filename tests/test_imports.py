"""Imports run one way, from the bottom of the house to its top; see CONTRIBUTING.md."""

from __future__ import annotations

import ast
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import lengthprobe

ROOT = Path(lengthprobe.__file__).parent
# From the top of the house to its bottom: a module imports from its own row and from rows before that.
ROWS = (
    ("untrusted_text", "nearest", "spelling", "termination"),
    ("errors",),
    ("task",),
    ("sampling", "settings"),
    ("statistics",),
    ("checkpoints",),
    ("components",),
    ("generation",),
    ("activations",),
    ("attribution",),
    ("asking",),
    ("runs",),
    ("margins",),
    ("probe",),
    ("saved_probe",),
    ("measures",),
    ("portraits",),
    ("reporting",),
    ("scan",),
    ("plan",),
    ("review",),
    ("plugin",),
    ("cli",),
)
ROW = {name: row for row, names in enumerate(ROWS) for name in names}
# What is imported here is there for people who write claims; no module of ours reads it.
PUBLIC = "__init__"
MODULES = sorted(ROOT.rglob("*.py"))


def test_every_folder_and_module_has_a_row():
    """A new folder is given its place on purpose."""
    found = {path.stem if path.is_file() else path.name for path in ROOT.iterdir() if _is_ours(path)}
    assert found == {*ROW, PUBLIC, "suites"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    """A module imports nothing from a folder in a later row, for the type checker neither."""
    name = _name(path)
    if name == PUBLIC or name.startswith("suites"):
        return
    against = {other for other in _imported(path) if ROW[_top(other)] > ROW[_top(name)]}
    assert not against


def test_no_modules_import_each_other_in_a_circle():
    """Whatever is read first, all that it needs is there; names for the type checker alone do not count."""
    graph = {_name(path): _imported(path, typed=False) for path in MODULES}
    done: set[str] = set()
    circles = [circle for start in graph if (circle := _circle(graph, start, done))]
    assert not circles


def test_a_circle_is_found():
    """The test above can fail."""
    graph = {"a": frozenset({"b"}), "b": frozenset({"c", "d"}), "c": frozenset(), "d": frozenset({"b"})}
    assert _circle(graph, "a", set()) == ["b", "d", "b"]


def _is_ours(path: Path) -> bool:
    return path.suffix == ".py" or (path / "__init__.py").is_file()


def _name(path: Path) -> str:
    """The dotted name below the package, that of the folder for its `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == PUBLIC and len(parts) > 1 else parts)


def _top(name: str) -> str:
    return name.partition(".")[0]


@cache
def _imported(path: Path, *, typed: bool = True) -> frozenset[str]:
    """The modules of ours that a module imports.

    Args:
        path: Its file.
        typed: Whether to count, too, what is imported for the type checker alone, and within functions.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if typed else iter(tree.body)
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    own = _name(path)
    found = {_module(name) for name in names if name.split(".")[0] == "lengthprobe"}
    return frozenset(found - {own, PUBLIC})


def _module(name: str) -> str:
    """The module or folder that an imported name is, or is of."""
    parts = name.split(".")[1:]
    for length in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:length])
        if place.is_dir() or place.with_suffix(".py").is_file():
            return ".".join(parts[:length])
    return PUBLIC


def _circle(graph: dict[str, frozenset[str]], start: str, done: set[str]) -> list[str]:
    """The modules of a circle that can be reached from a module, empty where there is none."""
    path: list[str] = []

    def visit(name: str) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        path.append(name)
        found = next((circle for other in sorted(graph.get(name, ())) if (circle := visit(other))), [])
        path.pop()
        done.add(name)
        return found

    circle = visit(start)
    assert all(second in graph[first] for first, second in pairwise(circle))
    return circle
