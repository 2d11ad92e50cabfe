"""Rounds: what all claims lack is asked at once, before the first of them runs."""

from __future__ import annotations

import json

import pytest

CUT = """
from pathlib import Path
from lengthprobe.measures import control_with_only, control_without


def without(probe, kind):
    return control_without(probe, language="en", kind=kind)


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_heads(probe):
    assert without(probe, "heads") < 0.5


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_mlps(probe):
    assert without(probe, "mlps") < 0.99


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_alone(probe):
    assert control_with_only(probe, language="en") > 0.01
"""


@pytest.fixture
def calls(monkeypatch):
    """How many rows each call of generate has, with the test that it was made in."""
    import os

    from lengthprobe.asking import answering

    made = []
    answer = answering.answer

    def counted(checkpoint, prompts, *given, **more):
        running = os.environ.get("PYTEST_CURRENT_TEST", "")
        made.append((len(prompts), "call" if "test_claims" in running and "(call)" in running else "before"))
        return answer(checkpoint, prompts, *given, **more)

    monkeypatch.setattr(answering, "answer", counted)
    return made


@pytest.fixture
def project(project):
    """Three claims of cause, on as many topics as there must be."""
    project.claims(CUT)
    project.ini(lengthprobe_budget="60", lengthprobe_lengths="3,6")
    return project


def figures(report):
    """The checks of each claim."""
    return {claim["nodeid"]: claim["checks"] for claim in report["claims"]}


def test_what_three_claims_lack_is_one_call(project, calls):
    """Beside the proof and the answers of the whole model; the claims themselves ask nothing."""
    project.report()

    assert [when for _, when in calls] == ["before"] * len(calls)
    rows = [n for n, _ in calls]
    # The check of the components, 60 prompts with attributions, three times the prompts on test topics.
    assert rows[:2] == [4, 60]
    assert len(rows) == 3
    assert rows[2] % 3 == 0


def test_figures_are_those_of_each_claim_alone(project, calls):
    """Of a session that stops at its first failure, too: there each claim asks for itself."""
    whole = figures(project.report())
    assert len(whole) == 3

    for name, checks in whole.items():
        alone = figures(project.report(name))
        assert alone == {name: checks}

    calls.clear()
    assert figures(project.report("--maxfail=9")) == whole
    assert [when for _, when in calls].count("call") == 3


def test_figures_are_those_of_workers(project):
    """There each claim asks for itself."""
    whole = figures(project.report())

    project.pytester.runpytest_subprocess("-n", "2", "--lengthprobe-json=shared.json")

    assert figures(json.loads((project.path / "shared.json").read_text())) == whole


def count_runs(project, claim):
    """How often a claim comes to the place where it says NOTE, and the result of the session."""
    noted = project.path / "runs.txt"
    noted.write_text("")
    note = f"Path({str(noted)!r}).write_text(Path({str(noted)!r}).read_text() + 'x')"
    project.claims("from pathlib import Path\n\n" + claim.replace("NOTE", note))
    result = project.run()
    return len(noted.read_text()), result


def test_a_claim_is_run_for_planning_and_unheard(project):
    """What it prints, warns of or logs then is heard once; its verdicts are those of its test."""
    runs, result = count_runs(
        project,
        """
@pytest.mark.filterwarnings("default")
@pytest.mark.claim
def test_exact(probe):
    import logging, sys, warnings

    exact = measures.exact_match(probe, language="en")
    NOTE
    print("printed once")
    print("said once", file=sys.stderr)
    logging.getLogger("ours").warning("logged once")
    warnings.warn("warned once")
    assert exact > 0.001
    assert exact < 0.5
""",
    )

    assert runs == 2
    assert result.outlines.count("printed once") == 1
    assert result.outlines.count("said once") == 1
    assert sum(line.endswith("logged once") for line in result.outlines) == 1
    assert sum("UserWarning: warned once" in line for line in result.outlines) == 1
    result.stdout.fnmatch_lines(["0 hold, 1 broken, 0 undecided, 0 errors, 0 skipped"])


