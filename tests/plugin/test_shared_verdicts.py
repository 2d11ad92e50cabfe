"""No run is green over a comparison that a shared fixture made, and that no claim asked."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.exit_status import ExitStatus

HOLDS = "measures.exact_match(probe, language='en') > 0.5"
BROKEN = "measures.exact_match(probe, language='en') < 0.1"
TWO = (
    "@pytest.fixture(scope='{}')\ndef found(probe):\n"
    f"    good = {HOLDS}\n    bad = {BROKEN}\n    return good, bad\n"
)
ONE_ASKS = "@pytest.mark.claim\ndef test_one(found):\n    assert found[0]\n"
SAID = "*the fixture 'found' compared exact_match(tiny-it, en) < 0.1, and no claim asked whether that is so*"


class TestSharedFixtures:
    """The verdicts of a fixture that is set up for several tests: some claim has to ask each."""

    @pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
    @pytest.mark.parametrize("workers", [(), ("-n", "2")])
    def test_verdict_that_no_claim_asks_is_an_error(self, project, scope, workers):
        """The message names fixture and comparison, wherever the claim ran."""
        project.claims("\n\n".join([TWO.format(scope), ONE_ASKS]))

        result = project.run(*workers, "--lengthprobe-json=out.json")

        assert result.ret == ExitStatus.NOT_MEASURED
        result.stdout.fnmatch_lines(["one * error *", SAID])
        assert '"verdict": "error"' in (project.path / "out.json").read_text()

    @pytest.mark.parametrize("workers", [(), ("-n", "2")])
    def test_verdicts_that_several_claims_ask_are_green(self, project, workers):
        """Also where each process sees one of the claims alone."""
        other = ONE_ASKS.replace("one", "other").replace("[0]", "[1]")
        project.claims("\n\n".join([TWO.format("module").replace(BROKEN, HOLDS), ONE_ASKS, other]))

        result = project.run(*workers)

        result.assert_outcomes(passed=2)
        assert result.ret == pytest.ExitCode.OK

    @pytest.mark.parametrize("chosen", ["-k test_one", "test_claims.py::test_one"])
    def test_claim_that_is_left_out_may_ask_the_rest(self, project, chosen):
        """Of a part of the claims nobody knows what the others ask."""
        other = ONE_ASKS.replace("one", "other").replace("[0]", "[1]")
        project.claims("\n\n".join([TWO.format("module"), ONE_ASKS, other]))

        assert project.run(*chosen.split()).ret == pytest.ExitCode.OK

    def test_claim_that_is_broken_is_said_once(self, project):
        """It ended before it could ask the rest."""
        both = ONE_ASKS.replace("assert found[0]", "assert found[1]\n    assert found[0]")
        project.claims("\n\n".join([TWO.format("module"), both]))

        assert project.report()["claims"][0]["verdict"] == "broken"
