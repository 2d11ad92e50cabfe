"""The table of claims, and the lines above and below it."""

from __future__ import annotations

import re

import pytest

from lengthprobe.reporting.ledger import Entry, Ledger
from lengthprobe.reporting.tables import header, notes, settings_line, spans, table, totals
from lengthprobe.settings import Settings
from lengthprobe.statistics.check import Beside, Check, Numbers, Relation
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.measure_key import MeasureKey

IDENTITY = {
    "name": "tiny-it",
    "repo_id": None,
    "commit": None,
    "architecture": "LlamaForCausalLM",
    "weights": "a" * 64,
    "tokenizer": "b" * 64,
    "chat_template": "c" * 64,
    "prompt_form": "chat",
    "dtype": "float32",
    "device": "cpu (x86_64)",
    "attention": "sdpa",
    "batch_size": 50,
    "split_batches": 0,
    "overridden": [],
    "cut_off": {"en": 0.0, "it": 0.012},
}


def check(expression="length_error(m, en) > 0", unit="words", margin=0.0, **numbers):
    """A check as a verdict gives it."""
    left, sign, right = re.fullmatch("(.+) (<=|>=|<|>) (.+)", expression).groups()
    relation = Relation(sign, left.startswith("abs("), right if right.isidentifier() or "*" in right else "")
    found = {"mean": 0.25, "low": 0.1, "high": 0.4, "n": 300, "clusters": 151, "unit": unit} | numbers
    return Check(expression, "holds", Numbers(**found), margin=margin, relation=relation)


def estimate(name, *lengths, checkpoint="m", language="en", unit="words"):
    """A measure of a checkpoint, far from zero."""
    rows = [Observation(f"p{at}", f"t{at}", 1.0 + at % 3) for at in range(40)]
    key = MeasureKey(name).of(checkpoint, language, lengths)
    return Estimate.from_observations(rows, name=key, unit=unit, bounds=None)


def ledger(*checks, verdict="holds", models=None, **changes):
    """A ledger of one claim."""
    book = Ledger()
    stated = {
        "nodeid": "a",
        "claim": "it is so",
        "statement": "It is so.",
        "source": "",
        "kind": "requirement",
        "language": "en",
        "published": "",
        "verdict": verdict,
        "checks": list(checks),
    }
    book.record(Entry(**stated | changes), models or {})
    return book


def cells(book):
    """The rows of the table under its head, each as its cells."""
    head, rule, *rows = table(book, 0.05)
    ends = [at for at, sign in enumerate(f"{rule} ") if sign == " " and (at == 0 or rule[at - 1] == "-")]
    starts = [0, *(end + 2 for end in ends[:-1])]
    assert head.split()[0] == "claim"
    return [[row[start:end].strip() for start, end in zip(starts, ends, strict=True)] for row in rows]


