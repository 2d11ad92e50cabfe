"""Distractor: a prompt with a second number in it that nobody asks for, and where each of the two stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from string import Formatter
from typing import TYPE_CHECKING

from lengthprobe.errors import LanguageError
from lengthprobe.task.languages import NO_TOPIC, Language, Wording, load_language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lengthprobe.task.prompts import Prompt

Span = tuple[int, int]

# Where none of the lengths asked for can stand in its place.
_OFF_BY = 2


@dataclass(frozen=True, slots=True)
class Distracted:
    """A prompt with a sentence beside it that names another number.

    Args:
        prompt: The same request with the sentence, before or after it, on a line of its own.
        number: Where N stands in its text, in characters, each time.
        distractor: Where the other number stands.
    """

    prompt: Prompt
    number: tuple[Span, ...]
    distractor: Span


def distracted_prompt(prompt: Prompt, lengths: Sequence[int], *, before: bool) -> Distracted:
    """A prompt beside its language's sentence about another number (`aside`), written as N is (ours).

    The number is drawn by the prompt's id from the lengths that are asked for, so that over many prompts the
    distractors are the numbers asked for; it is never N, and never 1, which not every language counts with.

    Args:
        prompt: A prompt of a stream.
        lengths: The lengths that are asked for.
        before: Whether the sentence stands before the request, or after it.

    Raises:
        LanguageError: The language is unknown, has no such prompt, or has no word for another number.
    """
    language = load_language(prompt.language)
    number = number_spans(prompt)
    first, last = number[0]
    spelled = not prompt.text[first:last].isdigit()
    other = _other(prompt, lengths, language if spelled else None)
    written = language.numbers[other] if spelled else str(other)
    head, _, tail = language.aside.partition("{n}")
    aside = f"{head}{written}{tail}"
    text = f"{aside}\n{prompt.text}" if before else f"{prompt.text}\n{aside}"
    to_number, to_aside = (len(aside) + 1, 0) if before else (0, len(prompt.text) + 1)
    start = to_aside + len(head)
    return Distracted(
        replace(prompt, id=sha256(text.encode()).hexdigest()[:16], text=text),
        tuple((to_number + one, to_number + end) for one, end in number),
        (start, start + len(written)),
    )


def number_spans(prompt: Prompt) -> tuple[Span, ...]:
    """Where N stands in a prompt's text, in characters: as a rule once.

    Raises:
        LanguageError: The language is unknown, or has no such prompt.
    """
    language = load_language(prompt.language)
    bare = prompt.topic == NO_TOPIC
    forms: Mapping[str, str] = {} if bare else language.topics[prompt.topic].forms
    words = language.word_one if prompt.n_words == 1 else language.word_other
    for wording in language.wordings:
        for number in (str(prompt.n_words), language.numbers.get(prompt.n_words)):
            if number is not None and wording.id == prompt.template and wording.bare == bare:
                text, spans = _filled(wording, {"n": number, "words": words, **forms})
                if text == prompt.text:
                    return spans
    raise LanguageError(
        f"language {language.code!r} has no prompt {prompt.text!r}",
        "take one of its stream: lengthprobe.task.prompts.prompts",
    )


def _filled(wording: Wording, values: Mapping[str, str]) -> tuple[str, tuple[Span, ...]]:
    """The text of a wording with values in its placeholders, and where those of {n} stand."""
    text, spans = "", []
    for literal, name, _, _ in Formatter().parse(wording.text):
        text += literal
        if name is not None:
            if name == "n":
                spans.append((len(text), len(text) + len(values[name])))
            text += values[name]
    return text[0].upper() + text[1:], tuple(spans)


def _other(prompt: Prompt, lengths: Sequence[int], spelled: Language | None) -> int:
    def drawn(number: int) -> str:
        return sha256(f"{prompt.id} distractor {number}".encode()).hexdigest()

    wanted = sorted((one for one in lengths if one not in (1, prompt.n_words)), key=drawn)
    for number in (*wanted, prompt.n_words + _OFF_BY, prompt.n_words - _OFF_BY):
        if number > 1 and (spelled is None or number in spelled.numbers):
            return number
    raise LanguageError(
        f"language {prompt.language!r} has no word for a number beside {prompt.n_words}",
        "add some to the [numbers] of its file",
    )
