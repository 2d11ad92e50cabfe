"""Waivers in the ini file: a claim may fail until a day, for a reason that everybody sees."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import pytest

TODAY = datetime.now(tz=UTC).date()
SOON, LAST_WEEK = TODAY + timedelta(days=30), TODAY - timedelta(days=7)
BODIES = {
    "holds": "assert measures.exact_match(probe, language=language) > 0.5",
    "broken": "assert measures.exact_match(probe, language=language) < 0.1",
    "undecided": "assert measures.length_error(probe, language=language) > 0",
    "error": "raise OSError('no room')",
    "subtest": (
        "with subtests.test('first'):\n"
        "        assert measures.exact_match(probe, language=language) < 0.1\n"
        "    with subtests.test('second'):\n"
        "        assert measures.exact_match(probe, language=language) > 0.5"
    ),
}


def claims(*names: str) -> str:
    """A claim for each outcome."""
    return "\n\n".join(
        f"@pytest.mark.claim\ndef test_that_is_{name}(probe, language{', subtests' * (name == 'subtest')}):\n"
        f"    {BODIES[name]}\n"
        for name in names
    )


def waive(project, *lines: str) -> None:
    """Put waivers into the ini file."""
    project.ini(lengthprobe_waivers="".join(f"\n    {line}" for line in lines))


def run(project, *args: str):
    """Pytest in a process of its own, with every output."""
    return project.pytester.runpytest_subprocess(
        "--lengthprobe-report=R", "--junitxml=junit.xml", "-rA", *args
    )


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_waived_claims_fail_no_run_and_are_shown_everywhere(project, workers):
    """Broken or undecided: with the reason in the table, the page, the summary, JSON and JUnit XML."""
    project.claims(claims("holds", "broken", "undecided"))
    waive(
        project,
        f"that is broken until {SOON}: ticket 12, the tokenizer",
        f"that is undecided [en] until {SOON}: too few <topics>",
    )

    result = run(project, *workers)

    assert result.ret == 0
    table = result.stdout.str()
    assert "broken (waived)" in table
    assert "undecided (waived)" in table
    assert f"waiver: that is broken [en] (broken): waived until {SOON}: ticket 12, the tokenizer" in table
    assert "1 holds, 0 broken, 0 undecided, 0 errors, 0 skipped, 2 waived" in table
    report = json.loads((project.path / "R" / "report.json").read_text())
    assert report["totals"]["waived"] == 2
    assert [one["waiver"] and one["waiver"]["reason"] for one in report["claims"]] == [
        None,
        "ticket 12, the tokenizer",
        "too few <topics>",
    ]
    assert [one["state"] for one in report["waivers"]] == ["waived", "waived"]
    for name in ("index.html", "summary.md"):
        text = (project.path / "R" / name).read_text()
        assert "ticket 12, the tokenizer" in text
        assert "<topics>" not in text
        assert "2 of 3 claims are waived" in text
    cases = {
        case.get("name"): case for case in ElementTree.parse(project.path / "junit.xml").iter("testcase")
    }
    case = cases["test_that_is_broken[en]"]
    assert case.find("failure") is None
    assert case.find("skipped").get("message") == f"waived until {SOON}: ticket 12, the tokenizer"
    said = {each.get("name"): each.get("value") for each in case.iter("property")}
    assert (said["verdict"], said["waiver"][:6]) == ("broken", "waived")


@pytest.mark.parametrize(("outcome", "status"), [("broken", 1), ("undecided", 10)])
def test_expired_waiver_is_red_and_says_so(project, outcome, status):
    """The day after the last day."""
    project.claims(claims("holds", outcome))
    waive(project, f"that is {outcome} until {TODAY - timedelta(days=1)}: ticket 12")

    result = run(project)

    assert result.ret == status
    result.stdout.fnmatch_lines(
        [
            f"*waiver expired after {TODAY - timedelta(days=1)}: ticket 12*",
            f"*{outcome} (waiver expired)*",
            f"waiver: that is {outcome} ?en? ({outcome}): waiver expired after *",
        ]
    )
    assert "waiver expired" in (project.path / "R" / "index.html").read_text()


def test_last_day_of_a_waiver_counts(project):
    """Until a day means that day too."""
    project.claims(claims("broken"))
    waive(project, f"that is broken until {TODAY}: ticket 12")

    assert project.run().ret == 0


def test_waiver_never_makes_an_error_green(project):
    """Nobody knows whether the claim is broken."""
    project.claims(claims("holds", "error"))
    waive(project, f"that is error until {SOON}: ticket 12")

    result = project.run()

    assert result.ret == 11
    result.stdout.fnmatch_lines(["waiver: that is error: an error, and a waiver never covers an error"])


def test_waiver_of_a_claim_that_holds_can_be_removed(project):
    """A line says so, expired or not; the run is green."""
    project.claims(claims("holds"))
    waive(project, f"test_that_is_holds until {LAST_WEEK}: ticket 12")

    result = project.run()

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["waiver: test_that_is_holds: the claim holds; the waiver can be removed from lengthprobe_waivers"]
    )


def test_waiver_is_for_its_language_alone(project):
    """A claim in another language fails the run."""
    project.ini(lengthprobe_languages="en,it")
    project.claims(claims("broken"))
    waive(project, f"that is broken it until {SOON}: ticket 12")

    report = project.report()

    assert {one["language"]: one["waiver"] is not None for one in report["claims"]} == {
        "en": False,
        "it": True,
    }
    assert project.run().ret == 1


def test_claim_may_be_named_by_its_test(project):
    """As a line of pytest's summary shows the test."""
    project.claims(claims("broken"))
    waive(project, f"test_claims.py::test_that_is_broken[en] until {SOON}: ticket 12")

    assert project.run().ret == 0


