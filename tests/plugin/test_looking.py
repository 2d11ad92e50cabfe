"""Claims are judged on few prompts first, and on more while they are undecided."""

from __future__ import annotations

import json

import pytest

CLOSE = "assert measures.exact_match(probe, language=language) > 0.8"
CLEAR = "assert measures.exact_match(probe, language=language) > 0.4"
CLAIM = "@pytest.mark.claim\ndef test_{}(probe, language):\n    {}\n"
MECHANISM = """

@pytest.mark.claim(about="mechanism", languages=["en"])
def test_heads(probe, language):
    assert measures.control_without_random(probe, language=language) > 0.1


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_number(probe, base_probe, language):
    swap = measures.number_swap(probe, component="late heads", language=language)
    assert swap > measures.number_swap(base_probe, component="late heads", language=language)
"""


@pytest.fixture
def project(project, monkeypatch):
    """A project with looks at 8 and 12 of 30 prompts."""
    monkeypatch.setattr("lengthprobe.statistics.looks._EARLY", ((8, 0.1), (12, 0.2)))
    project.ini(lengthprobe_budget="30")
    project.claims(CLAIM.format("clear", CLEAR) + "\n\n" + CLAIM.format("close", CLOSE))
    return project


def checks(report):
    """The checks of each claim, by its name."""
    return {claim["claim"]: claim["checks"] for claim in report["claims"]}


def test_a_clear_claim_ends_at_the_first_look_and_a_close_one_goes_on(project, rows_asked):
    """8 answers of 8 show more than 40 %; more than 80 % take 30. Only new prompts are asked."""
    found = checks(project.report())

    assert [(check["verdict"], check["n"]) for (check,) in found.values()] == [("holds", 8), ("holds", 30)]
    assert sum(rows_asked) == 30


def test_the_interval_of_a_look_has_its_part_of_alpha(project):
    """All of n answers are exact: then the lower limit is alpha ** (1 / n)."""
    found = checks(project.report())

    assert found["clear"][0]["low"] == pytest.approx((0.05 * 0.1) ** (1 / 8))
    assert found["close"][0]["low"] == pytest.approx((0.05 * 0.7) ** (1 / 30))


def test_the_settings_name_the_looks(project):
    """So that a reader knows why claims have different numbers of prompts."""
    project.run().stdout.fnmatch_lines(
        ["*at most 30 prompts a language, claims judged after 8, 12 and 30*one-sided over all looks"]
    )


def test_a_fixed_number_has_one_look(project, rows_asked):
    """With the whole of alpha."""
    found = checks(project.report("--lengthprobe-fixed=30"))

    assert [(check["verdict"], check["n"]) for (check,) in found.values()] == [("holds", 30)] * 2
    assert found["close"][0]["low"] == pytest.approx(0.05 ** (1 / 30))
    assert sum(rows_asked) == 30


def test_a_budget_and_a_fixed_number_exclude_each_other(project):
    """On the command line, or in the ini file; what is typed goes before the ini file."""
    project.run("--lengthprobe-fixed=30", "--lengthprobe-budget=40").stderr.fnmatch_lines(
        ["ERROR: budget 40*fixed 30*", "*fix: --lengthprobe-budget=N or --lengthprobe-fixed=N, not both"]
    )
    project.ini(lengthprobe_fixed="20")
    project.run().stderr.fnmatch_lines(["ERROR: budget 30*fixed 20*"])
    found = checks(project.report("--lengthprobe-budget=28"))
    assert [check["n"] for (check,) in found.values()] == [8, 28]


@pytest.mark.parametrize("how", ["-x", "--maxfail=3", "--pdb"])
def test_looks_are_the_same_however_claims_are_run(project, how):
    """Together, or each at its turn."""
    assert checks(project.report(how)) == checks(project.report())


