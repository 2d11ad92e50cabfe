"""Distractor: another number in the prompt, written as N is, and where both of them stand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from lengthprobe.errors import LanguageError
from lengthprobe.task.distractor import distracted_prompt, number_spans
from lengthprobe.task.languages import available, load_language
from lengthprobe.task.prompts import prompts

LENGTHS = tuple(range(3, 10))


@pytest.mark.parametrize("code", available())
def test_spans_are_the_number(code: str) -> None:
    """In every wording of every language, in digits and as a word, at the beginning of a prompt too."""
    language = load_language(code)
    some = prompts(code, budget=200)
    written = set()
    for prompt in some:
        (span,) = number_spans(prompt)
        found = prompt.text[slice(*span)].lower()
        assert found in (str(prompt.n_words), language.numbers[prompt.n_words])
        written.add((prompt.template, found.isdigit(), span[0] == 0))
    assert {template for template, _, _ in written} == {wording.id for wording in language.wordings}
    assert {digits for _, digits, _ in written} == {True, False}
    assert any(first for _, _, first in written)


@pytest.mark.parametrize("code", available())
@pytest.mark.parametrize("before", [True, False])
def test_another_number_stands_beside(code: str, before: bool) -> None:
    """It is never N, it is written as N is, and the request stays as it was."""
    language = load_language(code)
    for prompt in prompts(code, budget=60):
        one = distracted_prompt(prompt, LENGTHS, before=before)
        (span,) = one.number
        n, other = (one.prompt.text[slice(*each)] for each in (span, one.distractor))
        aside = language.aside.format(n=other)
        assert n == prompt.text[slice(*number_spans(prompt)[0])]
        assert n != other
        assert n.isdigit() == other.isdigit()
        assert other in [str(number) for number in LENGTHS] + [language.numbers[one] for one in LENGTHS]
        assert one.prompt.text == (f"{aside}\n{prompt.text}" if before else f"{prompt.text}\n{aside}")
        assert (one.distractor < span) is before
        assert one.prompt.id != prompt.id
        assert replace(one.prompt, id=prompt.id, text=prompt.text) == prompt


def test_same_number_before_and_after() -> None:
    """So that what is compared differs in order alone."""
    for prompt in prompts("en", budget=30):
        both = [distracted_prompt(prompt, LENGTHS, before=before) for before in (True, False)]
        assert len({one.prompt.text[slice(*one.distractor)] for one in both}) == 1


def test_distractors_are_the_numbers_asked_for() -> None:
    """Over many prompts none is rare, so that the two numbers differ in nothing but what they are for."""
    some = [distracted_prompt(prompt, LENGTHS, before=True) for prompt in prompts("en", budget=300)]
    numbers = load_language("en").numbers
    by_word = {numbers[n]: n for n in LENGTHS} | {str(n): n for n in LENGTHS}
    seen = Counter(by_word[one.prompt.text[slice(*one.distractor)]] for one in some)
    assert set(seen) == set(LENGTHS)
    assert min(seen.values()) > 300 / 7 / 2


@pytest.mark.parametrize(("lengths", "other"), [((5,), 7), ((1, 5), 7), ((1,), 3)])
def test_only_one_length(lengths: tuple[int, ...], other: int) -> None:
    """The distractor is then two more; 1 is none, since not every language counts with it."""
    prompt = prompts("en", lengths=lengths, budget=4)[-1]
    one = distracted_prompt(prompt, lengths, before=True)
    assert one.prompt.text[slice(*one.distractor)] in (str(other), load_language("en").numbers[other])


def test_prompt_of_no_stream() -> None:
    """Where its number stands is not known."""
    (prompt,) = prompts("en", budget=1)
    with pytest.raises(LanguageError, match="has no prompt 'Write seven words'"):
        number_spans(replace(prompt, text="Write seven words"))
