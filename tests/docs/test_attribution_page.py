"""The page on attribution: its code runs in order, and prints what the page shows."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sybil import Sybil
from sybil.evaluators.doctest import NUMBER
from sybil.example import SybilFailure
from sybil.parsers.markdown import PythonCodeBlockParser

from lengthprobe import measures
from lengthprobe.measures.attribution.component_groups import COMPONENT_GROUPS

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "attribution.md"


def run(page: Path) -> None:
    """Run a page's blocks in one namespace; numbers are compared to the digits that it shows."""
    for example in Sybil([PythonCodeBlockParser(doctest_optionflags=NUMBER)]).parse(page):
        example.evaluate()


def test_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block runs from the root of a clone without a warning, and prints what the page shows."""
    monkeypatch.chdir(ROOT)
    run(PAGE)


def test_table_of_measures() -> None:
    """It names every measure of components, with the options that it takes and no other."""
    section = _section_of_measures()
    rows = [line.replace(r"\|", "").split("|") for line in section.splitlines() if line.startswith("| `")]
    shown = {
        measure: set(re.findall(r"`(\w+)`", options))
        for _, names, _, options, _ in rows
        for measure in re.findall(r"`(\w+)`", names)
    }
    assert shown == {
        name: _options(getattr(measures, name))
        for name in measures.__all__
        if "Traceable" in str(inspect.signature(getattr(measures, name)))
    }


def test_component_groups_are_named() -> None:
    """Each that a measure takes, and no other."""
    (line,) = [line for line in _section_of_measures().splitlines() if line.startswith("- `component`")]
    assert set(re.findall(r'`"([^"]+)"`', line)) == set(COMPONENT_GROUPS)


def _section_of_measures() -> str:
    return (
        PAGE.read_text(encoding="utf-8").partition("## The measures of components\n")[2].partition("\n## ")[0]
    )


def _options(measure: Callable[..., object]) -> set[str]:
    return set(inspect.signature(measure).parameters) - {"probe", "component", "language"}


@pytest.mark.parametrize(("shown", "right"), [("2.72", True), ("2.74", False), ("2.7 logits", False)])
def test_wrong_output_fails(tmp_path: Path, shown: str, right: bool) -> None:
    """A number that differs in the digits shown is a failure, as is any other text."""
    page = tmp_path / "page.md"
    page.write_text(f"```python\nimport math\n```\n\n```python\n>>> print(math.e)\n{shown}\n```\n")
    if right:
        run(page)
    else:
        with pytest.raises(SybilFailure, match=shown):
            run(page)
