"""A claim of cause on a model without control: broken at once, with its reason wherever it is shown."""

from __future__ import annotations

import json
import re

import pytest

REASON = "no control to explain (0.0 %, interval 0.0 to "
SAID = {"languages": "('en',)", "about": "'mechanism'"}
MARK = f"@pytest.mark.claim({', '.join(f'{name}={value}' for name, value in SAID.items())}"
CLAIMS = f'''
{MARK})
def test_needed(probe, language):
    """The heads are needed."""
    without = measures.control_without(probe, language=language)
    assert measures.control_without_random(probe, language=language) - without > 0.1


{MARK})
def test_text_is_kept(probe, language):
    """Ordinary text does without the heads."""
    assert measures.text_loss_rise(probe, language=language, kind="heads") < 0.5


{MARK}, kind="replication")
def test_base_is_negative(base_probe, language):
    """The base's late heads raise tokens that run on."""
    assert measures.share(measures.cwa(base_probe, component="late heads", language=language)) < -0.02


{MARK}, kind="finding")
def test_faithful(probe, language, report):
    """Attribution tells the causes."""
    report(measures.faithfulness(probe, language=language), "1 in the same order")
'''


@pytest.fixture
def project(project):
    """A project whose model keeps to no length, with claims on why it does."""
    project.ini(
        lengthprobe_model="tiny-base",
        lengthprobe_base="tiny-base",
        lengthprobe_lineage="llama-3.1",
        lengthprobe_budget=30,
    )
    project.claims(CLAIMS)
    return project


def test_claims_are_broken_and_the_base_is_measured(project):
    """Necessity and what is kept alike; a claim about the base is decided on what it does."""
    report = project.report("-m", "requirement or replication")

    found = {one["nodeid"].partition("::test_")[2]: one for one in report["claims"]}

    assert {name: one["verdict"] for name, one in found.items()} == {
        "needed[en]": "broken",
        "text_is_kept[en]": "broken",
        "base_is_negative[en]": "holds",
    }
    (check,) = found["needed[en]"]["checks"]
    assert check["unmet"]
    assert check["reason"].startswith(REASON)
    assert (check["mean"], check["n"]) == (None, 0)


def test_reason_stands_in_table_and_failure(project):
    """Beside the margin, where no number is; and below the claim's statement."""
    result = project.run("-m", "requirement or replication")

    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(
        [
            f"*{REASON}* %)",
            "  exact_match(tiny-base, en), the share of exact answers, has to be above 20 %; *",
            f"needed * en * broken * > 10 %: {REASON}* %)",
            f"text is kept * en * broken * < 0.5 nats: {REASON}* %)",
        ]
    )


def test_reason_stands_in_page_and_markdown(project):
    """And no effect, interval or size that nobody measured; nor a figure of it."""
    project.run("-m", "requirement or replication", "--lengthprobe-report=out")

    page = (project.path / "out" / "index.html").read_text().replace("\u00a0", " ")
    summary = (project.path / "out" / "summary.md").read_text()
    report = json.loads((project.path / "out" / "report.json").read_text())
    # In the row of each of two claims, and in the card that both share.
    assert page.count(REASON) == 3
    card = page[page.index("without control to explain</span></p>") :].partition("</article>")[0]
    assert REASON in card
    assert "<dt>found</dt>" not in card
    assert summary.count(REASON.replace("(", r"\(")) == 3
    assert "not known" not in summary
    assert not report["portraits"]["model"]["causes"]


def test_finding_is_reported_with_its_reason(project):
    """A finding is never red: it says in place of a number why there is none."""
    report = project.report("-m", "finding")

    ((check,),) = (claim["checks"] for claim in report["claims"])
    assert report["claims"][0]["verdict"] == "reported"
    assert check["reason"].startswith(REASON)
    project.run("-m", "finding").stdout.fnmatch_lines(
        [f"faithful * reported * 1 in the same order: {REASON}*"]
    )


def test_negated_claim_is_never_green(project):
    """What is broken for want of control shows nothing of its contrary."""
    project.claims(
        f"{MARK})\ndef test_it(probe, language):\n"
        "    assert not measures.control_without(probe, language=language) < 0.1\n"
    )

    assert [one["verdict"] for one in project.report()["claims"]] == ["error"]


def test_compound_claim_is_broken_at_the_first(project):
    """Of two comparisons the first decides."""
    project.claims(
        f"{MARK})\ndef test_it(probe, language):\n"
        "    without = measures.control_without(probe, language=language)\n"
        "    assert without < 0.1 and measures.exact_match(probe, language='en') > 0.5\n"
    )

    (claim,) = project.report()["claims"]
    assert (claim["verdict"], len(claim["checks"])) == ("broken", 1)


def test_workers_say_the_same(project):
    """With several processes the reasons are those of one."""
    alone, together = project.report(), project.report("-n", "2")

    def said(report):
        return {
            one["nodeid"]: [(one["verdict"], check["reason"]) for check in one["checks"]] for one in report
        }

    assert said(together["claims"]) == said(alone["claims"])
    assert re.search(re.escape(REASON), json.dumps(together, ensure_ascii=False))


def test_reference_without_control_is_named(project):
    """The candidate has control and its approved version none: undecided, of the reference."""
    project.ini(
        lengthprobe_model="tiny-it", lengthprobe_reference="tiny-base", lengthprobe_across_forms="true"
    )
    project.claims(
        f"{MARK})\ndef test_it(probe, reference_probe, language):\n"
        "    late = {'component': 'late heads', 'language': language}\n"
        "    found = [measures.cwa(one, **late) for one in (probe, reference_probe)]\n"
        "    assert measures.fall_of_share(*found) < 0.5\n"
    )

    (claim,) = project.report()["claims"]

    assert claim["verdict"] == "undecided"
    assert claim["checks"][0]["reason"].startswith("of the reference: no control to explain (0.0 %")


def test_estimate_beside_a_claim_says_why_it_is_not_measured(project):
    """In the report, the table, the page and the summary: no number, no interval, and the reason."""
    project.claims(
        f"{MARK}, kind='replication')\ndef test_it(probe, base_probe, language, show_beside):\n"
        "    late = {'component': 'late heads', 'language': language}\n"
        "    show_beside(measures.share(measures.cwa(probe, **late)))\n"
        "    assert measures.share(measures.cwa(base_probe, **late)) < -0.02\n"
    )

    result = project.run("-m", "replication", "--lengthprobe-report=out")

    report = json.loads((project.path / "out" / "report.json").read_text())
    page = (project.path / "out" / "index.html").read_text().replace("\u00a0", " ")
    summary = (project.path / "out" / "summary.md").read_text()
    ((beside,),) = (claim["beside"] for claim in report["claims"])
    assert (beside["unmet"], beside["mean"], beside["n"]) == (True, None, 0)
    assert beside["reason"].startswith(REASON)
    result.stdout.fnmatch_lines([f"beside: share *{REASON}*"])
    (line,) = (one for one in result.outlines if one.startswith("beside: "))
    assert "0 (0)" not in line
    assert "none" not in line
    assert REASON in page
    assert REASON.replace("(", r"\(") in summary
