"""`languages` in a claim's marker: which languages a claim is about."""

from __future__ import annotations

import pytest

LIMITED = """
@pytest.mark.claim(languages=["it"], published={"it": 0.8})
def test_it(probe, language):
    assert measures.exact_match(probe, language=language) > 0.5
"""
CONTRAST = """
@pytest.mark.claim(languages=("en", "it"))
def test_contrast(probe):
    assert abs(measures.exact_match(probe, language="en") - measures.exact_match(probe, language="it")) < 0.5
"""
ITALIAN = """
@pytest.mark.claim(languages="it", published={"it": 0.8})
def test_italian(probe):
    assert measures.exact_match(probe, language="it") > 0.5
"""
REQUIREMENT = """
@pytest.mark.claim
def test_exact(probe, language):
    assert measures.exact_match(probe, language=language) > 0.5
"""


def found(report):
    """The verdict on each claim in each language."""
    return {(claim["claim"], claim["language"]): claim["verdict"] for claim in report["claims"]}


def test_claim_runs_for_those_that_are_asked_in(project):
    """One that takes a language runs for those of its own that the settings ask in."""
    project.claims(LIMITED + REQUIREMENT)

    assert found(project.report("--lengthprobe-languages=en,it")) == {
        ("it", "it"): "holds",
        ("exact", "en"): "holds",
        ("exact", "it"): "holds",
    }


def test_claim_without_the_argument_needs_all_of_them(project):
    """A contrast runs where both are asked in."""
    project.claims(CONTRAST)

    assert found(project.report("--lengthprobe-languages=en,it")) == {("contrast", None): "holds"}


def test_claim_about_one_language_is_shown_with_it(project):
    """With its code and the figure that was published for it."""
    project.claims(ITALIAN)

    (claim,) = project.report("--lengthprobe-languages=en,it")["claims"]

    assert (claim["language"], claim["published"]) == ("it", "0.8")


@pytest.mark.parametrize(("source", "name"), [(LIMITED, "it"), (CONTRAST, "contrast"), (ITALIAN, "Italian")])
def test_claim_whose_language_is_not_asked_in_is_skipped(project, source, name):
    """The skip is counted and says what to type, and a run that decides another claim is well."""
    project.claims(source + REQUIREMENT)

    result = project.run()

    result.assert_outcomes(passed=1, skipped=1)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            f"{name} *skipped*",
            "skipped: 1 (needs the language it: --lengthprobe-languages=en,it)",
            "1 holds, 0 broken, 0 undecided, 0 errors, 1 skipped",
        ]
    )


def test_skipped_claim_asks_nothing(project, prepared):
    """A language that only a claim that is skipped needs is not asked in."""
    project.claims(CONTRAST + ITALIAN)

    project.run("--lengthprobe-languages=it").assert_outcomes(passed=1, skipped=1)

    assert prepared == [("tiny-it", ["it"], False)]


def test_all_are_asked_at_once(project, prepared):
    """The languages of claims that take no language are asked in before the first claim runs."""
    project.claims(CONTRAST + ITALIAN)

    project.run("--lengthprobe-languages=en,it")

    assert prepared == [("tiny-it", ["en", "it"], False)]


def test_unknown_language_is_refused(project):
    """A slip of the pen does not skip a claim for ever."""
    project.claims(LIMITED.replace('["it"]', '["italiano"]'))

    result = project.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: test_claims.py::test_it*: languages='italiano': language 'italiano' is not known",
            "*fix: did you mean it? available: de, en, es, fr, it, lb",
        ]
    )


def test_unknown_language_is_not_taken_for_its_neighbour(project):
    """A language that the marker names already is not proposed."""
    project.claims(LIMITED.replace('["it"]', '["it", "ita"]'))

    project.run().stderr.fnmatch_lines(["  fix: available: de, en, es, fr, it, lb"])


def test_same_figures_in_workers(project):
    """A skip in a worker is counted like any other."""
    project.claims(CONTRAST + REQUIREMENT)

    result = project.pytester.runpytest_subprocess("-n", "2")

    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["1 holds, 0 broken, 0 undecided, 0 errors, 1 skipped"])
