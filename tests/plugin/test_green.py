"""No claim is green over a comparison that was broken, undecided, or made and never asked."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.exit_status import ExitStatus

HOLDS = "measures.exact_match(probe, language='en') > 0.5"
BROKEN = "measures.exact_match(probe, language='en') < 0.1"
UNDECIDED = "measures.length_error(probe, language='en') > 0"
# In each, the last word is one that holds.
BODIES = {
    "or": f"assert {BROKEN} or {HOLDS}",
    "any": f"assert any([{BROKEN}, {HOLDS}])",
    "any that stops early": f"assert any([{HOLDS}, {BROKEN}])",
    "tuple": f"pair = ({BROKEN}, 'why')\n    assert pair\n    assert {HOLDS}",
    "list": f"assert [{BROKEN}]\n    assert {HOLDS}",
    "suppress": f"with contextlib.suppress(AssertionError):\n        assert {BROKEN}\n    assert {HOLDS}",
    "suppressed undecided": (
        f"with contextlib.suppress(AssertionError):\n        assert {UNDECIDED}\n    assert {HOLDS}"
    ),
    "except": (
        f"try:\n        assert {BROKEN}\n    except AssertionError:\n        pass\n    assert {HOLDS}"
    ),
    "if": f"if {BROKEN}:\n        pass\n    assert {HOLDS}",
    "bare comparison": f"{BROKEN}\n    assert {HOLDS}",
    "is not None": f"assert ({BROKEN}) is not None\n    assert {HOLDS}",
    "filter": f"kept = [one for one in (1, 2) if {BROKEN}]\n    assert {HOLDS}",
    "thread": (
        "with ThreadPoolExecutor() as pool:\n"
        f"        pool.submit(lambda: bool({BROKEN})).result()\n    assert {HOLDS}"
    ),
}
HEAD = "import contextlib\nfrom concurrent.futures import ThreadPoolExecutor\n\n\n"


def claim(body: str, marks: str = "", arguments: str = "probe") -> str:
    """The source of one claim."""
    return f"{HEAD}{marks}@pytest.mark.claim\ndef test_it({arguments}):\n    {body}\n"


@pytest.mark.parametrize("name", BODIES)
def test_claim_is_an_error(project, name):
    """Whatever holds beside it, the message names the comparison, and the run fails."""
    project.claims(claim(BODIES[name]))

    result = project.run("--lengthprobe-json=out.json")

    assert result.ret == ExitStatus.NOT_MEASURED
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the claim decided nothing: *", "*fix: assert *"])
    assert '"verdict": "error"' in (project.path / "out.json").read_text()


def test_message_names_the_comparison_that_nobody_asked(project):
    """Of a tuple in an assert, which is always true."""
    project.claims(claim(BODIES["tuple"]))

    project.run().stdout.fnmatch_lines(
        ["*its test compared exact_match(tiny-it, en) < 0.1, and did not ask whether that is so*"]
    )


@pytest.mark.parametrize(
    "body",
    [
        "assert -2 < measures.length_error(probe, language='en') < 2",
        "assert abs(measures.length_error(probe, language='en')) < 2",
        "assert all(measures.exact_match(probe, language=one) > 0.5 for one in ['en'])",
        f"found = {HOLDS}\n    assert found, found.reason",
        f"assert {HOLDS}, str({HOLDS.replace('0.5', '0.4')})",
        f"assert {HOLDS} and {HOLDS.replace('0.5', '0.4')}",
    ],
)
def test_usual_ways_to_assert_stay_right(project, body):
    """Chains, magnitudes, generators, messages: each comparison that was made was asked."""
    project.claims(claim(body))

    project.run().assert_outcomes(passed=1)


@pytest.mark.parametrize("scope", ["function", "module", "session"])
def test_broken_comparison_in_a_fixture_counts_for_every_claim_that_takes_it(project, scope):
    """Also for the second, which does not see the fixture set up."""
    project.claims(
        f"@pytest.fixture(scope='{scope}')\ndef ready(probe):\n    return bool({BROKEN})\n\n\n"
        + "\n\n".join(
            f"@pytest.mark.claim\ndef test_{name}(probe{taken}):\n    assert {HOLDS}\n"
            for name, taken in (("one", ", ready"), ("two", ", ready"), ("other", ""))
        )
    )

    result = project.run()

    result.assert_outcomes(errors=2, passed=1)
    result.stdout.fnmatch_lines(["*though exact_match(tiny-it, en) < 0.1 is broken"])


def test_verdicts_that_a_fixture_makes_are_for_claims_to_ask(project):
    """Each claim asks one of them, and each is green."""
    project.claims(
        "@pytest.fixture(scope='module')\ndef found(probe):\n"
        f"    return {{'one': {HOLDS}, 'two': {HOLDS}}}\n\n\n"
        "@pytest.mark.parametrize('name', ['one', 'two'])\n@pytest.mark.claim\n"
        "def test_it(probe, found, name):\n    assert found[name]\n"
    )

    project.run().assert_outcomes(passed=2)


@pytest.mark.parametrize("scope", ["function", "module", "session"])
@pytest.mark.parametrize("body", ["assert {}", "pair = (found, 'why')\n    assert pair\n    assert {}"])
def test_verdict_of_a_fixture_that_a_claim_never_asks_is_an_error(project, scope, body):
    """As in a tuple, which is always true; the message names the comparison."""
    project.claims(
        f"@pytest.fixture(scope='{scope}')\ndef found(probe):\n    return {BROKEN}\n\n\n"
        + claim(body.format(HOLDS), arguments="probe, found")
    )

    result = project.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*its test compared exact_match(tiny-it, en) < 0.1, and did not ask whether that is so*"]
    )


def test_one_of_several_verdicts_that_a_test_s_own_fixture_makes_is_not_enough(project):
    """What is made for one test alone, nobody else asks."""
    project.claims(
        f"@pytest.fixture\ndef found(probe):\n    return [{HOLDS}, {BROKEN}]\n\n\n"
        + claim("assert found[0]", arguments="found")
    )

    assert project.report()["claims"][0]["verdict"] == "error"


@pytest.mark.parametrize("ini", ["skip", "xfail"])
@pytest.mark.parametrize("arguments", ["probe, margin", "probe, language, margin"])
def test_claim_without_a_case_is_an_error(project, ini, arguments):
    """Of an empty `parametrize` pytest makes a skip, or an expected failure: nothing was compared."""
    project.ini(empty_parameter_set_mark=ini)
    project.claims(
        claim(
            "assert measures.exact_match(probe, language='en') > margin",
            "@pytest.mark.parametrize('margin', [])\n",
            arguments,
        )
        + f"\n\n@pytest.mark.claim\ndef test_other(probe):\n    assert {HOLDS}\n"
    )

    result = project.run("--lengthprobe-json=out.json")

    assert result.ret == ExitStatus.NOT_MEASURED
    assert '"verdict": "error"' in (project.path / "out.json").read_text()
    result.stdout.fnmatch_lines(["*the claim decided nothing: *parametrize gives it no case to run with*"])


@pytest.mark.parametrize(
    ("body", "verdict", "exit_status"),
    [(BROKEN, "broken", 1), (UNDECIDED, "undecided", 10), (HOLDS, "skipped", 11)],
)
def test_skip_takes_back_no_verdict(project, body, verdict, exit_status):
    """A claim that skips itself after a comparison is what the comparison came to."""
    project.claims(
        claim(
            f"try:\n        bool({body})\n    except AssertionError:\n        pass\n    pytest.skip('later')"
        )
    )

    report = project.report()

    assert [one["verdict"] for one in report["claims"]] == [verdict]
    assert project.run().ret == exit_status


def test_skip_after_the_test_takes_back_no_verdict(project):
    """As in the teardown of a fixture."""
    project.claims(
        "@pytest.fixture\ndef late():\n    yield\n    pytest.skip('late')\n\n\n"
        + claim(f"assert {BROKEN}", arguments="probe, late")
    )

    assert project.report()["claims"][0]["verdict"] == "broken"


def test_broken_comparison_after_the_test_is_an_error(project):
    """As in the teardown of a fixture, where nobody asserts it."""
    project.claims(
        f"@pytest.fixture\ndef late(probe):\n    yield\n    bool({BROKEN})\n\n\n"
        + claim(f"assert {HOLDS}", arguments="probe, late")
    )

    result = project.run()

    assert result.ret == ExitStatus.NOT_MEASURED
    result.stdout.fnmatch_lines(["*though exact_match(tiny-it, en) < 0.1 is broken"])


@pytest.mark.parametrize("scope", ["function", "module", "session"])
def test_comparison_after_the_test_that_nobody_asks_is_an_error(project, scope):
    """As in the teardown of a fixture."""
    project.claims(
        f"@pytest.fixture(scope='{scope}')\ndef late(probe):\n    yield\n    {BROKEN}\n\n\n"
        + claim(f"assert {HOLDS}", arguments="probe, late")
    )

    result = project.run()

    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == ExitStatus.NOT_MEASURED
    result.stdout.fnmatch_lines(["*compared exact_match(tiny-it, en) < 0.1, and did not ask whether*"])


class TestXfail:
    """A claim that is marked as expected to fail."""

    @pytest.mark.parametrize("body", [BROKEN, UNDECIDED])
    def test_does_not_hold_all_the_same(self, project, body):
        """Pytest counts the test as expected, the table says so, and no gate opens."""
        project.claims(claim(f"assert {body}", "@pytest.mark.xfail\n"))
        status = "broken" if body == BROKEN else "undecided"

        result = project.run("--lengthprobe-json=out.json")

        result.assert_outcomes(xfailed=1)
        assert result.ret == {"broken": pytest.ExitCode.TESTS_FAILED, "undecided": 10}[status]
        result.stdout.fnmatch_lines(
            [f"it * {status} (expected) *", "lengthprobe: not every claim holds, *: test_claims.py::test_it"]
        )
        (found,) = project.report()["claims"]
        assert (found["verdict"], found["expected"]) == (status, True)

    def test_called_after_a_broken_comparison_is_broken(self, project):
        """`pytest.xfail` within the test."""
        project.claims(claim(f"if not {BROKEN}:\n        pytest.xfail('known')"))

        assert project.report()["claims"][0]["verdict"] == "broken"
        assert project.run().ret == pytest.ExitCode.TESTS_FAILED

    def test_that_holds_is_green(self, project):
        """As pytest has it: better than expected."""
        project.claims(claim(f"assert {HOLDS}", "@pytest.mark.xfail\n"))

        assert project.run().ret == pytest.ExitCode.OK


class TestSubtests:
    """Parts of a test, each with its own assertion."""

    def test_broken_part_breaks_the_claim(self, project):
        """Although the last one holds."""
        project.claims(
            claim(
                f"with subtests.test():\n        assert {BROKEN}\n"
                f"    with subtests.test():\n        assert {HOLDS}",
                arguments="probe, subtests",
            )
        )

        (found,) = project.report()["claims"]

        assert (found["verdict"], len(found["checks"])) == ("broken", 2)

    def test_parts_that_hold_are_green(self, project):
        """Also where comparisons were made before the parts that ask them."""
        project.claims(
            claim(
                f"one, two = {HOLDS}, {HOLDS}\n    with subtests.test():\n        assert one\n"
                "    with subtests.test():\n        assert two",
                arguments="probe, subtests",
            )
        )

        assert project.run().ret == pytest.ExitCode.OK
