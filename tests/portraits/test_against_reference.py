"""The reference's values, and the prompts that changed for the worse."""

from __future__ import annotations

import pytest

from lengthprobe import load
from lengthprobe.measures import cwa, exact_match, share
from lengthprobe.portraits.against_reference import (
    MOST_CHANGED,
    changed_prompts,
    values_of_behaviour,
    values_of_components,
)
from lengthprobe.statistics.measure_key import MeasureKey
from lengthprobe.task.prompts import Prompt, Response
from tests.measures.conftest import Answered


def answered(*texts, asked=3, name="model", reason="stop"):
    """A probe with an answer to each of some prompts that ask for three words."""
    prompts = (Prompt(f"p{n}", "en", asked, f"t{n}", "plain", f"Prompt {n}") for n in range(len(texts)))
    return Answered(
        tuple(Response(prompt, (), text, reason) for prompt, text in zip(prompts, texts, strict=True)), name
    )


def test_changes_are_counted_by_the_distance_from_the_length():
    """Other words of the same number are no change for the worse."""
    candidate = answered("one two three", "one two", "a b c", "a b c d")
    reference = answered("one two three", "one two three", "c b a", "a b c d e")

    found = changed_prompts(candidate, reference, "en")

    assert {name: found[name] for name in ("n", "texts", "worse", "better")} == {
        "n": 4,
        "texts": 3,
        "worse": 1,
        "better": 1,
    }


def test_worst_change_comes_first_with_both_answers():
    """An answer cut off at the cap is told."""
    candidate = answered("one two", "one two three four five", reason="length")
    reference = answered("one two three", "one two three")

    first, second = changed_prompts(candidate, reference, "en")["worst"]

    assert first == {
        "asked": 3,
        "topic": "t1",
        "prompt": "Prompt 1",
        "candidate": {"n_words": 5, "text": "one two three four five", "cut_off": True},
        "reference": {"n_words": 3, "text": "one two three", "cut_off": False},
    }
    assert second["candidate"]["n_words"] == 2


def test_worst_changes_are_few_and_their_texts_short():
    """A model that runs on fills no report with words; the count tells of all."""
    candidate = answered(*["word " * 1000] * 20)
    reference = answered(*["one two three"] * 20)

    found = changed_prompts(candidate, reference, "en")

    assert (found["worse"], len(found["worst"])) == (20, MOST_CHANGED)
    assert max(len(change["candidate"]["text"]) for change in found["worst"]) == 600


def test_prompts_of_one_side_alone_are_left_out():
    """There is nothing to compare."""
    assert changed_prompts(answered("a", "b"), answered("a"), "en")["n"] == 1


@pytest.fixture(scope="module")
def reference():
    """tiny-it, after 40 prompts a language."""
    made = load("tiny-it", budget=40, cap=40, device_map="cpu")
    made.prepare(traces=True)
    return made


def test_values_of_behaviour_are_those_of_the_measures(reference):
    """Of every measure behind a requirement, each once."""
    values = values_of_behaviour(reference, "en")

    by_name = {value["measure"]["name"]: value for value in values}
    assert len(by_name) == len(values) == 8
    measured = exact_match(reference, language="en")
    found = by_name["exact_match"]
    assert (found["mean"], found["low"], found["high"]) == (measured.mean, measured.low, measured.high)
    assert (found["unit"], found["n"], found["measure"]["language"]) == ("share", 40, "en")


def test_values_of_components_are_the_shares_that_a_claim_compared(reference):
    """Of the reference alone, in the language, and of single components."""
    heads = cwa(reference, component="late heads", language="en")
    (key,) = heads.measures
    others = [
        MeasureKey("cwa", ("late heads",), "another", "en"),
        MeasureKey("cwa", ("late heads",), "tiny-it", "it"),
        MeasureKey("cwa", ("late heads", "shuffled"), "tiny-it", "en"),
        MeasureKey("control", (), "tiny-it", "en"),
    ]

    (value,) = values_of_components(reference, "en", [key, *others])

    assert (value["mean"], value["unit"]) == (share(heads).mean, "share")
