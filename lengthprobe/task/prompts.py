"""Prompts: a seeded stream in which lengths, topics, wordings and ways to write a number are balanced."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from itertools import count, islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lengthprobe.errors import LanguageError, SettingsError
from lengthprobe.task.languages import NO_TOPIC, Language, Wording, load_language
from lengthprobe.task.thoughts import part_thoughts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

_T = TypeVar("_T")
_LOOK_AHEAD = 10
DEFAULT_LENGTHS = (3, 4, 5, 6, 7, 8, 9)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request for exactly N words.

    Args:
        id: Digest of the content, 16 hexadecimal digits.
        language: Code of the language.
        n_words: N, the number of words asked for.
        topic: Key of the topic, `no-topic` for a wording without one.
        template: Id of the wording.
        text: The request as the model gets it, before any chat template.
    """

    id: str
    language: str
    n_words: int
    topic: str
    template: str
    text: str

    def __hash__(self) -> int:
        """The hash of the id alone, which is a digest of all else."""
        return hash(self.id)


@dataclass(frozen=True, slots=True)
class Response:
    """The continuation of a prompt by a model, up to the first end token.

    Args:
        prompt: The request.
        token_ids: The tokens written, without the end token.
        text: These tokens as text.
        finish_reason: `stop` (the model ended the response) or `length` (the token cap did).
        opened: Whether the prompt had opened a thought, so that the text begins within the thought.
        thought_tokens: The number of tokens at the beginning that are a thought.
        sample: The number of the sample, from 1; None for a greedy response.
    """

    prompt: Prompt
    token_ids: tuple[int, ...]
    text: str
    finish_reason: str
    opened: bool = False
    thought_tokens: int = 0
    sample: int | None = None

    @property
    def answer(self) -> str:
        """The text without its thoughts, as judged."""
        return part_thoughts(self.text, opened=self.opened).answer

    @property
    def is_unfinished_thought(self) -> bool:
        """Whether the response ends within a thought, and so has no answer."""
        return part_thoughts(self.text, opened=self.opened).unfinished

    @property
    def ran_on(self) -> bool:
        """Whether the token cap ended the answer, and not a thought before it."""
        return self.finish_reason == "length" and not self.is_unfinished_thought


def prompts(
    language: str, *, lengths: Sequence[int] = DEFAULT_LENGTHS, budget: int = 300, seed: int = 0
) -> tuple[Prompt, ...]:
    """The first `budget` prompts of a language's stream.

    Args:
        language: Code of the language.
        lengths: Numbers of words to ask for.
        budget: How many prompts.
        seed: Seed of the stream.

    Raises:
        LanguageError: The language is unknown.
        SettingsError: A length cannot be asked for, or there are fewer prompts than the budget.
    """
    if budget < 1:
        raise SettingsError(
            f"budget {budget}: at least one prompt a language is needed", "setting:budget=300"
        )
    first = tuple(islice(prompt_stream(language, lengths=lengths, seed=seed), budget))
    if len(first) < budget:
        raise SettingsError(
            f"budget {budget}: language {language!r} has {len(first)} different prompts "
            f"at lengths {tuple(lengths)}",
            f"setting:budget={len(first)}, or more lengths, or more topics in the language file",
        )
    return first


def prompt_stream(
    language: str, *, lengths: Sequence[int] = DEFAULT_LENGTHS, seed: int = 0
) -> Iterator[Prompt]:
    """A language's prompts, without repeats, in an order with every beginning balanced.

    The stream passes over the topics again and again, each pass in a new order, and ends when no new prompt
    is left. So no topic has a second prompt before every topic has a prompt. The further topics of a language
    come last in each pass. Wordings without a topic count as one topic more. Within a pass a prompt takes the
    length, the wording and the way to write the number (digits or word) seen least so far; among equals, the
    combination seen least. Nothing depends on the language but the text: two languages whose wordings have
    the same ids ask for the same lengths about the same topics in the same order.

    Args:
        language: Code of the language.
        lengths: Numbers of words to ask for.
        seed: Seed of the order.

    Raises:
        LanguageError: The language is unknown.
        SettingsError: A length cannot be asked for.
    """
    if not lengths or min(lengths) < 1 or len(set(lengths)) < len(lengths):
        raise SettingsError(
            f"lengths {tuple(lengths)}: a request is for at least one word, each length once",
            "setting:lengths=3-9",
        )
    return _stream(load_language(language), tuple(lengths), seed)


def split_of(prompt: Prompt) -> str | None:
    """The half of the topics that holds a prompt's topic, `discovery` or `test`; None without a topic."""
    if prompt.topic == NO_TOPIC:
        return None
    return load_language(prompt.language).topics[prompt.topic].split


def with_n_words(prompt: Prompt, n_words: int) -> Prompt:
    """The prompt with another number of words, in digits or as a word like the old number.

    Args:
        prompt: A prompt of a stream.
        n_words: The other number.

    Raises:
        LanguageError: The language is unknown, has no such prompt, or has no word for the number.
        SettingsError: The number cannot be asked for.
    """
    if n_words < 1:
        raise SettingsError(f"{n_words} words cannot be asked for", "ask for at least one word")
    language = load_language(prompt.language)
    choice = _choice_of(prompt, language)
    if choice.spelled and n_words not in language.numbers:
        raise LanguageError(
            f"language {language.code!r} has no word for {n_words}, to put into {prompt.text!r}",
            "add it to the [numbers] of its file, or ask for fewer words (setting:lengths=3-9)",
        )
    return _prompt(language, prompt.topic, choice._replace(n_words=n_words))


