"""What becomes of a claim."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.exit_status import ExitStatus

SWALLOWED = """try:
        bool(measures.length_error(probe, language='en') > 0)
    except AssertionError:
        pass
"""


def test_claim_that_holds_passes(project):
    """A claim whose verdict holds passes, and the report has its statement, source and check."""
    (claim,) = project.report()["claims"]

    assert (claim["nodeid"], claim["verdict"]) == ("test_claims.py::test_answers_are_exact[en]", "holds")
    assert claim["statement"] == "Most answers have the words asked for."
    assert (claim["source"], claim["kind"], claim["language"]) == ("a paper", "requirement", "en")
    assert [(check["expression"], check["verdict"], check["n"]) for check in claim["checks"]] == [
        ("exact_match(tiny-it, en) > 0.5", "holds", 16)
    ]


def test_broken_claim_fails_and_says_all(project):
    """A broken claim fails, and shows its statement, effect, interval, margin and the worst prompts."""
    result = project.run("--lengthprobe-model=tiny-base")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "Most answers have the words asked for.",
            "broken: exact_match(tiny-base, en) > 0.5",
            "*16 prompts, 16 topics; margin 50 %",
            "*worst: topic *wrote*",
            "test_claims.py:8: broken",
            "BROKEN test_claims.py::test_answers_are_exact*",
        ],
        consecutive=False,
    )
    assert "Traceback" not in result.stdout.str()


def test_undecided_claim_fails_and_is_told_apart(project):
    """An undecided claim fails by a name of its own, and says how many more topics would decide it."""
    project.claims(
        "@pytest.mark.claim\ndef test_it(probe):\n"
        "    assert measures.length_error(probe, language='en') < 0.4\n"
    )

    result = project.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "undecided: length_error*",
            "*more topics would decide it",
            "*0 broken, 1 undecided*",
            "more prompts would decide 1 of 1 undecided claim, in about 1 min more: --lengthprobe-budget=*",
            "UNDECIDED test_claims.py::test_it*",
        ]
    )
    (claim,) = project.report()["claims"]
    assert claim["verdict"] == "undecided"
    (check,) = claim["checks"]
    assert check["advice"] == f"about {check['more_topics']} more topics would decide it"


def test_more_topics_are_not_offered_where_they_would_not_decide(project):
    """Nor is their option named: a margin at the effect itself stays undecided."""
    project.claims(
        "@pytest.mark.claim\ndef test_it(probe):\n"
        "    assert measures.exact_match(probe, language='en') > 0.9999\n"
    )

    result = project.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*1 undecided*"])
    assert "would decide" not in result.stdout.str().replace("will not decide", "")
    assert "--lengthprobe-budget" not in result.stdout.str()
    assert project.report()["claims"][0]["checks"][0]["more_topics"] is None


def test_undecided_is_no_pass_where_it_is_negated(project):
    """A claim that asserts the opposite of an undecided comparison is undecided, and does not pass."""
    project.claims(
        "@pytest.mark.claim\ndef test_it(probe):\n"
        "    assert not measures.length_error(probe, language='en') > 0\n"
    )

    assert project.report()["claims"][0]["verdict"] == "undecided"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("measures.length_error(probe, language='en')", "asked for the truth of no comparison"),
        ("pass", "asked for the truth of no comparison"),
        (SWALLOWED, "is undecided"),
        ("assert measures.exact_match(probe, language='en') < 0.01 or True", "is broken"),
        ("assert not measures.exact_match(probe, language='en') < 0.01", "is broken"),
    ],
)
def test_claim_that_decides_nothing_is_an_error(project, body, why):
    """A claim whose test ends well without a decided verdict is an error, and says what to assert."""
    project.claims(f"@pytest.mark.claim\ndef test_it(probe):\n    {body}\n")

    result = project.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*decided nothing*{why}", "*fix: assert*", "*1 error*"])
    assert result.ret == ExitStatus.NOT_MEASURED


def test_other_exception_in_a_claim_is_an_error(project):
    """A claim whose test raises something else is an error, with pytest's traceback."""
    project.claims(
        "@pytest.mark.claim\ndef test_it(probe):\n    assert measures.exact_match(probe, language='en')\n"
    )

    result = project.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*TypeError*neither true nor false*"])
    assert project.report()["claims"][0]["message"].startswith("TypeError: ")


MISTAKE = """
@pytest.mark.claim
def test_it(probe):
    assert measures.exact_match(probe, language='en') > 'half'
"""


def test_mistake_in_a_claim_is_shown_where_it_was_made(project):
    """The line of the claim and what to write, and no line of lengthprobe's but on demand."""
    project.claims(MISTAKE)

    shown = project.run().stdout
    shown.fnmatch_lines(
        [
            ">*assert measures.exact_match(probe, language='en') > 'half'",
            "E*TypeError: 'half' is no number; write exact_match(tiny-it, en) > 0.5",
            "test_claims.py:*: TypeError",
        ]
    )
    shown.no_fnmatch_line("*comparable.py*")
    project.run("--full-trace").stdout.fnmatch_lines(["*comparable.py*"])


