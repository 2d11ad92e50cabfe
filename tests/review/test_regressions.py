"""The list of regressions is that of the suites."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from lengthprobe.margins import Margins
from lengthprobe.review.regressions import REGRESSIONS, Regression
from lengthprobe.runs.saved import SavedRun
from lengthprobe.saved_probe import run_probe

ROOT = Path(__file__).parents[2]
SUITES = (
    ROOT / "behavior_tests" / "test_regression.py",
    ROOT / "mech_tests" / "test_mechanism_regression.py",
)


def claims() -> dict[str, ast.FunctionDef]:
    """The regression claims of both suites, by name."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SUITES]
    return {
        node.name.removeprefix("test_"): node
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


def test_list_has_every_claim() -> None:
    """In the order of the suites, with the same statements."""
    found = {name: ast.get_docstring(node) for name, node in claims().items()}
    assert found == {regression.claim: regression.statement for regression in REGRESSIONS}


def test_every_margin_of_a_regression_is_used() -> None:
    """And no other margin."""
    margins = [each.name for each in fields(Margins) if each.metadata["kind"] == "regression"]
    assert {regression.margin for regression in REGRESSIONS} == set(margins)


@pytest.mark.parametrize("regression", REGRESSIONS, ids=lambda regression: regression.claim)
def test_comparison_is_that_of_the_suite(
    regression: Regression, step: SavedRun, approved: SavedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same expression, interval and verdict."""
    settings = step.settings
    candidate = run_probe(step, settings)
    reference = run_probe(approved, settings).in_role("reference")
    language = regression.languages[0] if regression.languages else "it"
    ours = regression.verdict(candidate, reference, language, Margins())

    theirs = []
    from lengthprobe.statistics.verdict import Verdict

    monkeypatch.setattr(Verdict, "__bool__", lambda verdict: theirs.append(verdict) or True)
    namespace: dict[str, object] = {}
    exec(SUITES[regression.about == "mechanism"].read_text(encoding="utf-8"), namespace)
    namespace[f"test_{regression.claim}"](candidate, reference, language, Margins())

    assert [verdict.as_check() for verdict in theirs] == [ours.as_check()]
