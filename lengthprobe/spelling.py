"""Spelling: a message names a setting as its reader types the setting, for pytest, in a shell, in Python.

The library writes `setting:dtype=bfloat16`. Whoever shows messages says once in which spelling.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A value ends where a sentence goes on.
_SETTING = re.compile(r"setting:(?P<name>[a-z][a-z-]*)(?:=(?P<value>'[^']*'|[^\s,;)]*[^\s,;:.)]))?")
# Settings that are there or not, and take no value on a command line.
_SWITCHES = frozenset({"allow-pickle", "allow-remote-code", "across-forms"})


def _for_python(name: str, value: str | None) -> str:
    if name in _SWITCHES:
        return f"{name.replace('-', '_')}=True"
    if name == "model" and value:
        return f'lengthprobe.load("{value}")'
    return name.replace("-", "_") + ("" if value is None else f"={value}")


def for_pytest(name: str, value: str | None) -> str:
    """A setting as an option of the plugin: `--lengthprobe-dtype=bfloat16`."""
    return f"--lengthprobe-{name}" + ("" if value is None else f"={value}")


def for_shell(name: str, value: str | None) -> str:
    """A setting as an option of `lengthprobe scan`: `--dtype=bfloat16`."""
    if name == "model" and value:
        return f"lengthprobe scan {value}"
    return f"--{name}" + ("" if value is None else f"={value}")


_spell: Callable[[str, str | None], str] = _for_python


def spell_message(message: str) -> str:
    """The message with every setting as its reader types the setting.

    >>> spell_message("take a smaller format (setting:dtype=bfloat16)")
    'take a smaller format (dtype=bfloat16)'
    """
    return _SETTING.sub(lambda found: _spell(found["name"], found["value"]), message)


def spell_settings(spell: Callable[[str, str | None], str]) -> None:
    """Spell settings by `for_pytest` or `for_shell` from now on."""
    global _spell
    _spell = spell


@contextmanager
def settings_spelled(spell: Callable[[str, str | None], str]) -> Iterator[None]:
    """Spell settings by `for_pytest` or `for_shell` within a block."""
    before = _spell
    spell_settings(spell)
    try:
        yield
    finally:
        spell_settings(before)
