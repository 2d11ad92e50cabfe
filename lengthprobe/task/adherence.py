"""Adherence: whether each token of a response keeps to the requested number of words (METHODS §3)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from lengthprobe.task.thoughts import part_thoughts
from lengthprobe.task.words import count_words, count_words_of_part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lengthprobe.task.thoughts import Parted

_UNFINISHED = "\ufffd"
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_SPACE = re.compile(" ")
_SPACE_OR_IDEOGRAPH = re.compile(" |[\u4e00-\u9fff](?=[\u4e00-\u9fff])")
_BEGINS_A_WORD = re.compile(r" [^\W_]")


@dataclass(frozen=True, slots=True)
class Adherence:
    """The number of words in a response after each step, and the steps where the response could have ended.

    A step produces one token. The end token, where the model wrote one, is the last step.

    Args:
        counts: Words of the text after each step; the end token's step repeats the count before it.
        complete: Whether an end at this step would have left a complete word: the text before the step has a
            word, does not end within a character, and the last word does not go on later.
        ended: Whether the last step is the end token.
        thought: Whether the step is part of a thought, and so not of the answer; empty without thoughts.
    """

    counts: tuple[int, ...]
    complete: tuple[bool, ...]
    ended: bool
    thought: tuple[bool, ...] = ()

    def signs(self, n_words: int) -> tuple[int, ...]:
        """+1 for each token that adheres to a request for N words, −1 for each other token (METHODS §3).

        A token adheres where the text up to and with the token has at most N words. The end token adheres
        where the text has exactly N words. A token of a thought has 0.
        """
        signs = [1 if count <= n_words else -1 for count in self.counts]
        if self.ended and self.counts[-1] != n_words:
            signs[-1] = -1
        return tuple(sign * counted for sign, counted in zip(signs, self.in_answer, strict=True))

    @property
    def in_answer(self) -> tuple[int, ...]:
        """1 for each step of the answer, 0 for each step of a thought."""
        return tuple(int(not within) for within in self.thought) or (1,) * len(self.counts)


def adherence(
    token_ids: Sequence[int],
    decode: Callable[[Sequence[int]], str],
    *,
    ended: bool,
    language: str,
    counter: str,
    opened: bool = False,
) -> Adherence:
    """The adherence of every token of a response.

    Whether a word goes on is read off the whole response, independent of the tokens: a word goes on where the
    next letter or digit, however far off, adds no word to the count. So an end after "don" would leave no
    complete word of "don't", whether the rest is one token or two. A character unfinished at the cap is
    unknown, and is taken to continue the word. A step within a thought has the word count of the answer
    before the step, and an end there would leave no complete word.

    Args:
        token_ids: The tokens written, without the end token.
        decode: Gives the text of some tokens, without special tokens.
        ended: Whether the model ended the response; False where the token cap did.
        language: Code of the response's language.
        counter: A name from `lengthprobe.settings.COUNTERS`.
        opened: Whether the prompt had opened a thought.

    Raises:
        SettingsError: The counter is unknown.
    """
    written = texts_by_step(token_ids, decode)
    whole = part_thoughts(written[-1], opened=opened)
    thought = thought_steps(written, whole)
    if any(thought) and ended:
        thought = (*thought, whole.unfinished)
    texts = [_answer(text, whole) for text in written] if whole.thoughts else written
    count_words("", language=language, counter=counter)  # raises where the counter is unknown
    count = _Count(counter)
    counts: list[int] = []
    complete: list[bool] = []
    words = 0
    for before, after in pairwise([*texts, texts[-1]] if ended else texts):
        complete.append(words > 0 and not _continued(before, texts[-1], words, count))
        words = count(after)
        counts.append(words)
    if not any(thought):
        return Adherence(tuple(counts), tuple(complete), ended)
    whole_words = tuple(
        is_complete and not within for is_complete, within in zip(complete, thought, strict=True)
    )
    return Adherence(tuple(counts), whole_words, ended, thought)


def thought_steps(texts: Sequence[str], whole: Parted) -> tuple[bool, ...]:
    """Whether each token of a response is part of a thought.

    Args:
        texts: The text of no token, of the first, of the first two, …, as `texts_by_step` gives them.
        whole: The last of these texts, with its thoughts.
    """
    return tuple(whole.is_thought(len(before), len(after)) for before, after in pairwise(texts))


def _answer(text: str, whole: Parted) -> str:
    """The answer in the text after a step: without thoughts, and with an unfinished character at the end."""
    known = len(text.rstrip(_UNFINISHED))
    rest = "" if whole.is_thought(known, len(text)) else text[known:]
    return whole.answer_of_first(known) + rest


def _continued(before: str, whole: str, words: int, count: Callable[[str], int]) -> bool:
    """Whether the last character or word of a response's beginning goes on in the rest of the response."""
    rest = whole[len(before) :]
    if before.endswith(_UNFINISHED) or not whole.startswith(before):
        return True
    if not rest:
        return False
    if unicodedata.category(rest[0]).startswith("M") or not rest.strip(_UNFINISHED):
        return True
    following = _LETTER_OR_DIGIT.search(rest)
    if following is None or " " in rest[: following.start()]:
        return False
    return count(before + rest[: following.end()]) == words


class _Count:
    """Counts the words of texts; most texts extend the text before.

    Only the part after the last certain break between words is counted again.
    """

    def __init__(self, counter: str) -> None:
        self._counter = counter
        self._parted = _SPACE if counter == "whitespace" else _SPACE_OR_IDEOGRAPH
        self._beginnings = [("", 0)]  # each ends where words are parted; with its words

    def __call__(self, text: str) -> int:
        while not text.startswith(self._beginnings[-1][0]):
            self._beginnings.pop()
        beginning, words = self._beginnings[-1]
        start = len(beginning)
        for part in self._parted.finditer(text, start):
            words += self._count(text[start : part.end()])
            start = part.end()
            self._beginnings.append((text[:start], words))
        return words + self._count(text[start:])

    def _count(self, text: str) -> int:
        return count_words_of_part(text, counter=self._counter)


def texts_by_step(token_ids: Sequence[int], decode: Callable[[Sequence[int]], str]) -> list[str]:
    """The text of no token, of the first, of the first two, …, each as if decoded on its own.

    Decoding every beginning whole would take quadratic time. No character is unfinished before a token that
    begins with a space and a letter. So later tokens are decoded from this token on, and not from the
    beginning.
    """
    texts = [""]
    start = 0
    settled, alone = "", ""  # the text up to and with the token at `start`, and what that token gives alone
    for end in range(1, len(token_ids) + 1):
        text = settled + decode(token_ids[start:end])[len(alone) :]
        if _BEGINS_A_WORD.match(text, len(texts[-1])) and not text.endswith(_UNFINISHED):
            start, settled, alone = end - 1, text, decode(token_ids[end - 1 : end])
        texts.append(text)
    if token_ids and texts[-1] != decode(token_ids):
        # A tokenizer whose text for a token hangs on more than that.
        return ["", *(decode(token_ids[:end]) for end in range(1, len(token_ids) + 1))]
    return texts
