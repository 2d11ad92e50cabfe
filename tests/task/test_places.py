"""Places: the line of every key of a TOML file."""

from __future__ import annotations

from lengthprobe.task.places import lines_of_keys


def test_tables_keys_and_lists_have_their_lines() -> None:
    """Names are dotted; a table of a list, and an entry of one, are named by their places from 1."""
    text = """\
# head = 0
code = "xx"

[word]  # one = 1
  one = "a"
[[wordings]]
id = "a"
[[wordings]]
id = "b"
[topics.test]
ice-cream = { about = "ice cream" }
"""

    assert lines_of_keys(text) == {
        "code": 2,
        "word": 4,
        "word.one": 5,
        "wordings": 6,
        "wordings[1]": 6,
        "wordings[1].id": 7,
        "wordings[2]": 8,
        "wordings[2].id": 9,
        "topics.test": 10,
        "topics.test.ice-cream": 11,
    }


def test_entries_of_a_list_have_their_lines() -> None:
    """Commas, brackets, quotes and hashes within an entry or a comment end neither it nor the list."""
    text = """\
lines = ["a, b", "c]",
  # "no", entry
  "d # \\" e",  # "none"
  'f',
  5, true,
]
next = []
last = "x"
"""

    assert lines_of_keys(text) == {
        "lines": 1,
        "lines[1]": 1,
        "lines[2]": 1,
        "lines[3]": 3,
        "lines[4]": 4,
        "lines[5]": 5,
        "lines[6]": 5,
        "next": 7,
        "last": 8,
    }
