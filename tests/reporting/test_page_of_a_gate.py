"""The page of a gate: the verdict on the whole run, and the candidate beside the reference."""

from __future__ import annotations

import re
from itertools import pairwise

from lengthprobe.reporting.conclusion import conclude
from lengthprobe.reporting.page import write_report


def test_verdict_on_the_whole_run_stands_first(shown, report, claim):
    """Before any number; with it what the sentence leaves out."""
    broken = claim("broken", about="mechanism", claim="heads write")

    read = shown(report(claim(), claim("undecided", about="mechanism"), broken), {})

    text = " ".join(read.shown.split())
    sentence = "✕ Behaviour holds, mechanism moved: heads write (en)."
    assert sentence in text
    assert text.index(sentence) < text.index("1 of 2 claims about mechanism is undecided.")
    assert text.index(sentence) < text.index("At a glance")
    assert "en✓ 1 holds✕ 1 broken, 1 undecided" in text


def test_changed_prompts_show_both_answers(shown, report, changed):
    """With the words asked for and written, and how many prompts changed."""
    read = shown(report(reference={"name": "approved"}, against_reference=changed), {})

    text = " ".join(read.shown.split())
    assert "7 answers are further from the length asked for, 2 are nearer, and 40 have other words." in text
    assert "The 2 worst:" in text
    assert "asked 3, wrote 90, the reference 3: Write exactly three words about the night." in text
    assert "candidate: 90 words, cut offSilver gulls carry deep islands" in text
    assert "reference: 3 words, as askedSalty harbors cradle" in text
    assert [tag[0] for tag in read.tags].count("details") == 2


def test_reference_stands_beside_the_candidate(shown, report, claim, check, changed):
    """In words, and as a mark on the strip."""
    measured = changed["en"]["values"][0]["measure"] | {"checkpoint": "tiny-it"}
    one = claim("holds", check("length_error(tiny-it, en) < 0.9", margin=0.9, measures=[measured]))

    read = shown(report(one, reference={"name": "approved"}, against_reference=changed), {})

    assert "0.25◇reference 0.50" in read.shown
    assert ("path", "class", "reference") in read.values


def test_standing_against_the_reference_is_told(shown, report, claim):
    """Beside each broken requirement."""
    conclusion = conclude([]).as_dict() | {"standings": {"a": "never good", "b": "not compared"}}
    broken = [claim("broken", nodeid=nodeid) for nodeid in "ab"]

    text = shown(report(*broken, conclusion=conclusion), {}).shown

    assert text.count("never good, no worse than the reference") == 1
    assert "not compared" not in text


def test_claims_without_control_are_told_together(shown, report, claim, check):
    """The reason stands once, however many claims ask why a model keeps to no length."""
    unmet = check(
        verdict="broken", unmet=True, mean=None, low=None, high=None,
        reason="no control to explain (1 %)", advice="exact_match(m, en) has to be above 20 %",
    )  # fmt: skip
    claims = [claim("broken", unmet, claim=name, about="mechanism") for name in ("one", "two", "three")]

    text = " ".join(shown(report(*claims), {}).shown.split())

    attention = text.partition("What needs attention")[2].rpartition("Claims")[0]
    assert attention.count("exact_match(m, en) has to be above 20 %") == 1
    assert "⊘ 3 without control to explain" in attention


def test_keyboard_and_screen_reader_find_their_way(tmp_path, reader, report, portrait):
    """A link to skip to the verdicts, headings without a gap, and tables with captions and scopes."""
    data = report(base={"name": "tiny-base", "weights": "b" * 64}), {"model": portrait()}
    read = reader(write_report(tmp_path, *data).read_text(encoding="utf-8"))

    assert read.values[[value for *_, value in read.values].index("#main")] == ("a", "href", "#main")
    levels = [int(tag[1]) for tag, *_ in read.tags if re.fullmatch(r"h\d", tag)]
    assert all(after <= before + 1 for before, after in pairwise([0, *levels]))
    tags = [tag for tag, *_ in read.tags]
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in names for tag, *names in read.tags if tag == "th")
