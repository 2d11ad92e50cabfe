"""The exit status: held, broken, undecided and not measured each have their own."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.exit_status import ExitStatus, exit_status
from lengthprobe.reporting.ledger import Entry, Ledger

BODIES = {
    "holds": "assert measures.exact_match(probe, language='en') > 0.5",
    "broken": "assert measures.exact_match(probe, language='en') < 0.1",
    "undecided": "assert measures.length_error(probe, language='en') > 0",
    "error": "raise OSError('no room')",
    "skipped": "pytest.skip('no')",
}
RUNS = [
    (["holds"], 0),
    (["holds", "broken", "undecided", "error"], 1),
    (["holds", "undecided"], 10),
    (["undecided"], 10),
    (["holds", "error"], 11),
    (["holds", "undecided", "error"], 11),
    (["skipped"], 11),
    (["holds", "undecided", "ordinary"], 1),
    (["holds", "error", "ordinary"], 1),
]


def claims(*names: str, marks: str = "") -> str:
    """A claim for each outcome, and a test that is no claim and fails."""
    return "\n\n".join(
        "def test_ordinary():\n    assert False\n"
        if name == "ordinary"
        else f"{marks}@pytest.mark.claim\ndef test_{name}(probe):\n    {BODIES[name]}\n"
        for name in names
    )


@pytest.mark.parametrize(("outcomes", "status"), RUNS)
def test_status_tells_the_most_urgent_outcome(project, outcomes, status):
    """Broken before not measured before undecided; 0 only where every claim holds."""
    project.claims(claims(*outcomes))

    assert project.run().ret == status


@pytest.mark.parametrize(("outcomes", "status"), [RUNS[at] for at in (0, 1, 2, 4, 7)])
def test_status_is_the_same_with_workers(project, outcomes, status):
    """The controller knows the outcomes of all workers."""
    project.claims(claims(*outcomes))

    assert project.pytester.runpytest_subprocess("-n", "2").ret == status


@pytest.mark.parametrize(("outcome", "status"), [("broken", 1), ("undecided", 10), ("error", 11)])
def test_xfail_mark_changes_no_status(project, outcome, status):
    """Although no failure is counted there."""
    project.claims(claims("holds", outcome, marks="@pytest.mark.xfail\n"))

    assert project.run().ret == status


def test_claim_that_did_not_run_is_not_measured(project):
    """After the first undecided claim nobody knows whether the next is broken."""
    project.claims(claims("undecided", "broken"))

    assert project.run("-x").ret == ExitStatus.NOT_MEASURED


def test_checkpoint_that_cannot_be_loaded_is_not_measured(project):
    """The model is not to blame for a broken file."""
    project.claims(claims("holds"))
    folder = project.path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")

    assert project.run("--lengthprobe-model=./model").ret in (ExitStatus.NOT_MEASURED, 4)


@pytest.mark.parametrize("now", [2, 3, 4, 7, 130])
def test_status_of_a_session_that_did_not_end_well_stays(now):
    """Interrupted, an internal error, a wrong option, or the status of another plugin."""
    assert exit_status(now, _ledger("broken"), (), has_problems=True) == now


@pytest.mark.parametrize("now", [0, 1, 5])
def test_status_stays_where_no_claim_is(now):
    """A project that has the plugin and no claims keeps its own, whatever failed there."""
    assert exit_status(now, Ledger(), {"test_it.py::test_it"}, has_problems=False) == now


def test_other_plugin_may_fail_a_session_in_which_all_claims_hold():
    """As one that wants more lines covered."""
    assert exit_status(1, _ledger("holds"), (), has_problems=False) == 1


def test_report_that_cannot_be_written_is_no_broken_claim():
    """The checkpoint is not to blame."""
    assert exit_status(0, _ledger("holds"), (), has_problems=True) == ExitStatus.NOT_MEASURED


def _ledger(verdict: str) -> Ledger:
    entry = Entry("test_it.py::test_it", "it", "It.", "", "requirement", "en", "", verdict)
    return Ledger({entry.nodeid: entry}, collected={entry.nodeid: entry})
