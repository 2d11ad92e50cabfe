"""What `lengthprobe.plan.expected` takes from a report, and what without."""

from __future__ import annotations

import json

import pytest

from lengthprobe.errors import ReportError, SettingsError
from lengthprobe.margins import Margins, alpha_shares
from lengthprobe.measures import error_growth, exact_match
from lengthprobe.plan.expected import assume, from_report
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.measure_key import MeasureKey


def estimate(values, name="exact_match", checkpoint="model", bounds=(0.0, 1.0), **changes) -> Estimate:
    """One prompt a topic."""
    return Estimate.from_observations(
        [Observation(f"p{at}", f"t{at}", float(value)) for at, value in enumerate(values)],
        name=MeasureKey(name).of(checkpoint, "en", None),
        unit="share",
        bounds=bounds,
        **changes,
    )


@pytest.fixture
def report(tmp_path):
    """Return a function that writes report.json with some verdicts, and returns its path."""

    def write(*verdicts, **changes):
        claims = [
            {
                "claim": f"claim {at}",
                "kind": "requirement",
                "about": "behaviour",
                "language": "en",
                "checks": [verdict.as_check().as_dict()],
            }
            for at, verdict in enumerate(verdicts)
        ]
        settings = {"languages": ["en", "it"], "budget": 150, "alpha": 0.05}
        path = tmp_path / "report.json"
        path.write_text(json.dumps({"settings": settings, "reference": None, "claims": claims} | changes))
        return path

    return write


class TestFromReport:
    """A run's own spread."""

    def test_takes_the_spread_of_the_topics(self, report):
        """15 of 150 answers missed: a deviation of √(0.1 · 0.9)."""
        source = from_report(report(estimate([0] * 15 + [1] * 135) > 0.8))
        (claim,) = source.claims
        assert (claim.claim, claim.language, claim.unit) == ("claim 0", "en", "share")
        assert (claim.sides.margin, claim.sides.sign, claim.sides.alpha) == (0.8, 1, 0.05)
        assert claim.sides.shares == alpha_shares(2, reference=False).behaviour
        assert claim.spread.mean == pytest.approx(0.9)
        assert claim.spread.deviation == pytest.approx(0.3, rel=0.05)
        assert (claim.prompts_a_topic, claim.share_of_prompts) == (1, 1)

    @pytest.mark.parametrize("reference", ["reference", "model"])
    def test_knows_a_difference(self, report, reference):
        """Also of two checkpoints of one name, whose measure stands once."""
        fall = estimate([1] * 150) - estimate([1] * 150, checkpoint=reference)
        (claim,) = from_report(report(fall > -0.05)).claims
        assert (claim.spread.scale.low, claim.spread.scale.high, claim.spread.deviation) == (-1, 1, 0)

    def test_folder_stands_for_its_report(self, report):
        """As --lengthprobe-report=DIR names the folder."""
        path = report(estimate([1] * 150) > 0.8)
        assert from_report(path.parent).claims == from_report(path).claims

    def test_reads_the_level_of_an_early_look(self, report):
        """At 100 of 450 prompts a tenth of alpha: the same limits at 0.05 would be far more spread."""
        found = estimate([0] * 10 + [1] * 90, alpha=0.005) > 0.5
        settings = {"languages": ["en"], "budget": 450, "alpha": 0.05, "early_looks": [100, 150, 300]}
        (claim,) = from_report(report(found, settings=settings)).claims
        assert claim.spread.deviation == pytest.approx(0.3, rel=0.05)
        assert claim.share_of_prompts == 1

    def test_knows_the_prompts_that_a_claim_leaves_out(self, report):
        """75 of 150 prompts: every second prompt counts."""
        (claim,) = from_report(report(estimate([1] * 75) > 0.8)).claims
        assert claim.share_of_prompts == 0.5
        assert claim.topics(300) == 150

    def test_leaves_out_findings_and_what_was_not_measured(self, report):
        """Neither has a margin and an interval."""
        path = report(estimate([1] * 150) > 0.8, estimate([1] * 150) > 0.7)
        kept = json.loads(path.read_text())
        kept["claims"][0]["kind"] = "finding"
        path.write_text(json.dumps(kept))
        assert [claim.claim for claim in from_report(path).claims] == ["claim 1"]

    @pytest.mark.parametrize(
        ("text", "message"),
        [(None, "cannot be read"), ("{", "cannot be read"), ("[]", "is no report"), ("{}", "is no report")],
    )
    def test_refuses_what_is_no_report(self, tmp_path, text, message):
        """The message names the file."""
        path = tmp_path / "other.json"
        if text is not None:
            path.write_text(text)
        with pytest.raises(ReportError, match=rf"other\.json {message}"):
            from_report(path)

    def test_refuses_a_report_without_a_requirement(self, report):
        """There is nothing to plan."""
        with pytest.raises(ReportError, match="holds no requirement with an interval"):
            from_report(report())


class TestAssumed:
    """Without a run."""

    def test_has_every_claim_of_behaviour_and_its_regression(self):
        """Seven and seven, each with its margin."""
        claims = assume(0.95, 0.5).claims
        assert len(claims) == 14
        margins = Margins()
        of_name = {"length_error_rise": "length_error_rise", "exact_match_fall": "exact_match_fall"}
        for claim in claims:
            assert abs(claim.sides.margin) == getattr(margins, of_name.get(claim.claim, claim.claim))

    def test_a_change_is_spread_by_the_misses_of_one_side(self):
        """Of 5 % of misses half are in common: 5 % of the prompts differ."""
        (fall,) = [claim for claim in assume(0.95, 0.5).claims if claim.claim == "exact_match_fall"]
        assert fall.spread.deviation**2 == pytest.approx(0.05)

    def test_growth_is_spread_as_the_measure_is(self, answered):
        """Off by √2 words in a tenth of the prompts, at every length alike, as the measure finds it."""
        pairs = [(3 + at % 7, 3 + at % 7 + (2 if at % 10 == 0 else 0)) for at in range(700)]
        values = [one.value for one in error_growth(answered(*pairs), language="en").observations]
        deviation = (sum(value * value for value in values) / len(values)) ** 0.5
        (growth,) = [claim for claim in assume(0.8, 0.5).claims if claim.claim == "error_growth"]
        # A mean square error of 0.4 words on either side.
        assert growth.spread.deviation == pytest.approx(deviation, rel=0.1)
        assert exact_match(answered(*pairs), language="en").mean == 0.9

    @pytest.mark.parametrize(("exact", "agreement", "name"), [(1.1, 0.5, "exact"), (0.9, -1, "agreement")])
    def test_refuses_what_is_no_share(self, exact, agreement, name):
        """The message names the option."""
        with pytest.raises(SettingsError, match=f"{name} .* is no share"):
            assume(exact, agreement)