class TestTable:
    """One row a check."""

    def test_has_effect_interval_size_and_margin(self):
        """And which claim, in which language, came to which verdict, beside the published figure."""
        assert cells(ledger(check(), published="-0.07")) == [
            ["it is so", "en", "holds", "0.25", "0.10 to 0.40", "300 (151)", "> 0", "-0.07"]
        ]

    def test_second_check_repeats_nothing(self):
        """It belongs to the claim above it."""
        rows = cells(ledger(check(), check(mean=0.3)))

        assert [row[:4] for row in rows] == [["it is so", "en", "holds", "0.25"], ["", "", "", "0.30"]]

    def test_expected_failure_is_told_as_one(self):
        """Broken all the same."""
        assert cells(ledger(verdict="broken", expected=True))[0][2] == "broken (expected)"

    def test_claim_without_a_check_has_its_verdict(self):
        """An error or a skip has no numbers."""
        assert cells(ledger(verdict="error")) == [["it is so", "en", "error", "", "", "", "", ""]]

    def test_estimate_beside_has_the_published_figure(self):
        """It is what the source reports; the claim's own row leaves the figure to it."""
        numbers = Numbers(0.5, None, None, n=300, clusters=151, unit="words")
        beside = Beside("raw(m, en)", numbers, label="raw")

        rows = cells(ledger(check(), beside=[beside], published="34.8"))

        assert [row[-1] for row in rows] == ["", "34.8"]
        assert rows[1][:5] == ["beside: raw", "", "", "0.50", "none"]

    @pytest.mark.parametrize(
        ("expression", "unit", "margin", "shown"),
        [
            ("abs(error(m)) < 0.5", "words", 0.5, "± 0.5 words"),
            ("abs(error(m)) > 0.5", "words", 0.5, "> 0.5 words"),
            ("rate(m) < 0.05", "share", 0.05, "< 5 %"),
            ("rate(m) >= 0.125", "share", 0.125, ">= 12.5 %"),
            ("a - b > -0.02", "share", -0.02, "> -2 %"),
            ("a - b > 0", "share", 0.0, "> 0"),
            ("abs(a) < 0.1 * b", "words", 0.0, "± 0.1 * b"),
        ],
    )
    def test_margin_is_said_with_its_relation(self, expression, unit, margin, shown):
        """In the unit of the measure, or as what it was compared with."""
        assert cells(ledger(check(expression, unit, margin)))[0][6] == shown

    @pytest.mark.parametrize(
        ("verdict", "expression", "shown"),
        [
            (
                abs(estimate("cwa")) < 0.1 * estimate("cwa", language="it"),
                "abs(cwa(m, en)) < 0.1 * cwa(m, it)",
                "± 0.1 * cwa(it)",
            ),
            (
                estimate("error", 3) < estimate("error", *range(4, 10)),
                "error(m, en, N=3) < error(m, en, N=4–9)",
                "< error(en, N=4–9)",
            ),
            (
                estimate("error") < estimate("error", checkpoint="other"),
                "error(m, en) < error(other, en)",
                "< error(other, en)",
            ),
            (
                estimate("error", checkpoint="a > 0.5, b") < estimate("error", checkpoint="(m, en)"),
                "error(a > 0.5, b, en) < error((m, en), en)",
                "< error((m, en), en)",
            ),
        ],
    )
    def test_model_on_the_left_is_not_named_again(self, verdict, expression, shown):
        """Whatever a checkpoint is called."""
        assert verdict.expression == expression
        assert cells(ledger(verdict.as_check()))[0][6] == shown

    @pytest.mark.parametrize(("expression", "shown"), [("a > 0.5 * b", "+40.0 %"), ("a - b > 0", "40.0 %")])
    def test_difference_of_two_measures_has_a_sign(self, expression, shown):
        """Effect and interval are no level of the first: what it is compared with was measured too."""
        row = cells(ledger(check(expression, "share", mean=0.4, low=0.3, high=0.5)))[0]

        assert row[3] == shown
        assert row[4] == shown.replace("4", "3") + " to " + shown.replace("4", "5")

    def test_share_is_a_percentage_and_zero_has_no_sign(self):
        """Whatever arithmetic it went through."""
        row = cells(ledger(check("a < 0.05", "share", 0.05, mean=-0.0, low=-0.0001, high=0.0203)))[0]

        assert row[3:5] == ["0.0 %", "0.0 % to 2.0 %"]

    @pytest.mark.parametrize(
        ("unit", "mean", "low", "high", "shown"),
        [
            # The ends of the interval.
            ("share", 0.000896, 0.00055, 0.00124, ["0.09 %", "0.06 % to 0.12 %"]),
            ("words", 0.001, 0.0006, 0.0014, ["0.0010", "0.0006 to 0.0014"]),
            # The lower end and the margin of 2 %, or of 2 words.
            ("share", 0.0218, 0.01982, 0.03, ["2.18 %", "1.98 % to 3.00 %"]),
            ("words", 2.5, 1.9991, 3.0, ["2.500", "1.999 to 3.000"]),
            # An interval that is a point, ends that only rounding parts, an end that is the margin.
            ("share", 0.0, 0.0, 0.0, ["0.0 %", "0.0 % to 0.0 %"]),
            ("words", 1.0, 1.0, 1.0 + 1e-15, ["1.00", "1.00 to 1.00"]),
            ("words", 3.0, 2.0, 4.0, ["3.00", "2.00 to 4.00"]),
        ],
    )
    def test_digits_are_as_many_as_tell(self, unit, mean, low, high, shown):
        """The ends of an interval from each other, and from the margin; not more than that."""
        margin = 0.02 if unit == "share" else 2.0
        row = cells(ledger(check(f"a > {margin}", unit, margin, mean=mean, low=low, high=high)))[0]

        assert row[3:5] == shown

    def test_head_states_the_level_of_the_intervals(self):
        """Each end errs in a share of alpha."""
        assert " 90 % interval " in table(ledger(check()), 0.05)[0]
        assert " 98 % interval " in table(ledger(check()), 0.01)[0]

    def test_verdict_is_painted_by_what_it_is(self):
        """The columns stay where they are."""
        plain = table(ledger(check()), 0.05)
        painted = table(
            ledger(check()),
            0.05,
            lambda text, verdict: f"\x1b[32m{text}\x1b[0m" if verdict == "holds" else text,
        )

        assert [line.replace("\x1b[32m", "").replace("\x1b[0m", "") for line in painted] == plain

    def test_control_characters_are_dropped(self):
        """From names of tests and languages alike."""
        assert "\x1b" not in "".join(
            table(ledger(check(), claim="a\x1b[31mb", language="\x1b]0;x\x07en"), 0.05)
        )