class _Choice(NamedTuple):
    n_words: int
    wording: Wording
    spelled: bool


def _stream(language: Language, lengths: tuple[int, ...], seed: int) -> Iterator[Prompt]:
    bare = [wording for wording in language.wordings if wording.bare]
    topical = [wording for wording in language.wordings if not wording.bare]
    left = {key: _choices(language, topical, lengths) for key in language.topics}
    left[NO_TOPIC] = _choices(language, bare, lengths)
    even = (
        [("length", n_words) for n_words in lengths],
        [("wording", wording.id) for wording in bare],
        [("wording", wording.id) for wording in topical],
        [("spelling", False), ("spelling", True)],
        [("spelling", None)],
    )
    seen: Counter[Hashable] = Counter()
    written: set[str] = set()
    further = {key for key, topic in language.topics.items() if topic.is_further}
    for turn in count():
        if not any(left.values()):
            return
        for together in (left.keys() - further, further):
            waiting = sorted((key for key in together if left[key]), key=lambda key: _hash(seed, turn, key))
            while waiting:
                # A topic that has had the length, wording or spelling now due lets some others go before it.
                least = {margin for margins in even for margin in _least(margins, seen.__getitem__)}
                for key in waiting[:_LOOK_AHEAD]:
                    choice = _least_seen(left[key], key, seen, language, seed)
                    if least.issuperset(_margins(choice, language)):
                        break
                else:
                    key = waiting[0]
                    choice = _least_seen(left[key], key, seen, language, seed)
                waiting.remove(key)
                left[key].remove(choice)
                prompt = _prompt(language, key, choice)
                if prompt.text not in written:
                    written.add(prompt.text)
                    seen.update(_margins(choice, language))
                    seen.update(_pairs(choice, key))
                    yield prompt


def _choices(language: Language, wordings: list[Wording], lengths: tuple[int, ...]) -> list[_Choice]:
    return [
        _Choice(n_words, wording, spelled)
        for n_words in lengths
        for wording in wordings
        for spelled in ((False, True) if n_words in language.numbers else (False,))
    ]


def _least_seen(
    choices: list[_Choice], key: str, seen: Counter[Hashable], language: Language, seed: int
) -> _Choice:
    """The choice that keeps lengths, wordings and spellings even, in this order, and then their pairs."""
    choices = _least(choices, lambda choice: seen["length", choice.n_words])
    choices = _least(choices, lambda choice: seen["wording", choice.wording.id])
    choices = _least(choices, lambda choice: seen[_margins(choice, language)[2]])
    choices = _least(choices, lambda choice: sum(seen[pair] for pair in _pairs(choice, key)))
    return min(
        choices, key=lambda choice: _hash(seed, key, choice.n_words, choice.wording.id, choice.spelled)
    )


def _least(values: Sequence[_T], number: Callable[[_T], int]) -> list[_T]:
    """The values of which a number is least."""
    numbers = [number(value) for value in values]
    least = min(numbers, default=0)
    return [value for value, its in zip(values, numbers, strict=True) if its == least]


def _margins(choice: _Choice, language: Language) -> tuple[Hashable, Hashable, Hashable]:
    """The marginals to keep even: length, wording, and spelling (None without a choice of spelling)."""
    spelling = choice.spelled if choice.n_words in language.numbers else None
    return ("length", choice.n_words), ("wording", choice.wording.id), ("spelling", spelling)


def _pairs(choice: _Choice, key: str) -> tuple[Hashable, ...]:
    n_words, wording, spelled = choice.n_words, choice.wording.id, choice.spelled
    return (
        ("topic, length", key, n_words),
        ("topic, wording", key, wording),
        ("topic, spelling", key, spelled),
        ("length, wording", n_words, wording),
        ("length, spelling", n_words, spelled),
        ("wording, spelling", wording, spelled),
    )


def _prompt(language: Language, key: str, choice: _Choice) -> Prompt:
    forms = language.topics[key].forms if key != NO_TOPIC else {}
    text = choice.wording.text.format(
        n=language.numbers[choice.n_words] if choice.spelled else str(choice.n_words),
        words=language.word_one if choice.n_words == 1 else language.word_other,
        **forms,
    )
    text = text[0].upper() + text[1:]
    content = (language.code, choice.n_words, key, choice.wording.id, text)
    return Prompt(_hash(*content)[:16], *content)


def _choice_of(prompt: Prompt, language: Language) -> _Choice:
    """The length, wording and spelling of a prompt."""
    wordings = [
        wording
        for wording in language.wordings
        if wording.id == prompt.template and wording.bare == (prompt.topic == NO_TOPIC)
    ]
    if prompt.topic in language.topics or prompt.topic == NO_TOPIC:
        for choice in _choices(language, wordings, (prompt.n_words,)):
            if _prompt(language, prompt.topic, choice) == prompt:
                return choice
    raise LanguageError(
        f"language {language.code!r} has no prompt {prompt.text!r} (wording {prompt.template!r}, "
        f"topic {prompt.topic!r})",
        "take one of its stream: lengthprobe.task.prompts.prompts",
    )


def _hash(*content: Hashable) -> str:
    """The SHA-256 of some strings and numbers, the same on every machine and in every Python."""
    return sha256(json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
