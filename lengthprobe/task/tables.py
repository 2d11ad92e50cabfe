"""Tables of a TOML file, read with checks: every error names file, line and key, and the text to write."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lengthprobe.errors import LanguageError
from lengthprobe.task.places import lines_of_keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a language file.

    Args:
        path: The file.
        name: Dotted name of the table in the file, empty for the file itself.
        entries: The values by key.
        places: The line of each dotted name in the file.
    """

    path: Path
    name: str
    entries: Mapping[str, Any]
    places: Mapping[str, int] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """The text under a key: one line, without spaces at the ends, and without doubled spaces.

        Raises:
            LanguageError: The key is missing or holds something else.
        """
        value = self._value(key, f'add {key} = "…"')
        if not isinstance(value, str) or not value or value != " ".join(value.split()):
            raise self.unusable(
                key,
                f"is {value!r}, not a line of text",
                "write it in quotes, with single spaces and none around",
            )
        return value

    def texts(self) -> dict[str, str]:
        """All entries, each of which is text."""
        return {key: self.text(key) for key in self.entries}

    def lines(self, key: str) -> tuple[str, ...]:
        """The list of texts under a key, with at least one text.

        Raises:
            LanguageError: The key is missing or holds something else.
        """
        value = self._value(key, f'add {key} = ["…"]')
        if not isinstance(value, list) or not value:
            raise self.unusable(key, "is not a list of texts", f'write {key} = ["…"]')
        named = {f"{key}[{place}]": line for place, line in enumerate(value, 1)}
        return tuple(Table(self.path, self.name, named, self.places).texts().values())

    def table(self, key: str) -> Table:
        """The table under a key, which has at least one entry.

        Raises:
            LanguageError: The key is missing or holds something else.
        """
        name = self._full(key)
        value = self._value(key, f"add a table [{name}]")
        if not isinstance(value, dict) or not value:
            raise self.unusable(key, "is not a table with entries", f"make it a table [{name}]")
        return Table(self.path, name, value, self.places)

    def tables(self, key: str) -> tuple[Table, ...]:
        """The list of tables under a key, with at least one table.

        Raises:
            LanguageError: The key is missing or holds something else.
        """
        name = self._full(key)
        value = self._value(key, f"add a table [[{name}]]")
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value) or not value:
            raise self.unusable(key, "is not a list of tables", f"write each as a table [[{name}]]")
        return tuple(
            Table(self.path, f"{name}[{place}]", entry, self.places) for place, entry in enumerate(value, 1)
        )

    def check_keys(self, known: tuple[str, ...]) -> None:
        """Refuse unknown keys: an unread key is a typing error.

        Raises:
            LanguageError: A key is not known.
        """
        for key in self.entries:
            if key not in known:
                raise self.unusable(key, "is not a key that is read here", f"keys: {', '.join(known)}")

    def unusable(self, key: str, problem: str, fix: str) -> LanguageError:
        """The error about a key of this table, with the line."""
        name = self._full(key)
        return LanguageError(f"language file {self.path}{self._at_line(name)}: {name} {problem}", fix)

    def _at_line(self, name: str) -> str:
        """The line of a key, or of the table without the key; empty where the file itself lacks the key."""
        while name and name not in self.places:
            name = name.rpartition(".")[0]
        return f", line {self.places[name]}" if name else ""

    def _full(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name and key else self.name or key

    def _value(self, key: str, fix: str) -> Any:
        if key not in self.entries:
            raise self.unusable(key, "is missing", fix)
        return self.entries[key]


def read_toml(path: Path) -> Table:
    """The whole of a TOML file.

    Raises:
        LanguageError: The file cannot be read, or is no TOML; the message has the line.
    """
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
        return Table(path, "", tomllib.loads(text), lines_of_keys(text))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        line = text.split("\n")[int(place[1]) - 1].strip() if place else ""
        fix = f"mend the line: {line}" if line else "complete the file"
        raise LanguageError(f"language file {path} is not TOML: {error}", fix) from error