OWN = "@pytest.fixture\ndef own():\n    return 1\n\n\n"
CLAIM = "@pytest.mark.claim\ndef test_a({}):\n    BODY"


@pytest.mark.parametrize(
    "claim",
    [
        # A fixture of the project's own, asked for in five ways.
        OWN + CLAIM.format("probe, own"),
        CLAIM.format("probe, tmp_path"),
        OWN + "@pytest.mark.usefixtures('own')\n" + CLAIM.format("probe"),
        OWN.replace("fixture", "fixture(autouse=True)") + CLAIM.format("probe"),
        OWN + "@pytest.mark.parametrize('own', [1], indirect=True)\n" + CLAIM.format("probe, own"),
        CLAIM.format("probe, request"),
        # One under the name of lengthprobe's.
        "@pytest.fixture\ndef probe(probe):\n    return probe\n\n\n" + CLAIM.format("probe"),
        # With a state, or a mark that says whether it is to be run.
        "class TestA:\n    @pytest.mark.claim\n    def test_a(self, probe):\n        BODY",
        "@pytest.mark.xfail\n" + CLAIM.format("probe"),
        "@pytest.mark.skipif(False, reason='')\n" + CLAIM.format("probe"),
    ],
)
def test_a_claim_that_may_not_be_run_twice_is_run_once(project, claim):
    """It asks for itself."""
    body = "exact = measures.exact_match(probe, language='en'); NOTE; assert exact > 0.2"
    runs, result = count_runs(project, claim.replace("BODY", body))

    assert runs == 1
    assert "1 holds" in result.stdout.str()


def test_values_of_parametrize_are_no_fixtures(project):
    """Such a claim is planned."""
    runs, result = count_runs(
        project,
        "@pytest.mark.parametrize('least', [0.2, 0.3])\n@pytest.mark.claim\n"
        "def test_a(probe, language, least):\n"
        "    exact = measures.exact_match(probe, language=language)\n    NOTE\n"
        "    assert exact > least\n",
    )

    assert runs == 4
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    "line",
    ["raise ValueError('odd')", "pytest.fail('odd')", "pytest.skip('odd')", "raise SystemExit('odd')"],
)
def test_what_a_claim_raises_is_heard_when_it_is_run(project, line):
    """And hinders no other claim."""
    runs, result = count_runs(
        project,
        f"@pytest.mark.claim\ndef test_a(probe):\n    {line}\n\n\n"
        "@pytest.mark.claim\ndef test_b(probe):\n"
        "    exact = measures.exact_match(probe, language='en')\n    NOTE\n    assert exact > 0.2\n",
    )

    assert runs == 2
    result.stdout.fnmatch_lines(["*odd*"])
    result.assert_outcomes(passed=1, skipped="skip" in line, errors="skip" not in line)


CLAIMS_OF_LOSS = """
from lengthprobe.components.names import Ablation


@pytest.mark.claim
def test_failing(probe):
    probe.losses(["A text that fails."], Ablation())


@pytest.mark.claim
def test_exact(probe):
    assert measures.exact_match(probe, language="en") > 0.2


@pytest.mark.claim
def test_cut(probe):
    with probe.ablated("MLP0") as ablated:
        assert measures.exact_match(ablated, language="en") < 0.9
"""


@pytest.mark.parametrize("error", ["ModelError('odd', 'mend it')", "RuntimeError('odd')"])
def test_a_question_that_fails_is_the_failure_of_its_claim(project, monkeypatch, error):
    """Whatever the error; what the other claims need is asked all the same, before they run."""
    from lengthprobe.asking import transformers_engine
    from lengthprobe.errors import ModelError

    raised = ModelError("odd", "mend it") if error.startswith("ModelError") else RuntimeError("odd")
    answer = transformers_engine.TransformersEngine._answer_one

    def fail(self, question):
        if getattr(question, "texts", ()) == ("A text that fails.",):
            raise raised
        return answer(self, question)

    monkeypatch.setattr(transformers_engine.TransformersEngine, "_answer_one", fail)
    project.claims(CLAIMS_OF_LOSS)

    report = project.report("-W", "ignore")

    assert [claim["verdict"] for claim in report["claims"]] == ["error", "holds", "holds"]
    assert "odd" in report["claims"][0]["message"]