class TestHeader:
    """Who was asked, and what."""

    def test_identifies_the_checkpoint(self):
        """By its digests, its form of prompts, where it ran, and the share that the cap cut off."""
        lines = header(ledger(models={"model": IDENTITY}), Settings(), {"model": "tiny-it"}, {})

        assert lines[0] == (
            "model      tiny-it: LlamaForCausalLM, weights aaaaaaaaaaaa, tokenizer bbbbbbbbbbbb, "
            "template cccccccccccc"
        )
        assert lines[1] == (
            "model      asked in chat form, float32 on cpu (x86_64), sdpa attention, batches of 50; "
            "cut off at the cap: 0.0 % in en, 1.2 % in it"
        )

    def test_says_what_was_overridden_and_split(self):
        """Only where something was."""
        identity = IDENTITY | {"overridden": ["do_sample=True", "top_p=0.9"], "split_batches": 2}

        lines = header(ledger(models={"model": identity}), Settings(), {}, {})

        assert "batches of 50 (2 split for want of memory)" in lines[1]
        assert (
            lines[2]
            == "model      decoded greedily; its generation config asks for do_sample=True, top_p=0.9"
        )

    def test_says_where_on_the_hub_it_is_from(self):
        """Its id and the commit that was loaded."""
        identity = IDENTITY | {
            "name": "alias",
            "repo_id": "org/name",
            "commit": "d" * 40,
            "chat_template": None,
        }

        line = header(ledger(models={"base": identity}), Settings(), {}, {})[0]

        assert line.startswith("base       alias (org/name at dddddddddddd): ")
        assert line.endswith("template none")

    def test_names_what_was_not_asked(self):
        """A checkpoint that no claim needed, or that could not be loaded."""
        assert header(Ledger(), Settings(), {"base": "tiny-base"}, {})[0] == "base       tiny-base: not asked"

    def test_names_margins_that_a_project_changed(self):
        """So that nobody takes its verdicts for those of others."""
        assert header(Ledger(), Settings(), {}, {"exact_match": 0.5})[-1] == (
            "margins    exact_match 0.5 (not the default)"
        )


def test_settings_on_one_line():
    """Everything that a figure depends on, the system prompt without what could steer a terminal."""
    settings = Settings(lengths=(3, 4, 5, 9), system_prompt="be\x1b[31m brief")

    assert settings_line(settings) == (
        "en, it; 300 prompts a language, N 3-5, 9, seed 0; cap 100 tokens; counter uax29; "
        "alpha 0.05 one-sided, system prompt 'be brief'"
    )


@pytest.mark.parametrize(
    ("numbers", "shown"), [((3,), "3"), ((5, 3, 4), "3-5"), ((1, 3, 5), "1, 3, 5"), ((8, 9, 3), "3, 8-9")]
)
def test_spans(numbers, shown):
    """Numbers in a row are a range."""
    assert spans(numbers) == shown


def test_totals_in_words():
    """One holds, two hold."""
    assert totals(ledger(check())) == "1 holds, 0 broken, 0 undecided, 0 errors, 0 skipped"
    assert totals(ledger(verdict="error")) == "0 hold, 0 broken, 0 undecided, 1 error, 0 skipped"


class TestNotes:
    """What else a reader should know."""

    def test_skips_are_counted_by_reason(self):
        """With what mends them."""
        assert notes(ledger(verdict="skipped", message="needs the base model")) == [
            "skipped: 1 (needs the base model)"
        ]

    def test_other_tokenizer_is_said(self):
        """It is allowed, and no secret."""
        models = {"model": IDENTITY, "base": IDENTITY | {"name": "tiny-base", "tokenizer": "e" * 64}}

        assert notes(ledger(check(), models=models)) == [
            "base tiny-base has other tokenizer files than tiny-it: its words are compared all the same"
        ]