def test_fault_of_lengthprobes_own_is_shown_whole(project):
    """An error that no line raises on purpose has the traceback that a bug report needs."""
    project.claims(MISTAKE.replace("'half'", "0.5").replace("'en'", "3"))

    project.run().stdout.fnmatch_lines(["*lengthprobe/*.py:*"])


def test_failed_assertion_before_any_verdict_is_an_error(project):
    """An assertion about something else than an estimate breaks no claim."""
    project.claims("@pytest.mark.claim\ndef test_it(probe):\n    assert probe.name == 'another'\n")

    assert project.report()["claims"][0]["verdict"] == "error"


def test_failed_assertion_about_something_else_is_an_error(project):
    """A test that fails after a verdict that holds has not broken its claim."""
    project.claims(
        "@pytest.mark.claim\ndef test_it(probe):\n"
        "    assert measures.exact_match(probe, language='en') > 0.1\n    assert probe.name == 'another'\n"
    )

    assert project.report()["claims"][0]["verdict"] == "error"


def test_skipped_claim_is_counted(project):
    """A claim that skips itself is counted with its reason."""
    project.claims("@pytest.mark.claim\ndef test_it():\n    pytest.skip('not today')\n")

    result = project.run()

    result.stdout.fnmatch_lines(
        ["skipped: 1 (not today)", "0 hold, 0 broken, 0 undecided, 0 errors, 1 skipped"]
    )


def test_expected_failure_keeps_its_verdict(project):
    """A claim that is expected to be broken does not fail the run, and its verdict is reported."""
    project.claims(
        "@pytest.mark.xfail\n@pytest.mark.claim\ndef test_it(probe):\n"
        "    assert measures.exact_match(probe, language='en') < 0.1\n"
    )

    project.run().assert_outcomes(xfailed=1)
    assert project.report()["claims"][0]["verdict"] == "broken"


def test_claim_with_parameters_is_told_apart(project):
    """The table names the parameters where there are others than the language."""
    project.claims(
        "@pytest.mark.parametrize('n', [3, 4])\n@pytest.mark.claim\n"
        "def test_it(probe, language, n):\n"
        "    assert measures.length_error(probe, language=language, lengths=[n]) < 2\n"
    )

    assert [claim["claim"] for claim in project.report()["claims"]] == ["it [en-3]", "it [en-4]"]


def test_junit_report_has_the_verdict(project):
    """Other reports of pytest say the same."""
    project.run("--lengthprobe-model=tiny-base", "--junitxml=junit.xml")

    assert "broken: exact_match(tiny-base, en) &gt; 0.5" in (project.path / "junit.xml").read_text()


def test_unknown_kind_is_refused(project):
    """A claim of a kind that does not exist stops the run with the kinds there are."""
    project.claims("@pytest.mark.claim(kind='law')\ndef test_it(probe):\n    pass\n")

    result = project.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*kind='law' is nothing*", "*fix: kind='requirement' or kind='replication'*"]
    )


def test_estimate_in_a_test_that_is_no_claim_is_explained(project):
    """An ordinary test that compares an estimate shows the verdict in its failed assertion."""
    project.claims("def test_it(probe):\n    assert measures.exact_match(probe, language='en') < 0.1\n")

    result = project.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *broken: exact_match(tiny-it, en) < 0.1"])


def test_run_without_a_decided_claim_fails(project):
    """A run in which every claim is skipped fails, and says why."""
    project.claims("@pytest.mark.claim\ndef test_it():\n    pytest.skip('not today')\n")

    result = project.run()

    assert result.ret == ExitStatus.NOT_MEASURED
    result.stdout.fnmatch_lines(["*no claim was decided*"])


def test_model_named_where_nothing_claims_anything_fails(project):
    """A run for which a model was named on the command line fails if there is no claim in it."""
    project.claims("def test_it():\n    pass\n")

    assert project.run().ret == pytest.ExitCode.OK
    assert project.run("--lengthprobe-model=tiny-it").ret == ExitStatus.NOT_MEASURED


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan"])
def test_run_that_runs_nothing_does_not_fail(project, option):
    """Only looking at what would run is no run without a decided claim."""
    assert project.run(option).ret == pytest.ExitCode.OK


def test_misspelt_measure_in_a_claim_is_one_message(project):
    """The claim is an error that names the nearest measure, without a traceback."""
    project.claims(
        "@pytest.mark.claim\ndef test_it(probe):\n"
        "    assert measures.exact_mach(probe, language='en') > 0.5\n"
    )

    result = project.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*measures.exact_mach: no measure is called 'exact_mach'", "*fix: did you mean exact_match?*"]
    )
    result.stdout.no_fnmatch_line("*AttributeError*")
