"""Thoughts are no words of an answer, and an unfinished one is told apart from an answer that runs on."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial

import pytest

from lengthprobe import measures
from lengthprobe.errors import ModelError
from tests.measures.attributed import attributed

THOUGHT = "<think>\nThree words about waves.\n</think>\n\n"
CUT = "<think>\nI am to write about"
EVERY = (
    *(measures.length_error, measures.exact_match, measures.runaways, measures.short_answers),
    *(measures.preambles, measures.counter_disagreement, measures.cut_off, measures.absolute_error),
)


def thinking(tiny_it, opening):
    """The fixture model's responses with something before each."""

    class Thinking(type(tiny_it)):
        def responses(self, language):
            return tuple(replace(one, text=opening + one.text) for one in super().responses(language))

    probe = object.__new__(Thinking)
    for field in fields(tiny_it):
        object.__setattr__(probe, field.name, getattr(tiny_it, field.name))
    return probe


@pytest.mark.parametrize("opening", [THOUGHT, "<think>\n\n</think>\n\n", "Three words.\n</think>\n\n"])
@pytest.mark.parametrize("measure", EVERY)
def test_thought_changes_no_measure(tiny_it, measure, opening):
    """Where only the text holds the marks: every prompt has the value of the bare answer."""
    bare, thought = measure(tiny_it, language="en"), measure(thinking(tiny_it, opening), language="en")

    assert [one.value for one in thought.observations] == [one.value for one in bare.observations]


def test_unfinished_thought_is_no_runaway(answered, values):
    """It has no words of an answer, is short, and is counted by a measure of its own."""
    probe = answered((3, CUT), *[(3, 3)] * 5, (3, 9), cut_off=(0, 6))

    assert values(measures.runaways(probe, language="en")) == [0, 0, 0, 0, 0, 0, 1]
    assert values(measures.cut_off(probe, language="en")) == [0, 0, 0, 0, 0, 0, 1]
    assert values(measures.short_answers(probe, language="en")) == [1, 0, 0, 0, 0, 0, 0]
    assert values(measures.exact_match(probe, language="en")) == [0, 1, 1, 1, 1, 1, 0]
    assert values(measures.unfinished_thoughts(probe, language="en")) == [1, 0, 0, 0, 0, 0, 0]


def test_worst_prompts_say_so(answered):
    """What was written is an unfinished thought, and not an answer cut off."""
    probe = answered((3, CUT), *[(3, 3)] * 5, cut_off=(0,))
    note = measures.short_answers(probe, language="en").observations[0].note

    assert note == f"asked 3, wrote 0, an unfinished thought: 'Write 3 words' → {CUT!r}"


@pytest.mark.parametrize("measure", EVERY)
def test_too_many_are_not_judged(answered, measure):
    """Of more than one in five no answer is known: the error says how many, and what leaves room."""
    probe = answered(*[(3, CUT)] * 2, *[(3, 3)] * 6, cut_off=(0, 1))

    with pytest.raises(ModelError) as raised:
        measure(probe, language="en")

    assert raised.value.problem == (
        "model: 2 of 8 answers in 'en' are an unfinished thought (the cap was too short): they have no "
        "answer to judge"
    )
    assert raised.value.fix.startswith("--lengthprobe-thinking=allow")
    assert measures.unfinished_thoughts(probe, language="en").mean == 0.25


def test_with_room_the_fix_is_another(answered):
    """Where thoughts are allowed already, to allow them mends nothing."""
    probe = answered(*[(3, CUT)] * 4, cut_off=range(4))
    probe = replace(probe, settings=replace(probe.settings, thinking="allow"))

    with pytest.raises(ModelError, match="2048 tokens or half of the context was too short") as raised:
        measures.exact_match(probe, language="en")

    assert raised.value.fix.startswith("--lengthprobe-thinking=off")


def test_thought_that_the_model_ended_is_said_to_be(answered):
    """No limit was too short, and more room mends nothing."""
    probe = answered(*[(3, CUT)] * 4)

    with pytest.raises(ModelError, match=r"thought \(4 of them ended by the model itself\)") as raised:
        measures.exact_match(probe, language="en")

    assert raised.value.fix == "a checkpoint that finishes its thoughts"


def test_note_shows_what_stands_after_a_thought(answered):
    """A long thought would leave no room for the answer, which is what is judged."""
    probe = answered(*[(3, f"{THOUGHT}Waves")] * 4)
    note = measures.exact_match(probe, language="en").observations[0].note

    assert note == "asked 3, wrote 1, after a thought: 'Write 3 words' → 'Waves'"


MECHANISMS = (
    partial(measures.cwa, component="late heads"),
    partial(measures.stop_cwa, component="late heads"),
    partial(measures.number_swap, component="late heads"),
    partial(measures.attention_to_number, heads="L3H0"),
)


@pytest.mark.parametrize("measure", MECHANISMS, ids=["cwa", "stop margin", "number swap", "attention"])
def test_mechanism_is_not_judged_on_thoughts(measure):
    """Of more than one in five no answer is known: an error, and not an undecided claim."""
    probe = attributed(*[(3, 3)] * 8)
    cut = [
        replace(one, response=replace(one.response, text=CUT, finish_reason="length"))
        for one in probe.every[:2]
    ]
    probe = replace(probe, every=(*cut, *probe.every[2:]))
    object.__setattr__(probe, "heads", lambda _: ())

    with pytest.raises(ModelError, match="2 of 8 answers in 'en' are an unfinished thought"):
        measure(probe, language="en")


def test_tokens_per_word_are_those_of_the_answer(answered):
    """A long thought makes no word of many tokens."""
    plain = answered((3, "a b c"), (3, "a b"), (3, "a b c d"), (3, "a b c e"))
    given = tuple(replace(one, token_ids=(7,) * (2 + at)) for at, one in enumerate(plain.given))
    bare = replace(plain, given=given)
    thought = replace(
        plain,
        given=tuple(
            replace(one, token_ids=(5,) * 9 * at + one.token_ids, thought_tokens=9 * at)
            for at, one in enumerate(given)
        ),
    )

    expected, found = (measures.error_by_tokens_per_word(one, language="en") for one in (bare, thought))

    assert [one.value for one in found.observations] == [one.value for one in expected.observations]
