"""`about` in a claim's marker: what a claim about the mechanism is for which checkpoint."""

from __future__ import annotations

import shutil

import pytest

from lengthprobe.plugin.exit_status import ExitStatus

CLAIMS = """
@pytest.mark.claim
def test_behaviour(probe):
    assert measures.exact_match(probe, language='en') > 0.5


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_mechanism(probe):
    assert measures.exact_match(probe, language='en') > 0.5


@pytest.mark.claim(about="mechanism", languages=["en"], kind="replication")
def test_described(probe):
    assert measures.exact_match(probe, language='en') > 0.5


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_change(probe, reference_probe):
    change = measures.exact_match(probe, language='en') - measures.exact_match(reference_probe, language='en')
    assert change > -0.3
"""


@pytest.fixture
def project(project):
    """A project with claims about behaviour and about the mechanism."""
    project.claims(CLAIMS)
    return project


@pytest.fixture
def foreign(tmp_path, weights):
    """A checkpoint of which nothing tells what it was tuned from."""
    directory = shutil.copytree(weights("tiny-it"), tmp_path / "foreign")
    (directory / "README.md").unlink()
    return f"--lengthprobe-model={directory}"


def claims(project, *args):
    """The claims that were run, each with its kind."""
    return {
        claim["nodeid"].partition("::test_")[2]: claim["kind"] for claim in project.report(*args)["claims"]
    }


def test_is_a_requirement_for_a_known_lineage(project):
    """A fixture model has to satisfy it, and the report says what each claim is about."""
    assert claims(project) == {"behaviour": "requirement", "mechanism": "requirement"}
    assert [claim["about"] for claim in project.report()["claims"]] == ["behaviour", "mechanism"]


def test_is_a_replication_for_any_other(project, foreign):
    """It is left out, counted apart, and said with what to type."""
    result = project.run(foreign)

    result.assert_outcomes(passed=1, deselected=3)
    result.stdout.fnmatch_lines(
        [
            "not run: 1 comparison with a reference (--lengthprobe-reference=NAME)",
            "not run: 1 replication of published findings (-m replication)",
            "not run: 1 claim about the mechanism*: llama-3.1 and fixture (--lengthprobe-lineage=NAME *",
        ]
    )
    assert claims(project, foreign, "-m", "replication") == {
        "mechanism": "replication",
        "described": "replication",
    }
    assert claims(project, foreign, "-m", "requirement") == {"behaviour": "requirement"}


def test_change_against_a_reference_is_a_requirement_for_all(project, foreign):
    """What gates a checkpoint whose mechanism nobody has described is how it has changed."""
    assert claims(project, foreign, "--lengthprobe-reference=tiny-it") == {
        "behaviour": "requirement",
        "change": "requirement",
    }


def test_run_of_claims_that_are_not_known_fails(project, foreign):
    """Where nothing else is selected nothing is decided, and the output says why."""
    result = project.run(foreign, "test_claims.py::test_mechanism")

    assert result.ret == ExitStatus.NOT_MEASURED
    result.stdout.fnmatch_lines(["not run: 1 claim about the mechanism*", "*no claim was decided*"])


def test_is_said_by_the_controller_of_workers(project, foreign):
    """Which collects nothing itself."""
    result = project.pytester.runpytest_subprocess("-n", "2", foreign)

    result.stdout.fnmatch_lines(["not run: 1 claim about the mechanism*"])
    result.assert_outcomes(passed=1)


def test_anything_else_is_refused(project):
    """The message names what a claim can be about."""
    project.claims("@pytest.mark.claim(about='magic')\ndef test_it(probe):\n    pass\n")

    result = project.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: test_claims.py::test_it: about='magic' is nothing that a claim can say",
            "*fix: about='behaviour' or about='mechanism'",
        ]
    )


class TestComponents:
    """Of whom it is captured what the components contribute."""

    BASE = """
@pytest.mark.claim(about="{about}", languages=["en"])
def test_base(base_probe):
    assert measures.exact_match(base_probe, language='en') < 0.5
"""

    def test_of_the_checkpoint_that_such_a_claim_takes(self, project, prepared):
        """With the responses, in one go, for all the languages that its claims need."""
        project.claims(CLAIMS.replace("test_behaviour(probe)", "test_behaviour(probe, language)"))

        project.run("--lengthprobe-languages=it,en")

        assert prepared == [("tiny-it", ["it", "en"], True)]

    @pytest.mark.parametrize("about", ["behaviour", "mechanism"])
    def test_of_each_checkpoint_for_itself(self, project, prepared, about):
        """A claim about the mechanism of one says nothing of another."""
        project.claims(CLAIMS + self.BASE.format(about=about))

        project.run()

        assert prepared == [("tiny-it", ["en"], True), ("tiny-base", ["en"], about == "mechanism")]

    def test_of_nobody_where_no_such_claim_runs(self, project, prepared):
        """It is left out, or skipped, or deselected."""
        project.run("--lengthprobe-lineage=other")
        project.run("--lengthprobe-languages=it", "-k", "mechanism or behaviour")
        project.run("-k", "behaviour")

        assert prepared[0] == ("tiny-it", [], False)
        assert not any(traces for _, _, traces in prepared)
