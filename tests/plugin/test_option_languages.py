"""--lengthprobe-languages."""

from __future__ import annotations

import pytest


def test_claim_runs_once_for_each(project):
    """The languages are the ids of the tests, in the order asked for."""
    report = project.report("--lengthprobe-languages=it,en")

    assert [claim["nodeid"].partition("[")[2] for claim in report["claims"]] == ["it]", "en]"]
    assert [claim["language"] for claim in report["claims"]] == ["it", "en"]


def test_ini_twin(project):
    """The ini file can name them, with spaces too."""
    project.ini(lengthprobe_languages="en it")

    assert project.report()["settings"]["languages"] == ["en", "it"]


@pytest.mark.parametrize(
    ("typed", "said", "meant"),
    [
        ("en,italiano", "language 'italiano' is", "en,it"),
        ("it,pt", "language 'pt' is", "it"),
        ("it,ita", "language 'ita' is", "it"),
        ("pt", "language 'pt' is", "en,it"),
        ("pt,german,it,nl", "languages 'pt' and 'german' and 'nl' are", "de,it"),
    ],
)
def test_unknown_language_is_refused(project, typed, said, meant):
    """The line to type keeps those that are known, and has none twice; beside it stand all there are."""
    result = project.run(f"--lengthprobe-languages={typed}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            f"ERROR: --lengthprobe-languages={typed}: {said} not known",
            f"  fix: --lengthprobe-languages={meant}; available: de, en, es, fr, it, lb",
        ]
    )


def test_unknown_language_in_the_ini_file(project):
    """The message names the file, and has the line for it."""
    project.ini(lengthprobe_languages="it pt")

    project.run().stderr.fnmatch_lines(
        [
            "*: language 'pt' is not known (lengthprobe_languages in *tox.ini)",
            "  fix: lengthprobe_languages = it; available: *",
        ]
    )


def test_claim_with_languages_of_its_own_keeps_them(project):
    """A claim that says which languages it is about is run for those."""
    project.claims(
        "@pytest.mark.parametrize('language', ['it'])\n@pytest.mark.claim\n"
        "def test_it(probe, language):\n    assert measures.exact_match(probe, language=language) > 0.5\n"
    )

    assert [claim["language"] for claim in project.report()["claims"]] == ["it"]


def test_ordinary_test_that_takes_a_language_is_told_to_be_a_claim(project):
    """Only claims run for each language."""
    project.claims("def test_it(language):\n    pass\n")

    project.run().stdout.fnmatch_lines(["*takes a language and is no claim: mark it @pytest.mark.claim"])


def test_ordinary_test_may_parametrize_the_name(project):
    """Somebody else's parameter of that name is theirs."""
    project.claims(
        "@pytest.mark.parametrize('language', ['c', 'd'])\ndef test_it(language):\n    assert language\n"
    )

    project.run().assert_outcomes(passed=2)
