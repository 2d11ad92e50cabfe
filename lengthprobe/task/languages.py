"""Languages: wordings, topics and number words, read from a TOML file for each language."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from lengthprobe.errors import LanguageError
from lengthprobe.nearest import nearest
from lengthprobe.task.tables import Table, read_toml

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

NO_TOPIC = "no-topic"
SPLITS = ("discovery", "test")
NEEDED_NUMBERS = range(1, 21)
NEEDED_SENTENCES = 20
_OWN_PLACEHOLDERS = ("n", "words")
# Prompts ask about the topics of the first table first.
_TOPIC_TABLES = ("topics", "further_topics")


@dataclass(frozen=True, slots=True)
class Wording:
    """A way to ask, with the placeholders {n}, {words} and forms of a topic.

    Args:
        id: Name of the wording; the same in every language for wordings of the same kind.
        form: The kind: `imperative`, `question`, `polite`, `constraint-first`, `constraint-last`, …
        text: The wording itself.
    """

    id: str
    form: str
    text: str

    @property
    def topic_forms(self) -> tuple[str, ...]:
        """The forms of a topic in the wording."""
        return tuple(name for name in _placeholders(self.text) if name not in _OWN_PLACEHOLDERS)

    @property
    def bare(self) -> bool:
        """Whether the wording asks for words about nothing in particular."""
        return not self.topic_forms


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic to write about.

    Args:
        key: Language-independent name.
        split: `discovery` or `test`.
        forms: The topic as wordings need it, e.g. `su` → "sul mare".
        is_further: Whether prompts are about the topic only after prompts about all other topics.
    """

    key: str
    split: str
    forms: Mapping[str, str]
    is_further: bool = False


@dataclass(frozen=True, slots=True)
class Language:
    """The material of all prompts in a language.

    Args:
        code: Name of the language, e.g. `it`.
        name: The English name.
        aside: A sentence with a number, {n}, which nobody asks for.
        numbers: Number words, as they stand before the counted noun.
        word_one: The counted noun after 1.
        word_other: The counted noun after any other number.
        wordings: Ways to ask.
        topics: Topics by key.
        interjections: Openings of an answer before the point ("Sure").
        introductions: Announcements of an answer, up to a colon ("Here is").
        notes: Words beside the number in a note of the length ("Word count", "in total").
        ordinary: Sentences of everyday prose. A model that has lost only the length control still finds them
            likely; a broken model does not.
    """

    code: str
    name: str
    aside: str
    numbers: Mapping[int, str]
    word_one: str
    word_other: str
    wordings: tuple[Wording, ...]
    topics: Mapping[str, Topic]
    interjections: tuple[str, ...]
    introductions: tuple[str, ...]
    notes: tuple[str, ...]
    ordinary: tuple[str, ...]

    @property
    def n_topics(self) -> int:
        """The number of topics to ask about; wordings without a topic count as a further topic."""
        return len(self.topics) + any(wording.bare for wording in self.wordings)


def available() -> tuple[str, ...]:
    """The codes of the languages shipped with lengthprobe, sorted."""
    return tuple(sorted(path.stem for path in _shipped().glob("*.toml")))


@cache
def load_language(code: str, path: Path | None = None) -> Language:
    """The language of a code, from the shipped files or from the user's own file.

    Args:
        code: E.g. `en`.
        path: A language file to read in place of the shipped file.

    Raises:
        LanguageError: The language is unknown, or its file is unusable; the message names file and key.
    """
    if path is None:
        if code not in available():
            raise unknown_language(code)
        path = _shipped() / f"{code}.toml"
    language = _language(read_toml(path))
    if language.code != code:
        raise LanguageError(
            f"language file {path}: code is {language.code!r}, where {code!r} is asked for",
            f'write code = "{code}", or ask for {language.code!r}',
        )
    return language


def _shipped() -> Path:
    return Path(str(files("lengthprobe.task"))) / "languages"


def nearest_language(typed: str, given: Collection[str] = ()) -> str | None:
    """The code of the language that was probably meant by a name or code, None where none is near.

    Args:
        typed: A text that is no code.
        given: Codes that are given already: none of them is meant a second time.
    """
    codes = {load_language(known).name.lower(): known for known in available()}
    codes |= {known: known for known in available()}
    # A region changes nothing: `en-GB` is `en`.
    typed = re.sub("[-_].*", "", typed.lower())
    name = nearest(typed, [name for name, code in codes.items() if code not in given])
    return None if name is None else codes[name]


def unknown_language(code: str, given: Collection[str] = ()) -> LanguageError:
    """The error for a code that no language has; the arguments are those of `nearest_language`."""
    near = nearest_language(code, given)
    meant = f"did you mean {near}? " if near else ""
    return LanguageError(f"language {code!r} is not known", f"{meant}available: {', '.join(available())}")


