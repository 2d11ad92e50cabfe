"""Places: the line of a TOML file on which each key and each entry of a list begins."""

from __future__ import annotations

import re

# One to a line; what a string of several lines holds is not told apart, and no language file has one.
_HEADER_OR_KEY = re.compile(
    r"^[ \t]*(?:(?P<bracket>\[\[?)[ \t]*(?P<table>[\w.-]+)[ \t]*\]"
    r"|(?P<key>[\w.-]+)[ \t]*=[ \t]*(?P<list>\[?))",
    re.MULTILINE,
)
_ENTRY = re.compile(r"""#[^\n]*|(?P<end>\])|(?P<entry>"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s,"'#\]]+)""")


def lines_of_keys(text: str) -> dict[str, int]:
    r"""The line, from 1, of each dotted name in a TOML file: tables, keys, entries of lists.

    The entries of a list, and tables in a list, are named by their places from 1.

    >>> lines_of_keys('[a]\nb = [1,\n2]')
    {'a': 1, 'a.b': 2, 'a.b[1]': 2, 'a.b[2]': 3}
    """
    lines: dict[str, int] = {}
    table = ""
    for match in _HEADER_OR_KEY.finditer(text):
        if match["table"]:
            table = match["table"]
            if match["bracket"] == "[[":
                lines.setdefault(table, _line(text, match.start()))
                place = 1
                while f"{table}[{place}]" in lines:
                    place += 1
                table = f"{table}[{place}]"
            lines[table] = _line(text, match.start("table"))
            continue
        name = f"{table}.{match['key']}" if table else match["key"]
        lines[name] = _line(text, match.start("key"))
        if match["list"]:
            for place, start in enumerate(_entries(text, match.end()), 1):
                lines[f"{name}[{place}]"] = _line(text, start)
    return lines


def _entries(text: str, start: int) -> list[int]:
    """The starts of the entries of a list, given the start of the list."""
    starts: list[int] = []
    for match in _ENTRY.finditer(text, start):
        if match["end"]:
            break
        if match["entry"]:
            starts.append(match.start())
    return starts


def _line(text: str, place: int) -> int:
    return 1 + text.count("\n", 0, place)
