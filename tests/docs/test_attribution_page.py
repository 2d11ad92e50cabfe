"""The page on attribution: its code runs in order, and prints what the page shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from sybil import Sybil
from sybil.evaluators.doctest import NUMBER
from sybil.example import SybilFailure
from sybil.parsers.markdown import PythonCodeBlockParser

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