def _language(file: Table) -> Language:
    file.check_keys(
        (
            *("code", "name", "word", "numbers", "wordings", "topics", "further_topics"),
            *("preambles", "ordinary", "aside"),
        )
    )
    word = file.table("word")
    word.check_keys(("one", "other"))
    preambles = file.table("preambles")
    preambles.check_keys(("interjections", "introductions", "notes"))
    topics = _topics(file)
    return Language(
        code=file.text("code"),
        name=file.text("name"),
        aside=_aside(file),
        numbers=_numbers(file.table("numbers")),
        word_one=word.text("one"),
        word_other=word.text("other"),
        wordings=_wordings(file, topics),
        topics=MappingProxyType(topics),
        interjections=preambles.lines("interjections"),
        introductions=preambles.lines("introductions"),
        # A file without it knows a note by the counted noun alone.
        notes=preambles.lines("notes") if "notes" in preambles.entries else (),
        ordinary=_ordinary(file.table("ordinary")),
    )


def _aside(file: Table) -> str:
    text = file.text("aside")
    if text.count("{n}") != 1 or set("{}") & set(text.replace("{n}", "")):
        raise file.unusable(
            "aside", "does not name one number", 'write {n} for it, as in aside = "This is request {n}."'
        )
    return text


def _numbers(table: Table) -> Mapping[int, str]:
    for key in table.entries:
        if not re.fullmatch("[1-9][0-9]{0,8}", key):
            raise table.unusable(key, "is not a number from 1", 'write it in digits, as in 5 = "five"')
    numbers = {int(key): text for key, text in table.texts().items()}
    missing = ", ".join(str(number) for number in NEEDED_NUMBERS if number not in numbers)
    if missing:
        raise table.unusable("", f"has no word for {missing}", 'add it, as in 5 = "five"')
    return MappingProxyType(numbers)


def _ordinary(table: Table) -> tuple[str, ...]:
    table.check_keys(("sentences",))
    sentences = table.lines("sentences")
    for place, sentence in enumerate(sentences, 1):
        first = sentences.index(sentence) + 1
        if first < place:
            raise table.unusable(
                f"sentences[{place}]", f"is the same as sentences[{first}]", "write another in its place"
            )
    if len(sentences) < NEEDED_SENTENCES:
        raise table.unusable(
            "sentences",
            f"are {len(sentences)}, and at least {NEEDED_SENTENCES} are needed",
            f"add {NEEDED_SENTENCES - len(sentences)} more, each a short sentence of everyday prose",
        )
    return sentences


def _topics(file: Table) -> dict[str, Topic]:
    """The topics of a file; a file may do without further topics."""
    topics: dict[str, Topic] = {}
    for is_further, name in enumerate(_TOPIC_TABLES):
        if is_further and name not in file.entries:
            continue
        table = file.table(name)
        table.check_keys(SPLITS)
        for split in SPLITS:
            half = table.table(split)
            for key in half.entries:
                if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", key) or key == NO_TOPIC:
                    raise half.unusable(
                        key, "is not a key for a topic", "write one in lower case, as in ice-cream"
                    )
                if key in topics:
                    raise half.unusable(
                        key, f"is also in {_place_of(topics[key])}", "keep it in one of the two"
                    )
                forms = MappingProxyType(half.table(key).texts())
                topics[key] = Topic(key, split, forms, is_further=bool(is_further))
    return topics


def _place_of(topic: Topic) -> str:
    """The table of a topic in its file."""
    return f"{_TOPIC_TABLES[topic.is_further]}.{topic.split}"


def _wordings(file: Table, topics: Mapping[str, Topic]) -> tuple[Wording, ...]:
    wordings: dict[str, Wording] = {}
    for table in file.tables("wordings"):
        table.check_keys(("id", "form", "text"))
        wording = Wording(table.text("id"), table.text("form"), table.text("text"))
        if wording.id in wordings:
            raise table.unusable("id", f"is {wording.id!r}, as in a wording before it", "give each its own")
        wordings[wording.id] = wording
        _check_placeholders(file, table, wording, topics)
    return tuple(wordings.values())


def _check_placeholders(file: Table, table: Table, wording: Wording, topics: Mapping[str, Topic]) -> None:
    try:
        placeholders = _placeholders(wording.text)
    except ValueError as error:
        raise table.unusable(
            "text", f"has braces amiss: {error}", "write placeholders as {n} and {words}"
        ) from error
    if "n" not in placeholders:
        raise table.unusable("text", f"of wording {wording.id!r} asks for no number", "put {n} in it")
    forms = dict.fromkeys(form for topic in topics.values() for form in topic.forms)
    for form in wording.topic_forms:
        if form not in forms:
            known = ", ".join(f"{{{name}}}" for name in (*_OWN_PLACEHOLDERS, *forms))
            raise table.unusable("text", f"has an unknown placeholder {{{form}}}", f"known here: {known}")
        for topic in topics.values():
            if form not in topic.forms:
                raise file.unusable(
                    f"{_place_of(topic)}.{topic.key}",
                    f"lacks the form {form!r}, which wording {wording.id!r} needs",
                    f'add {form} = "…"',
                )


def _placeholders(text: str) -> tuple[str, ...]:
    fields = [
        (name, spec or mark) for _, name, spec, mark in string.Formatter().parse(text) if name is not None
    ]
    for name, extra in fields:
        if extra or not name:
            raise ValueError(f"{{{name}}} is not a name alone")
    return tuple(dict.fromkeys(name for name, _ in fields))
