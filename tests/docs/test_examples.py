"""The examples of README and of the page on claims of your own run as they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lengthprobe import measures
from tests.docs.test_attribution_page import ROOT

if TYPE_CHECKING:
    from lengthprobe.probe import Probe

README = ROOT / "README.md"
OWN_CLAIMS = ROOT / "docs" / "own-claims.md"
INI = "[pytest]\nlengthprobe_budget = 40\nlengthprobe_languages = en,it,de\nlengthprobe_cap = 30\n"


def _blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@pytest.mark.usefixtures("tiny_it")  # A run in this process forgets what it imported: torch is there before.
def test_claims_run(pytester: pytest.Pytester) -> None:
    """The shown claims, finding and conftest make a project that passes with the short option."""
    blocks = _blocks(OWN_CLAIMS.read_text(encoding="utf-8"))
    conftest = next(block for block in blocks if "pytest_addoption" in block)
    claims = [block for block in blocks if "def test_" in block]
    assert len(claims) == 3
    pytester.makeini(INI)
    pytester.makeconftest(conftest)
    pytester.makepyfile(test_claims="\n\n".join(claims))

    result = pytester.runpytest_inprocess("--model=tiny-it", "-m", "claim or finding")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["german error*reported*"])


def test_readme_shows_the_same_claim() -> None:
    """The claim for another repository is the same in README and on the page."""
    assert _blocks(README.read_text(encoding="utf-8"))[1] in _blocks(OWN_CLAIMS.read_text(encoding="utf-8"))


def test_experiments_run(tiny_it: Probe) -> None:
    """The shown blocks with an ablated and a constrained probe run, and give an estimate."""
    experiments = [
        block for block in _blocks(OWN_CLAIMS.read_text(encoding="utf-8")) if block.startswith("with ")
    ]
    assert len(experiments) == 2
    for experiment in experiments:
        names = {"probe": tiny_it, "measures": measures}
        exec(experiment, names)
        assert names["error"].n > 0  # type: ignore[attr-defined]
