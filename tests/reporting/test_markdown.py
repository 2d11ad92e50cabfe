"""The summary in Markdown."""

from __future__ import annotations

import pytest

from lengthprobe.reporting.ledger import VERDICTS
from lengthprobe.reporting.markdown import code, plain, summary


def test_says_who_what_and_why(report, claim, check):
    """The verdict in the heading, the counts, a row a check, and why a claim does not hold."""
    bad = check(verdict="broken", reason="it lies below", worst=["asked 3: 'a' → 'b'"])

    text = summary(report(claim(), claim("broken", bad, language="it"), base={"name": "tiny-base"}))

    assert text.splitlines() == [
        "## tiny-it: 1 of 2 claims is broken",
        "",
        r"**Behaviour broke; mechanism was not asked\.**",
        "",
        "✓ 1 holds · ✕ 1 broken · ? 0 undecided · ! 0 errors · – 0 skipped",
        "<br>base: tiny-base",
        "",
        "| requirements | behaviour | mechanism |",
        "| --- | --- | --- |",
        "| en | ✓ 1 holds | – none |",
        "| it | ✕ 1 broken | – none |",
        "",
        "| claim | language | verdict | effect | 90 % interval | n (topics) | margin | published |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        r"| it is so | en | ✓ holds | 0.25 | 0.10 to 0.40 | 300 (151) | \> 0 | \-0.07 |",
        r"| it is so | it | ✕ broken | 0.25 | 0.10 to 0.40 | 300 (151) | \> 0 | \-0.07 |",
        "",
        r"**✕ broken** (it): It is so\.",
        "",
        "- `length_error(m, en) > 0`: 0.25, interval 0.10 to 0.40, n 300 (151); it lies below",
        "  - `asked 3: 'a' → 'b'`",
    ]


def test_names_the_claims_that_did_not_run(report):
    """Above the table, with why; below it what was left out."""
    part = report(
        interrupted="pytest.exit: enough", missing=["a.py::b[en]"], not_run=["deselected: 2 claims"]
    )
    part["totals"]["missing"] = 1

    lines = summary(part).splitlines()

    assert lines[0] == "## tiny-it: interrupted: 1 of 2 claims ran"
    assert lines[2].startswith("**Not every claim is known or ran; of those that ran")
    assert lines[4].endswith("– 0 skipped · … 1 missing")
    assert lines[6:9] == [r"**… 1 missing**: pytest.exit\: enough", "", "- `a.py::b[en]`"]
    assert lines[-1] == r"deselected\: 2 claims"


def test_expected_failure_is_told_as_one(report, claim):
    """Broken all the same."""
    assert "| ✕ broken (expected) |" in summary(report(claim("broken", expected=True)))


def test_without_claims_there_is_no_table(report):
    """The heading says it."""
    text = summary(report(claims=[], totals=dict.fromkeys(VERDICTS, 0)))

    assert text.startswith("## tiny-it: no claim was decided\n")
    assert "|" not in text


def test_errors_and_skips_are_told_once(report, claim):
    """With their causes, on one line each."""
    lost = [claim("error", checks=[], message="NaN\n  fix: another step") for _ in range(2)]

    text = summary(report(*lost, claim("skipped", checks=[], message="needs a base"), model=None))

    assert text.startswith("## no checkpoint was asked: ")
    assert "**2 errors**: NaN fix\\: another step\n" in text
    assert text.endswith("**1 skipped**: needs a base\n")


def test_checkpoint_that_was_named_is_the_title(report):
    """Also where no claim about it came to an end; and the line below says why nothing more is known."""
    named = {"model": {"name": "./ckpt", "display_name": "ckpt"}}

    text = summary(report(model=None) | {"named": named, "interrupted": "KeyboardInterrupt"})

    assert text.startswith("## ckpt: interrupted: ")
    assert r"<br>model\: ckpt \(\./ckpt\)\: the run ended before any claim about it did" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("it is 0.5 of a well-known one", "it is 0.5 of a well-known one"),
        ("<img src=x>", r"\<img src=x\>"),
        ("[a](http://x)", r"\[a\]\(http\://x\)"),
        ("www.x.org", r"www\.x.org"),
        ("a|b\n\nc", r"a\|b c"),
        ("- one", r"\- one"),
        ("`x` *y* _z_ ~~w~~ @me #1 :tada: $m$ &lt;", None),
        ("\x1b[31m\u202e", r"\\x1b\[31m\\u202e"),
    ],
)
def test_others_text_means_nothing(text, shown):
    """No markup, link, mention, table cell or formula comes of it."""
    if shown is None:
        shown = "".join(f"\\{one}" if one in "`*_~@#:$&;"[:-1] else one for one in text)
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("a <b> c", "`a <b> c`"),
        ("a `b`` c", "```a `b`` c```"),
        ("`a", "`` `a ``"),
        ("", ""),
        ("a\nb", "`a b`"),
    ],
)
def test_code_span_cannot_be_left(text, span):
    """Its fence is longer than any in the text."""
    assert code(text) == span


def test_standing_reference_and_claims_without_control_are_told(report, claim, check, changed):
    """Whether a claim regressed, the reference's value, and the reason why nothing was measured, once."""
    measured = changed["en"]["values"][0]["measure"] | {"checkpoint": "tiny-it"}
    bad = check("length_error(tiny-it, en) < 0.1", verdict="broken", margin=0.1, measures=[measured])
    unmet = check(
        verdict="broken", unmet=True, mean=None, low=None, high=None, reason="no control to explain"
    )
    told = report(
        claim("broken", bad, nodeid="a"),
        *[claim("broken", unmet, claim=name, about="mechanism") for name in ("one", "two")],
        reference={"name": "approved"},
        against_reference=changed,
    )

    lines = summary(told).splitlines()

    assert lines[2].startswith(
        r"**Behaviour broke, and no control of the length is left to explain in en\.**"
    )
    assert any("| 0.25 (reference 0.50) |" in line for line in lines)
    place = lines.index("**⊘ 2 without control to explain**: no control to explain")
    assert lines[place + 2 : place + 4] == ["- one (en)", "- two (en)"]
