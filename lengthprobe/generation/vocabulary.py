"""Vocabulary: the words of one token, or of several, from a checkpoint's own responses."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lengthprobe.errors import FewWordsError
from lengthprobe.task.adherence import texts_by_step
from lengthprobe.task.words import RIVAL_COUNTERS, count_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lengthprobe.task.prompts import Response

WORDS = ("one-token", "several-token")
# With fewer, what is measured is how a model takes a handful of words; ours.
FEWEST_WORDS = 5

_Tokens = tuple[int, ...]
_MARKS = ".,;:!?…"
# A word as it stands: with the space before it, and without the marks after it.
_WORD = re.compile(rf"(?P<space>\s*)(?P<word>\S+?)[{_MARKS}]*(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words and marks allowed in a response, as tokens.

    Args:
        openings: Words as they open a response.
        words: Words as they follow another, with the space before them.
        marks: Tokens of punctuation that may stand right after a word.
    """

    openings: tuple[_Tokens, ...]
    words: tuple[_Tokens, ...]
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """Counts of the words in a checkpoint's responses, by the tokens written.

    Args:
        openings: Words that open a response.
        words: Words that follow another after a space.
        marks: Tokens of sentence punctuation, and nothing else, right after a word.
    """

    openings: Counter[_Tokens] = field(default_factory=Counter)
    words: Counter[_Tokens] = field(default_factory=Counter)
    marks: Counter[int] = field(default_factory=Counter)


def written_words(responses: Sequence[Response], decode: Callable[[Sequence[int]], str]) -> Written:
    """The words of some responses.

    A word begins and ends with a letter or a digit, is one word to either counter, and begins and ends where
    a token does. The last word of a response cut off at the cap may be half a word, and is left out.

    Args:
        responses: The responses.
        decode: Gives the text of some tokens, without special tokens.
    """
    written = Written()
    for response in responses:
        # A thought's words are no words of the answer.
        tokens = response.token_ids[response.thought_tokens :]
        texts = texts_by_step(tokens, decode)
        whole = texts[-1]
        steps: dict[int, int] = {}
        for step, text in enumerate(texts):
            if whole.startswith(text):
                steps.setdefault(len(text), step)
        for match in _WORD.finditer(whole):
            start, end = steps.get(match.start()), steps.get(match.end("word"))
            if start is None or end is None or not _is_word(match["word"]):
                continue
            if response.finish_reason == "length" and match.end("word") == len(whole):
                continue
            if start == 0:
                written.openings[tokens[:end]] += 1
            elif match["space"] == " ":
                written.words[tokens[start:end]] += 1
            if end < len(tokens) and _is_mark(texts[end + 1].removeprefix(texts[end])):
                written.marks[tokens[end]] += 1
    return written


def vocabulary_of(written: Written, words: str, *, model: str, language: str) -> Vocabulary:
    """A checkpoint's words of one token, or as many words of several tokens, as frequent (METHODS §4).

    Ours: all words of the kind with fewer words are taken, and as many of the other kind. The words are
    paired so that the ratios of their counts are nearest to 1. Openings are paired apart from other words.
    Where words of a kind open no response, both vocabularies have all openings. A space with a token of its
    own counts as a token of the word.

    Args:
        written: The words of the checkpoint's responses.
        words: `one-token` or `several-token`.
        model: The checkpoint's name, for messages.
        language: Code of the responses' language, for messages.

    Raises:
        FewWordsError: The checkpoint wrote too few words of a kind.
    """
    chosen = _matched(written.words)
    if len(chosen[words]) < FEWEST_WORDS:
        counts = {kind: sum(_kind(word) == kind for word in written.words) for kind in WORDS}
        fewest = min(counts, key=lambda kind: counts[kind])
        raise FewWordsError(
            f"{model} wrote {counts[fewest]} different {fewest} words after a first one in {language!r}, and "
            f"at least {FEWEST_WORDS} are needed to write with these alone",
            "setting:budget=1000, or leave out the measures of tokenization in this language"
            if sum(counts.values())
            else "see what it answers at all: lengthprobe.load(name).responses(language)",
        )
    openings = _matched(written.openings)[words] or tuple(sorted(written.openings))
    return Vocabulary(openings, chosen[words], tuple(sorted(written.marks)))


def _kind(tokens: _Tokens) -> str:
    return WORDS[len(tokens) > 1]


def _matched(counts: Mapping[_Tokens, int]) -> dict[str, tuple[_Tokens, ...]]:
    """By kind, equally many words of each, with nearly the same counts."""
    # Imported here, since a probe that writes freely needs neither.
    import numpy as np

    # scipy carries no types.
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    kinds = [[word for word in ordered if _kind(word) == kind] for kind in WORDS]
    logs = [np.log([counts[word] for word in kind]) for kind in kinds]
    pairs = linear_sum_assignment(np.abs(logs[0][:, None] - logs[1][None, :]))
    return {
        kind: tuple(sorted(words[place] for place in places))
        for kind, words, places in zip(WORDS, kinds, pairs, strict=True)
    }


def _is_word(text: str) -> bool:
    ends = text[0].isalnum() and text[-1].isalnum()
    return ends and all(count_words(text, counter=counter) == 1 for counter in RIVAL_COUNTERS)


def _is_mark(text: str) -> bool:
    return bool(text) and not text.strip(_MARKS)
