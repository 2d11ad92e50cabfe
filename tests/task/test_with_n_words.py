"""The same prompt with another number: as the stream asks it, in digits or as a word as before."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from lengthprobe.errors import LanguageError, SettingsError
from lengthprobe.task.languages import NO_TOPIC, available
from lengthprobe.task.prompts import DEFAULT_LENGTHS, Prompt, prompt_stream, prompts, with_n_words


@cache
def every_prompt(language: str, n_words: int) -> dict[str, Prompt]:
    """All prompts for so many words, by id."""
    return {prompt.id: prompt for prompt in prompt_stream(language, lengths=(n_words,))}


@cache
def asking(language: str, topic: str, template: str, text: str) -> Prompt:
    """The prompt of the stream for five words with this text."""
    (found,) = (
        prompt
        for prompt in every_prompt(language, 5).values()
        if (prompt.topic, prompt.template, prompt.text) == (topic, template, text)
    )
    return found


@pytest.mark.parametrize("language", available())
@pytest.mark.parametrize("n_words", [1, 11])
def test_it_is_the_streams_own_prompt(language: str, n_words: int) -> None:
    """Every prompt for five words has its counterpart for another number, with the id of the stream."""
    asked = [with_n_words(prompt, n_words) for prompt in every_prompt(language, 5).values()]

    assert {prompt.id: prompt for prompt in asked} == every_prompt(language, n_words)


@pytest.mark.parametrize("language", available())
def test_there_and_back_again(language: str) -> None:
    """Nothing but the number changes, so that asking for the first number again gives the first prompt."""
    for prompt in every_prompt(language, 5).values():
        other = with_n_words(prompt, 1)
        assert (other.topic, other.template) == (prompt.topic, prompt.template)
        assert with_n_words(other, 5) == prompt


@pytest.mark.parametrize("language", available())
def test_two_words_more_can_be_asked_for_by_default(language: str) -> None:
    """The number swap asks every default prompt for two words more: 11 after 9."""
    assert max(DEFAULT_LENGTHS) == 9
    for prompt in prompts(language):
        assert with_n_words(prompt, prompt.n_words + 2).n_words == prompt.n_words + 2


@pytest.mark.parametrize(
    ("language", "topic", "template", "text", "n_words", "expected"),
    [
        ("en", NO_TOPIC, "paper", "Generate exactly 5 words", 11, "Generate exactly 11 words"),
        ("en", NO_TOPIC, "paper", "Generate exactly five words", 1, "Generate exactly one word"),
        (
            "en",
            "sea",
            "terse",
            "Five words about the sea, no more, no less.",
            11,
            "Eleven words about the sea,",
        ),
        ("it", NO_TOPIC, "paper", "Genera esattamente 5 parole", 1, "Genera esattamente 1 parola"),
        ("it", NO_TOPIC, "paper", "Genera esattamente cinque parole", 11, "Genera esattamente undici parole"),
        ("it", NO_TOPIC, "paper", "Genera esattamente cinque parole", 1, "Genera esattamente una parola"),
    ],
)
def test_the_number_is_written_as_before(
    language: str, topic: str, template: str, text: str, n_words: int, expected: str
) -> None:
    """Digits stay digits, words stay words, and the counted noun goes with the number."""
    assert with_n_words(asking(language, topic, template, text), n_words).text.startswith(expected)


def test_a_number_without_a_word_is_refused_where_a_word_is_needed() -> None:
    """In digits any number can be asked for."""
    digits = asking("it", NO_TOPIC, "paper", "Genera esattamente 5 parole")
    word = asking("it", NO_TOPIC, "paper", "Genera esattamente cinque parole")

    assert with_n_words(digits, 21).text == "Genera esattamente 21 parole"
    with pytest.raises(LanguageError) as error:
        with_n_words(word, 21)
    assert error.value.problem == (
        "language 'it' has no word for 21, to put into 'Genera esattamente cinque parole'"
    )


@pytest.mark.parametrize("n_words", [0, -1])
def test_less_than_a_word_is_refused(n_words: int) -> None:
    """In digits it could be written, but not be answered."""
    with pytest.raises(SettingsError, match=f"{n_words} words cannot be asked for"):
        with_n_words(asking("en", NO_TOPIC, "paper", "Generate exactly 5 words"), n_words)


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Write five words"},
        {"text": "Generate exactly 5 words."},
        {"template": "haiku"},
        {"template": "paper-topic"},
        {"topic": "sea"},
        {"topic": "atlantis"},
        {"n_words": 6},
        {"n_words": 21},
        {"id": "0" * 16},
    ],
)
def test_a_prompt_that_the_language_does_not_have_is_refused(change: dict[str, Any]) -> None:
    """A prompt of one's own, or of another edition of the language file, is not guessed at."""
    prompt = asking("en", NO_TOPIC, "paper", "Generate exactly 5 words")

    with pytest.raises(LanguageError, match="language 'en' has no prompt"):
        with_n_words(replace(prompt, **change), 7)


def test_an_unknown_language_is_refused() -> None:
    """The error is that of the language."""
    with pytest.raises(LanguageError, match="language 'xx' is not known"):
        with_n_words(Prompt("0" * 16, "xx", 5, NO_TOPIC, "paper", "5"), 7)
