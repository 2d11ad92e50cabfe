"""Languages: the wordings, topics and number words of each, read from one TOML file."""

from __future__ import annotations

import re
import string
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lengthprobe.errors import LanguageError

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_TOPIC = "no-topic"
SPLITS = ("discovery", "test")
NEEDED_NUMBERS = range(1, 21)
_OWN_PLACEHOLDERS = ("n", "words")
_KEYS = ("code", "name", "word", "numbers", "wordings", "topics")


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to ask, with the placeholders {n}, {words} and forms of a topic.

    Args:
        id: Name of the wording; the same in every language for wordings of the same kind.
        form: Its kind: `imperative`, `question`, `polite`, `constraint-first`, `constraint-last`, …
        text: The wording itself.
    """

    id: str
    form: str
    text: str

    @property
    def topic_forms(self) -> tuple[str, ...]:
        """The forms of a topic that the wording uses."""
        return tuple(name for name in _placeholders(self.text) if name not in _OWN_PLACEHOLDERS)

    @property
    def bare(self) -> bool:
        """Whether the wording asks for words about nothing in particular."""
        return not self.topic_forms


@dataclass(frozen=True, slots=True)
class Topic:
    """What to write about.

    Args:
        key: Language-independent name.
        split: `discovery` or `test`.
        forms: The topic as wordings need it, e.g. `su` → "sul mare".
    """

    key: str
    split: str
    forms: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Language:
    """Everything that prompts in one language are made of.

    Args:
        code: Name of the language, e.g. `it`.
        name: Its name in English.
        numbers: Number words, as they stand before the counted noun.
        word_one: The counted noun after 1.
        word_other: The counted noun after any other number.
        wordings: Ways to ask.
        topics: Topics by key.
    """

    code: str
    name: str
    numbers: Mapping[int, str]
    word_one: str
    word_other: str
    wordings: tuple[Wording, ...]
    topics: Mapping[str, Topic]


def available() -> tuple[str, ...]:
    """The codes of the languages that lengthprobe ships, sorted."""
    return tuple(
        sorted(Path(entry.name).stem for entry in _shipped().iterdir() if entry.name.endswith(".toml"))
    )


@cache
def load_language(code: str, path: Path | None = None) -> Language:
    """The language of a code, from the shipped files or from a file of one's own.

    Args:
        code: E.g. `en`.
        path: A language file to read in place of the shipped one.

    Raises:
        LanguageError: The language is unknown, or its file is unusable; the message names file and key.
    """
    if path is None:
        if code not in available():
            raise _unknown(code)
        path = Path(str(_shipped() / f"{code}.toml"))
    language = _build(path, _read(path))
    if language.code != code:
        raise _unusable(
            path, "code", f"is {language.code!r}, where {code!r} is asked for", f'write code = "{code}"'
        )
    return language


def _shipped() -> Path:
    return Path(str(files("lengthprobe.task"))) / "languages"


def _unknown(code: str) -> LanguageError:
    names = {load_language(known).name.lower(): known for known in available()}
    names |= {known: known for known in available()}
    near = dict.fromkeys(names[name] for name in get_close_matches(code.lower(), names, cutoff=0.5))
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return LanguageError(f"language {code!r} is not known", f"{meant}available: {', '.join(available())}")


def _unusable(path: Path, key: str, problem: str, fix: str) -> LanguageError:
    return LanguageError(f"language file {path}: {key} {problem}", fix)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise LanguageError(
            f"language file {path} cannot be read: {error.strerror}", "check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise LanguageError(
            f"language file {path} is not UTF-8: {error.reason} at byte {error.start}", "save it as UTF-8"
        ) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        line = text.splitlines()[int(place[1]) - 1].strip() if place else ""
        raise LanguageError(
            f"language file {path} is not valid TOML: {error}",
            f"mend the line: {line}" if line else "complete the file",
        ) from error


def _build(path: Path, data: dict[str, Any]) -> Language:
    for key in data:
        if key not in _KEYS:
            raise _unusable(path, key, "is not a key of a language file", f"keys: {', '.join(_KEYS)}")
    words = _table(path, "word", data)
    wordings = _wordings(path, data)
    topics = _topics(path, _table(path, "topics", data))
    _check_placeholders(path, wordings, topics)
    return Language(
        code=_text(path, "code", data),
        name=_text(path, "name", data),
        numbers=_numbers(path, _table(path, "numbers", data)),
        word_one=_text(path, "word.one", words),
        word_other=_text(path, "word.other", words),
        wordings=wordings,
        topics=topics,
    )


def _text(path: Path, key: str, table: Mapping[str, Any]) -> str:
    value = table.get(key.rpartition(".")[2])
    if value is None:
        raise _unusable(path, key, "is missing", f'add {key.rpartition(".")[2]} = "…"')
    if not isinstance(value, str) or not value or value != " ".join(value.split()):
        raise _unusable(
            path, key, f"is {value!r}", "write text in quotes, without spaces around it or doubled in it"
        )
    return value


def _table(path: Path, key: str, table: Mapping[str, Any]) -> dict[str, Any]:
    value = table.get(key.rpartition(".")[2])
    if value is None:
        raise _unusable(path, key, "is missing", f"add a table [{key}]")
    if not isinstance(value, dict) or not value:
        raise _unusable(path, key, "is not a table with entries", f"make it a table [{key}]")
    return value


def _numbers(path: Path, table: dict[str, Any]) -> Mapping[int, str]:
    for key in table:
        if not re.fullmatch("[1-9][0-9]{0,5}", key):
            raise _unusable(
                path, f"numbers.{key}", "is not a number from 1", 'write it in digits, as in 5 = "five"'
            )
    numbers = {int(key): _text(path, f"numbers.{key}", table) for key in table}
    missing = ", ".join(str(number) for number in NEEDED_NUMBERS if number not in numbers)
    if missing:
        raise _unusable(path, "numbers", f"has no word for {missing}", 'add the words, as in 5 = "five"')
    return MappingProxyType(numbers)


def _wordings(path: Path, data: Mapping[str, Any]) -> tuple[Wording, ...]:
    entries = data.get("wordings")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise _unusable(
            path, "wordings", "is missing or not a list of tables", "add [[wordings]] with id, form, text"
        )
    wordings: dict[str, Wording] = {}
    for place, entry in enumerate(entries, 1):
        identity = _text(path, f"wordings[{place}].id", entry)
        key = f"wordings.{identity}"
        if identity in wordings:
            raise _unusable(path, key, "is there twice", "give each wording an id of its own")
        wordings[identity] = Wording(
            identity, _text(path, f"{key}.form", entry), _text(path, f"{key}.text", entry)
        )
    return tuple(wordings.values())


def _topics(path: Path, table: Mapping[str, Any]) -> Mapping[str, Topic]:
    topics: dict[str, Topic] = {}
    for split in SPLITS:
        for key, forms in _table(path, f"topics.{split}", table).items():
            name = f"topics.{split}.{key}"
            if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", key) or key == NO_TOPIC:
                raise _unusable(
                    path, name, "is not a key for a topic", "write it in lower case, as in ice-cream"
                )
            if key in topics:
                raise _unusable(
                    path, name, f"is also in topics.{topics[key].split}", "keep it in one of the two"
                )
            if not isinstance(forms, dict) or not forms:
                raise _unusable(path, name, "is not a table of forms", f'write {key} = {{ form = "…" }}')
            checked = {form: _text(path, f"{name}.{form}", forms) for form in forms}
            topics[key] = Topic(key, split, MappingProxyType(checked))
    return MappingProxyType(topics)


def _placeholders(text: str) -> tuple[str, ...]:
    fields = [field for field in string.Formatter().parse(text) if field[1] is not None]
    if any(name == "" or spec or conversion for _, name, spec, conversion in fields):
        raise ValueError("a placeholder is a name in braces and nothing else")
    return tuple(dict.fromkeys(name for _, name, _, _ in fields if name is not None))


def _check_placeholders(path: Path, wordings: tuple[Wording, ...], topics: Mapping[str, Topic]) -> None:
    forms = dict.fromkeys(form for topic in topics.values() for form in topic.forms)
    for wording in wordings:
        key = f"wordings.{wording.id}.text"
        try:
            placeholders = _placeholders(wording.text)
        except ValueError as error:
            raise _unusable(
                path, key, f"has braces that do not pair: {error}", "write {n} {words}"
            ) from error
        if "n" not in placeholders:
            raise _unusable(path, key, "does not ask for a number", "put {n} in it")
        for form in wording.topic_forms:
            if form not in forms:
                known = ", ".join(f"{{{name}}}" for name in (*_OWN_PLACEHOLDERS, *forms))
                raise _unusable(path, key, f"has an unknown placeholder {{{form}}}", f"known here: {known}")
            for topic in topics.values():
                if form not in topic.forms:
                    raise _unusable(
                        path,
                        f"topics.{topic.split}.{topic.key}",
                        f"lacks the form {form!r}, which wordings.{wording.id} needs",
                        f'add {form} = "…"',
                    )