def test_figures_are_the_same_with_any_number_of_workers(pytester, monkeypatch):
    """To the bit, on behaviour and on mechanism, with the looks of the library, which workers have too."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    from tests.plugin.conftest import Project

    project = Project(pytester)
    project.ini(lengthprobe_budget="110", lengthprobe_base="tiny-base")
    project.claims(
        CLAIM.format("clear", CLEAR)
        + "\n\n"
        + CLAIM.format("close", CLOSE.replace("0.8", "0.96"))
        + MECHANISM
    )
    alone = checks(project.report())
    assert [check["n"] for name in ("clear", "close") for check in alone[name]] == [100, 110]

    for workers in ("1", "2", "4"):
        pytester.runpytest_subprocess("-n", workers, "--lengthprobe-json=shared.json")
        assert checks(json.loads((project.path / "shared.json").read_text())) == alone


def test_a_claim_alone_has_the_look_that_it_has_with_others(project):
    """No claim is judged on more prompts because another needs them."""
    whole = checks(project.report())
    for name, found in whole.items():
        assert checks(project.report("-k", name)) == {name: found}


def test_a_claim_that_cannot_run_twice_is_judged_once(project):
    """It takes a fixture of its own: then all prompts are asked, and alpha is whole."""
    project.claims(
        "@pytest.fixture\ndef least():\n    return 0.8\n\n\n"
        "@pytest.mark.claim\ndef test_own(probe, least):\n"
        "    assert measures.exact_match(probe, language='en') > least\n"
    )
    ((check,),) = checks(project.report()).values()

    assert (check["n"], check["verdict"]) == (30, "holds")
    assert check["low"] == pytest.approx(0.05 ** (1 / 30))


def test_a_finding_has_all_prompts(project):
    """It decides nothing, so that no look could end it."""
    project.claims(
        "@pytest.mark.claim(kind='finding')\ndef test_found(probe, report):\n"
        "    report(measures.exact_match(probe, language='en'), 'exact')\n"
    )
    ((check,),) = checks(project.report("-m", "finding")).values()

    assert check["n"] == 30


def test_a_claim_on_components_that_does_not_say_so_goes_on_too(project):
    """Its attributions are asked at its turn, and so are the further looks."""
    project.claims(
        "@pytest.mark.claim\ndef test_late(probe):\n"
        "    assert measures.exact_match(probe, language='en') > 0.8\n"
        "    assert len(probe.traces('en')) > 3\n"
    )
    ((check,),) = checks(project.report()).values()

    assert (check["n"], check["verdict"]) == (30, "holds")


def test_only_the_language_of_an_undecided_claim_is_asked_further(project, rows_asked):
    """English is decided at once."""
    project.ini(lengthprobe_languages="en,it")
    project.claims(
        "@pytest.mark.claim(languages=['en'])\n"
        + CLAIM.format("clear", CLEAR).partition("\n")[2]
        + "\n\n@pytest.mark.claim\ndef test_italian(probe):\n"
        "    assert measures.exact_match(probe, language='it') > 0.8\n"
    )
    project.report()

    assert sum(rows_asked) == 8 + 30


def test_an_undecided_claim_says_what_would_decide_it(project):
    """In prompts and minutes, with the option to type."""
    project.claims(CLAIM.format("closer", CLOSE.replace("0.8", "0.93")))
    result = project.run()

    result.stdout.fnmatch_lines(
        ["more prompts would decide 1 of 1 undecided claim, in about 1 min more: --lengthprobe-budget=*"]
    )


def test_a_claim_that_fails_on_few_prompts_is_judged_on_all(project):
    """Its error may come from the first prompts alone."""
    project.claims(
        "@pytest.mark.claim\ndef test_many(probe):\n"
        "    many = measures.exact_match(probe, language='en')\n"
        "    if many.n < 30:\n        raise ValueError('too few')\n"
        "    assert many > 0.8\n"
    )
    ((check,),) = checks(project.report()).values()

    assert (check["n"], check["verdict"]) == (30, "holds")


def test_a_broken_claim_ends_at_the_first_look(project):
    """A model that never ends its answers: of 8, none is right."""
    project.ini(lengthprobe_model="tiny-base")
    project.claims(CLAIM.format("clear", CLEAR.replace("0.4", "0.7")))
    ((check,),) = checks(project.report()).values()

    assert (check["n"], check["verdict"]) == (8, "broken")


def test_a_broken_comparison_that_nobody_asked_ends_no_looks(project):
    """The first comparison decides the claim, and is not decided yet."""
    project.claims(
        "@pytest.mark.claim\ndef test_two(probe):\n"
        "    close = measures.exact_match(probe, language='en') > 0.8\n"
        "    broken = measures.exact_match(probe, language='en') < 0.1\n"
        "    assert close\n    assert broken\n"
    )
    found = checks(project.report())["two"]

    assert [(check["n"], check["verdict"]) for check in found] == [(30, "holds"), (30, "broken")]


def test_a_failure_of_the_claims_own_ends_an_early_run(project):
    """`pytest.fail` in a file of the project's own, too: the verdict decides."""
    (project.path / "requirements_of_ours.py").write_text(
        "import pytest\n\n\ndef require(verdict):\n    if not verdict:\n        pytest.fail('not met')\n"
    )
    project.claims(
        "from requirements_of_ours import require\n\n\n@pytest.mark.claim\ndef test_own(probe):\n"
        "    require(measures.exact_match(probe, language='en') < 0.3)\n"
    )
    (claim,) = project.report()["claims"]

    assert (claim["verdict"], claim["checks"][0]["n"]) == ("broken", 8)


def test_a_claim_that_fails_after_a_comparison_has_the_part_of_the_last_look(project):
    """The comparison of the failed run is forgotten, and no part of alpha is spent twice."""
    project.claims(
        "@pytest.mark.claim\ndef test_many(probe):\n"
        "    many = measures.exact_match(probe, language='en')\n"
        "    holds = many > 0.8\n"
        "    if many.n < 30:\n        raise ValueError('too few')\n"
        "    assert holds\n"
    )
    ((check,),) = checks(project.report()).values()

    assert (check["n"], check["verdict"]) == (30, "holds")
    assert check["low"] == pytest.approx((0.05 * 0.7) ** (1 / 30))


def test_alpha_of_the_smallest_part_has_a_limit(project):
    """The message names the alpha to type."""
    project.run("--lengthprobe-alpha=0.000005", "--lengthprobe-budget=2000").stderr.fnmatch_lines(
        ["ERROR: alpha 5e-06: the look with the smallest part*", "*fix: --lengthprobe-alpha=1e-05, or *"]
    )