def test_waived_subtest_fails_no_run(project):
    """A part of a waived claim, where a comparison ended the part."""
    project.claims(claims("subtest"))
    waive(project, f"that is subtest until {SOON}: ticket 12")

    assert project.run().ret == 0


def test_other_failures_of_a_waived_claim_are_red(project):
    """A plain assertion is no verdict, and the claim an error."""
    project.claims(claims("broken").replace("assert", "assert False\n    assert"))
    waive(project, f"that is broken until {SOON}: ticket 12")

    assert project.run().ret == 11


@pytest.mark.parametrize(
    ("line", "problem", "fix"),
    [
        ("that is broken", "no day and no reason is there", "that is broken until 2*: the reason"),
        ("that is broken: ticket", "no day is there", "that is broken until 2*: ticket"),
        (f"that is broken until {SOON}", "no reason is there", f"that is broken until {SOON}: the reason"),
        (f"that is broken until {SOON}:", "no reason is there", f"that is broken until {SOON}: the reason"),
        ("that is broken until soon: ticket", "no day is there, *", "that is broken until 2*: ticket"),
        ("that is broken until 2026-02-30: ticket", "there is no day 2026-02-30", "that is broken until *"),
        (
            f"that is broken until {date(TODAY.year + 3, 1, 1)}: ticket",
            "*-01-01 is more than 366 days away",
            f"that is broken until {TODAY + timedelta(days=366)}: ticket, or an earlier day",
        ),
        (f"that was broken until {SOON}: ticket", "*names no claim", "did you mean 'that is broken'[?]"),
        (f"that is broken [xx] until {SOON}: ticket", "*no language has the code 'xx'", "*"),
    ],
)
def test_waiver_that_cannot_be_meant_is_refused(project, line, problem, fix):
    """Before any claim runs, with the line to write."""
    project.claims(claims("broken"))
    waive(project, line)

    result = project.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: lengthprobe_waivers: *{problem}", f"*fix: {fix}"])


def test_two_waivers_of_a_claim_are_refused(project):
    """Nobody knows which of the days counts."""
    project.claims(claims("broken"))
    waive(project, f"that is broken until {SOON}: a", f"That  is broken until {TODAY}: b")

    assert project.run().ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("that is elsewhere", ("test_claims.py",)),
        ("that is elsewhere [it]", ("test_claims.py",)),
        ("that is broken [it]", ()),
        ("that is broken", ("-k", "holds")),
        ("most answers are exact", ("--pyargs", "test_claims.py")),
    ],
)
def test_waiver_of_a_claim_that_this_run_leaves_out_is_no_mistake(project, name, args):
    """The claim stands in another file, in the shipped suites, or in a language that is not asked."""
    project.claims(claims("holds", "broken"))
    (project.path / "test_other.py").write_text("def test_that_is_elsewhere():\n    pass\n")
    if name == "most answers are exact":
        suite = project.path / "behavior_tests"
        suite.mkdir()
        (suite / "test_length.py").write_text("def test_most_answers_are_exact():\n    pass\n")
    waive(project, f"{name} until {SOON}: ticket 12")

    result = project.run(*args)

    assert result.ret in (0, 1)
    result.stdout.fnmatch_lines(
        [f"waiver: {name.replace('[', '?').replace(']', '?')}: not decided in this run"]
    )


def test_unknown_name_is_refused_with_workers(project):
    """A worker finds out, since the controller collects nothing; no claim is run."""
    project.claims(claims("holds"))
    waive(project, f"that is hold until {SOON}: ticket 12")

    result = project.pytester.runpytest_subprocess("-n", "2")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(
        ["lengthprobe: *'that is hold' names no claim", "*did you mean 'that is holds'[?]"]
    )
    assert "INTERNALERROR" not in result.stdout.str()