def test_answers_before_a_failure_are_kept(project, monkeypatch, calls):
    """The claims whose batches come before it ask nothing again."""
    from lengthprobe.asking import answering
    from lengthprobe.errors import ModelError

    project.ini(lengthprobe_batch_size="8", lengthprobe_budget="16")
    claims = [
        f"""
@pytest.mark.claim
def test_{at}(probe):
    with probe.ablated("MLP{at}") as ablated:
        assert measures.exact_match(ablated, language="en") < 0.9
"""
        for at in range(3)
    ]
    project.claims("\n".join(claims))
    answer = answering.answer

    def fail(checkpoint, prompts, settings, readout, surgery=None, *given, **more):
        if surgery is not None and any("MLP2" in one.label for one in surgery.rows):
            raise ModelError("odd", "mend it")
        return answer(checkpoint, prompts, settings, readout, surgery, *given, **more)

    monkeypatch.setattr(answering, "answer", fail)

    report = project.report()

    assert [claim["verdict"] for claim in report["claims"]][2] == "error"
    assert [when for _, when in calls].count("call") == 0


@pytest.mark.parametrize(
    "claim",
    [
        (
            "LEFT = iter([0.2, 0.999])\n\n\n@pytest.mark.claim\ndef test_a(probe):\n"
            "    exact = measures.exact_match(probe, language='en')\n"
            "    NOTE\n    assert exact > 0.1\n    for one in LEFT:\n        assert exact > one\n"
        ),
        (
            "LEFT = ['de']\n\n\n@pytest.mark.claim\ndef test_a(probe):\n"
            "    language = LEFT.pop() if LEFT else 'en'\n    NOTE\n"
            "    assert measures.exact_match(probe, language=language) > 0.5\n"
        ),
    ],
)
def test_a_claim_with_a_state_is_run_once(project, claim):
    """And not green for what a first run has used up."""
    runs, result = count_runs(project, claim)

    assert runs == 1
    assert "1 holds" not in result.stdout.str()
    result.assert_outcomes(failed=1)


def test_a_claim_that_compares_something_else_is_an_error(project):
    """As where another module has the state."""
    state = "def state():\n    return state\n\n\nstate.left = [0.999, 0.2]\n"
    (project.path / "elsewhere.py").write_text(state)
    project.claims(
        "from elsewhere import state\n\n\n@pytest.mark.claim\ndef test_a(probe):\n"
        "    exact = measures.exact_match(probe, language='en')\n"
        "    assert exact > state.left.pop()\n"
    )

    (entry,) = project.report("-p", "no:cacheprovider")["claims"]

    assert entry["verdict"] == "error"
    assert "the claim has a state" in entry["message"]


@pytest.mark.parametrize("values", ["[iter([0.2, 0.999])]", "[[0.999, 0.2]]"])
def test_values_of_parametrize_are_those_of_the_test(project, values):
    """An iterator is not run through early; a list is copied."""
    project.claims(
        f"@pytest.mark.parametrize('left', {values})\n@pytest.mark.claim\ndef test_a(probe, left):\n"
        "    exact = measures.exact_match(probe, language='en')\n"
        "    try:\n"
        "        least = left.pop()\n"
        "    except AttributeError:\n"
        "        least = next(left)\n"
        "    assert exact > least\n"
    )

    (entry,) = project.report()["claims"]

    assert [check["margin"] for check in entry["checks"]] == [0.2]


