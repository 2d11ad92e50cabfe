"""Findings: claims that state what a model does, either way, and are never red."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.exit_status import ExitStatus

FINDINGS = '''
@pytest.mark.claim
def test_requirement(probe):
    assert measures.exact_match(probe, language="en") > 0.5


@pytest.mark.claim(kind="replication")
def test_replication(probe):
    assert measures.exact_match(probe, language="en") > 0.5


@pytest.mark.claim(source="a paper", kind="finding", published={"en": -0.07})
def test_error_of_an_answer(probe, language, report):
    """How far an answer's length is from the one asked for."""
    report(measures.length_error(probe, language=language), "of tiny answers")


@pytest.mark.finding
@pytest.mark.claim
def test_finding_by_mark(probe, report):
    report(measures.exact_match(probe, language="en"))
    report(measures.length_error(probe, language="en") > 2.5, "nobody knows")
'''
ONE = '@pytest.mark.claim(kind="finding")\ndef test_it(probe, report):\n    {}\n'


@pytest.fixture
def project(project):
    """A project with findings beside a requirement and a replication."""
    project.claims(FINDINGS)
    return project


def ran(project, *args):
    """The claims that were run, with what became of each."""
    return {one["nodeid"].partition("::test_")[2]: one["verdict"] for one in project.report(*args)["claims"]}


def test_run_when_asked_for(project):
    """Left out otherwise, and counted, each kind with what to type."""
    found = dict.fromkeys(["error_of_an_answer[en]", "finding_by_mark"], "reported")

    project.run().stdout.fnmatch_lines(
        [
            "not run: 1 replication of published findings (-m replication)",
            "not run: 2 findings, which decide nothing (-m finding)",
        ]
    )
    assert ran(project) == {"requirement": "holds"}
    assert ran(project, "-m", "finding") == found
    assert ran(project, "-m", "finding or replication") == {"replication": "holds"} | found
    assert ran(project, "-m", "replication") == {"replication": "holds"}


def test_run_of_findings_alone_is_no_failure(project):
    """Nothing was to be decided; the table says what was found, beside the published figure."""
    result = project.run("-m", "finding", "-v")

    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=2, deselected=2)
    result.stdout.fnmatch_lines(
        [
            "*test_error_of_an_answer* REPORTED*",
            "error of an answer *en *reported *0.00 *-0.51 to 0.51 *16 (16) *of tiny answers *-0.07",
            "finding by mark *reported *100.0 % *16 (16)*",
            "*16 (16) *> 2.5 words: nobody knows*",
            "*0 errors, 0 skipped, 2 reported",
        ]
    )


def test_what_is_reported_is_kept(project):
    """An estimate has no margin; a comparison has its own verdict, whichever, and no prompt is the worst."""
    report = project.report("-m", "finding")
    first, second = report["claims"]

    assert report["totals"]["reported"] == 2
    assert (first["kind"], first["verdict"]) == ("finding", "reported")
    (check,) = first["checks"]
    assert (check["expression"], check["margin"]) == ("length_error(tiny-it, en)", None)
    assert (check["verdict"], check["says"]) == ("reported", "of tiny answers")
    assert [one["verdict"] for one in second["checks"]] == ["reported", "broken"]
    assert second["checks"][1]["worst"] == []


def test_report_for_people(project):
    """The page and the summary have it, and neither lists it among what needs attention."""
    project.run("-m", "finding", "--lengthprobe-report=out")

    page, summary = ((project.path / "out" / name).read_text() for name in ("index.html", "summary.md"))
    assert "2 findings reported" in page
    assert "What needs attention" not in page
    assert "of tiny answers" in page
    assert "## tiny\\-it: 2 findings reported" in summary or "## tiny-it: 2 findings reported" in summary
    assert "i reported | 0.00 | -0.51 to 0.51 | 16 (16) | words\\: of tiny answers |" in summary


def test_finding_beside_claims_that_decide_nothing(project):
    """A run in which claims were to be decided and none was fails, whatever was found."""
    project.claims(FINDINGS.replace("n(probe):\n", "n(probe):\n    pytest.skip('no')\n"))

    assert project.run("-m", "finding").ret == pytest.ExitCode.OK
    assert project.run("-m", "finding or replication").ret == ExitStatus.NOT_MEASURED


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("pass", "the finding reported nothing"),
        ("assert measures.exact_match(probe, language='en') > 0.5", "a finding is never red"),
        ("assert measures.exact_match(probe, language='en') < 0.5", "a finding is never red"),
        ("assert measures.length_error(probe, language='en') < 0.4", "a finding is never red"),
        ("report(0.3)", "TypeError: report(0.3): this is no estimate"),
        ("assert 1 > 2", "assert 1 > 2"),
    ],
)
def test_finding_that_is_none_is_an_error(project, body, why):
    """One that reports nothing, or that asserts, be it true or not; and any other mistake."""
    project.claims(ONE.format(body))

    result = project.run("-m", "finding")

    result.assert_outcomes(errors=1)
    assert result.ret == ExitStatus.NOT_MEASURED
    result.stdout.fnmatch_lines([f"*{why}*", "*1 error*"])


def test_checkpoint_that_cannot_be_loaded_is_an_error(project, tmp_path):
    """As for every claim."""
    project.run("-m", "finding", f"--lengthprobe-model={tmp_path}").assert_outcomes(errors=2, deselected=2)


def test_finding_that_is_skipped_reports_nothing(project):
    """Where nothing at all was found, the run says so."""
    project.claims(ONE.format("pytest.skip('not here')"))

    result = project.run("-m", "finding")

    assert result.ret == ExitStatus.NOT_MEASURED
    result.stdout.fnmatch_lines(["skipped: 1 (not here)"])


def test_workers_report_too(project):
    """What a worker found stands in the controller's table, and what it left out is said."""
    result = project.run("-m", "finding", "-n", "1")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*2 reported"])
    project.run("-n", "1").stdout.fnmatch_lines(["not run: 2 findings, which decide nothing (-m finding)"])
