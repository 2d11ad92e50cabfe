"""Distractor: a prompt with a second number, which nobody asks for, and the places of both numbers."""

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
    """A prompt beside a sentence with another number.

    Args:
        prompt: The request with the sentence before or after, on a line of its own.
        number: The spans of N in the prompt's text, in characters.
        distractor: The span of the other number.
    """

    prompt: Prompt
    number: tuple[Span, ...]
    distractor: Span


def distracted_prompt(prompt: Prompt, lengths: Sequence[int], *, before: bool) -> Distracted:
    """A prompt beside its language's sentence about another number (`aside`), written like N (ours).

    The number is drawn by the prompt's id from the requested lengths. So over many prompts, the distractors
    are the requested numbers. The number is never N, and never 1, because not every language counts with 1.

    Args:
        prompt: A prompt of a stream.
        lengths: The requested lengths.
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
        tuple((to_number + begin, to_number + end) for begin, end in number),
        (start, start + len(written)),
    )


def number_spans(prompt: Prompt) -> tuple[Span, ...]:
    """The spans of N in a prompt's text, in characters: as a rule one span.

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
    """The text of a wording with values in the placeholders, and the spans of {n}."""
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

    wanted = sorted((length for length in lengths if length not in (1, prompt.n_words)), key=drawn)
    for number in (*wanted, prompt.n_words + _OFF_BY, prompt.n_words - _OFF_BY):
        if number > 1 and (spelled is None or number in spelled.numbers):
            return number
    raise LanguageError(
        f"language {prompt.language!r} has no word for a number beside {prompt.n_words}",
        "add some to the [numbers] of its file",
    )