def test_a_claim_that_draws_its_questions_ends(project):
    """It asks another question each time it is run: twenty times before its test."""
    runs, result = count_runs(
        project,
        "import random\nfrom lengthprobe.components.names import Ablation\n\n\n"
        "@pytest.mark.claim\ndef test_a(probe):\n    NOTE\n"
        "    (loss,) = probe.losses([f'Number {random.random()}.'], Ablation())\n"
        "    assert measures.exact_match(probe, language='en') > 0.2\n",
    )

    assert runs == 21
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("claim", "setting"),
    [
        # A warning of another claim's question, which its own mark lets pass.
        (
            (
                "@pytest.mark.claim\ndef test_a(probe):\n"
                "    assert measures.exact_match(probe, language='en') > 0.2\n\n\n"
                "@pytest.mark.filterwarnings('ignore::FutureWarning')\n"
                "@pytest.mark.claim\ndef test_b(probe):\n    import warnings\n"
                "    warnings.warn('soon', FutureWarning)\n"
                "    assert measures.exact_match(probe, language='en') > 0.2\n"
            ),
            {"filterwarnings": "error"},
        ),
        # A question within a group of tasks.
        (
            (
                "@pytest.mark.claim\ndef test_a(probe):\n    import asyncio\n\n"
                "    async def ask():\n        async with asyncio.TaskGroup() as group:\n"
                "            return group.create_task(part())\n\n"
                "    async def part():\n        with probe.ablated('MLP0') as ablated:\n"
                "            return measures.exact_match(ablated, language='en')\n\n"
                "    assert asyncio.run(ask()).result() < 0.9\n\n\n"
                "@pytest.mark.claim\ndef test_b(probe):\n"
                "    assert measures.exact_match(probe, language='en') > 0.2\n"
            ),
            {},
        ),
    ],
)
def test_no_claim_hinders_another(project, claim, setting):
    """Whatever it does when it is run early."""
    project.ini(**setting)
    project.claims(claim)

    assert [one["verdict"] for one in project.report()["claims"]] == ["holds", "holds"]


def test_a_debugger_is_for_the_test_alone(project):
    """Before, nobody would see its prompt."""
    runs, _ = count_runs(
        project,
        "@pytest.mark.claim\ndef test_a(probe):\n"
        "    exact = measures.exact_match(probe, language='en')\n    import sys\n    NOTE\n"
        "    breakpoint() if sys.breakpointhook.__name__ == '_refuse' else None\n    NOTE\n"
        "    assert exact > 0.2\n",
    )

    assert runs == 3


def test_an_interrupt_names_every_claim(project):
    """None is decided before all has been asked."""
    project.pytester.makeconftest(
        """
        from lengthprobe.asking import answering

        answer = answering.answer


        def interrupt(checkpoint, prompts, settings, readout, surgery=None, *given, **more):
            if surgery is not None:
                raise KeyboardInterrupt
            return answer(checkpoint, prompts, settings, readout, surgery, *given, **more)


        answering.answer = interrupt
        """
    )
    project.claims(CUT)

    project.pytester.runpytest_subprocess("--lengthprobe-json=out.json")

    report = json.loads((project.path / "out.json").read_text())
    assert report["interrupted"] == "KeyboardInterrupt"
    assert len(report["missing"]) == 3


def test_a_checkpoint_that_cannot_be_loaded_is_told_once(project):
    """As without rounds: by the claims, the first in full."""
    (project.path / "step-7").mkdir()
    (project.path / "step-7" / "config.json").write_text('{"model_type": "llama"}')
    project.ini(lengthprobe_model="./step-7")
    claim = CLAIM.format("probe").replace("BODY", "assert measures.exact_match(probe, language='en') > 0.2")
    project.claims(f"{claim}\n\n\n{claim.replace('test_a', 'test_b')}")

    result = project.run()

    result.assert_outcomes(errors=2)
    told = [
        line
        for line in result.outlines
        if "step-7 holds no weights" in line and not line.startswith("ERROR ")
    ]
    assert sum("(as above)" in line for line in told) == 1


def test_nothing_is_asked_early_where_fixtures_alone_are_set_up(project, calls):
    """`--setup-only` runs no claim: no more is asked than a fixture asks."""
    project.run("--setup-only")

    assert [n for n, _ in calls] == [4, 60]
