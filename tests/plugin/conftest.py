"""A small project with claims, on which a test runs pytest."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

# Plugins of others take longer to import than most runs here last.
INI = """
[pytest]
addopts = -p no:hypothesispytest -p no:anyio -p no:jaxtyping -p no:typeguard
lengthprobe_model = tiny-it
lengthprobe_languages = en
lengthprobe_budget = 16
lengthprobe_cap = 30
lengthprobe_store = none
"""
CLAIMS = '''
import pytest
from lengthprobe import measures


@pytest.mark.claim(source="a paper", published={"en": 0.9})
def test_answers_are_exact(probe, language):
    """Most answers have the words asked for."""
    assert measures.exact_match(probe, language=language) > 0.5
'''


class Project:
    """A project in a folder of its own."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        pytester.makeini(INI)
        pytester.makepyfile(test_claims=CLAIMS)

    def ini(self, **values: str) -> None:
        """Add to the ini file, or replace what it says."""
        path = self.path / "tox.ini"
        kept = [line for line in path.read_text().splitlines() if line.partition(" =")[0] not in values]
        path.write_text("\n".join([*kept, *(f"{name} = {value}" for name, value in values.items())]) + "\n")

    def claims(self, source: str) -> None:
        """Replace the claims."""
        head = "import pytest\nfrom lengthprobe import measures\n\n\n"
        (self.path / "test_claims.py").write_text(head + source)

    def run(self, *args: str) -> pytest.RunResult:
        """Run pytest in this process."""
        return self.pytester.runpytest_inprocess(*args)

    def report(self, *args: str) -> dict[str, Any]:
        """Run pytest in this process, and return its JSON report."""
        path = self.path / "report.json"
        path.unlink(missing_ok=True)
        self.run(f"--lengthprobe-json={path}", *args)
        report: dict[str, Any] = json.loads(path.read_text())
        return report


@pytest.fixture(scope="session", autouse=True)
def _everything_imported() -> None:
    """Load a model once: a run in this process forgets what it imported, and torch is not imported twice."""
    import hypothesis.strategies  # noqa: F401
    import jinja2  # noqa: F401
    import matplotlib.backends.backend_svg
    import matplotlib.figure  # noqa: F401
    import tabulate  # noqa: F401

    import lengthprobe.plugin.probes
    import lengthprobe.plugin.progress
    import lengthprobe.plugin.rootdir
    import lengthprobe.plugin.summary
    import lengthprobe.plugin.workers
    import lengthprobe.portraits.attribution
    import lengthprobe.reporting.page
    import lengthprobe.reporting.tables
    import lengthprobe.runs.saved_engine
    import lengthprobe.runs.writing
    from lengthprobe import measures

    probe = lengthprobe.load("tiny-it", budget=16, cap=30)
    str(measures.length_error(probe, language="en") > 0)
    probe.identity()


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose claims are about a fixture model, asked 16 prompts in English."""
    # In CI pytest cuts no line of its summary; GitHub has variables that change what is printed.
    for variable in ("PYTEST_ADDOPTS", "CI", "BUILD_NUMBER", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)
    return Project(pytester)


@pytest.fixture
def weights() -> Callable[[str], Path]:
    """Return a function that says in which directory a fixture model is."""

    def directory(name: str) -> Path:
        from lengthprobe.checkpoints.catalog import resolve

        path = resolve(name).path
        assert path is not None
        return path.resolve()

    return directory


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str], bool]]:
    """What checkpoints are asked: which, in which languages, and whether with their attributions."""
    from lengthprobe.probe import Probe

    asked: list[tuple[str, list[str], bool]] = []
    prepare = Probe.prepare

    def recorded(self: Probe, languages: Sequence[str], *, traces: bool = False) -> None:
        asked.append((self.name, list(languages), traces))
        prepare(self, languages, traces=traces)

    monkeypatch.setattr(Probe, "prepare", recorded)
    return asked


@pytest.fixture
def rows_asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of rows of each call of generate."""
    from lengthprobe.asking import answering

    rows: list[int] = []
    answer = answering.answer

    def counted(checkpoint: Any, prompts: Sequence[Any], *given: Any, **more: Any) -> Any:
        rows.append(len(prompts))
        return answer(checkpoint, prompts, *given, **more)

    monkeypatch.setattr(answering, "answer", counted)
    return rows
