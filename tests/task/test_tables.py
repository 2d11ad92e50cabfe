"""Tables of a language file: what is wrong with one is said with the file, the key and what to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lengthprobe.errors import LanguageError
from lengthprobe.task.tables import Table, read_toml

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A place for a TOML file."""
    return tmp_path / "xx.toml"


def test_a_file_becomes_a_table(file: Path) -> None:
    """Text, tables and lists of tables are read under the names they have in the file."""
    file.write_text('code = "xx"\n[word]\none = "wort"\n[[wordings]]\nid = "a"\n', encoding="utf-8")

    table = read_toml(file)

    assert table.text("code") == "xx"
    assert table.table("word").texts() == {"one": "wort"}
    assert [(entry.name, entry.text("id")) for entry in table.tables("wordings")] == [("wordings[1]", "a")]


def test_a_missing_file_is_named(file: Path) -> None:
    """A path that does not exist is in the message, with the system's reason."""
    with pytest.raises(LanguageError) as error:
        read_toml(file)

    assert error.value.problem == f"language file {file} cannot be read: No such file or directory"
    assert error.value.fix == "check the path"


def test_a_file_in_another_encoding_is_refused(file: Path) -> None:
    """Latin-1 bytes are no UTF-8: the byte's place is said."""
    file.write_bytes('code = "è"'.encode("latin-1"))

    with pytest.raises(LanguageError) as error:
        read_toml(file)

    assert error.value.problem == f"language file {file} is not UTF-8: invalid continuation byte at byte 8"
    assert error.value.fix == "save it as UTF-8"


def test_a_syntax_error_has_its_line(file: Path) -> None:
    """The line of a slip in the TOML is named and quoted."""
    file.write_text('code = "xx"\nname = Italian\n', encoding="utf-8")

    with pytest.raises(LanguageError) as error:
        read_toml(file)

    assert error.value.problem == f"language file {file} is not TOML: Invalid value (at line 2, column 8)"
    assert error.value.fix == "mend the line: name = Italian"


def test_a_key_written_twice_has_its_line(file: Path) -> None:
    """TOML forbids a second topic of the same key; the second one's line is named and quoted."""
    file.write_text('[topics.test]\nsea = { su = "sul mare" }\nsea = { su = "sul mare" }\n', encoding="utf-8")

    with pytest.raises(LanguageError, match=r"xx\.toml is not TOML: .*\(at line 3, ") as error:
        read_toml(file)

    assert error.value.fix == 'mend the line: sea = { su = "sul mare" }'


def test_a_file_that_breaks_off_is_said_to(file: Path) -> None:
    """A file cut off in a string has no line to quote."""
    file.write_text('code = """xx', encoding="utf-8")

    with pytest.raises(LanguageError) as error:
        read_toml(file)

    assert error.value.problem.startswith(f"language file {file} is not TOML: ")
    assert error.value.fix == "complete the file"


@pytest.mark.parametrize("value", [3, "", " a", "a ", "a  b", "a\nb", ["a"], None])
def test_text_is_one_line_with_single_spaces(file: Path, value: object) -> None:
    """What is no text, is empty, or has spaces around or doubled would make a prompt with a flaw."""
    with pytest.raises(LanguageError) as error:
        Table(file, "word", {"one": value}).text("one")

    assert error.value.problem == f"language file {file}: word.one is {value!r}, not a line of text"
    assert error.value.fix == "write it in quotes, with single spaces and none around"


@pytest.mark.parametrize("value", ["text", {}, []])
def test_a_list_of_texts_has_entries(file: Path, value: object) -> None:
    """Neither one text nor an empty list stands for a list of texts."""
    with pytest.raises(LanguageError) as error:
        Table(file, "preambles", {"introductions": value}).lines("introductions")

    assert error.value.problem == f"language file {file}: preambles.introductions is not a list of texts"
    assert error.value.fix == 'write introductions = ["…"]'


def test_each_of_a_list_of_texts_is_checked(file: Path) -> None:
    """The entry that is no text is named by its place, from 1."""
    with pytest.raises(LanguageError) as error:
        Table(file, "preambles", {"introductions": ["here is", 5]}).lines("introductions")

    assert error.value.problem == f"language file {file}: preambles.introductions[2] is 5, not a line of text"


@pytest.mark.parametrize("value", ["text", {}, [1]])
def test_a_table_has_entries(file: Path, value: object) -> None:
    """An empty table is as good as none."""
    with pytest.raises(LanguageError) as error:
        Table(file, "topics", {"test": value}).table("test")

    assert error.value.problem == f"language file {file}: topics.test is not a table with entries"
    assert error.value.fix == "make it a table [topics.test]"


@pytest.mark.parametrize("value", ["text", {}, [], [1]])
def test_a_list_of_tables_has_entries(file: Path, value: object) -> None:
    """Neither one table nor an empty list stands for a list of tables."""
    with pytest.raises(LanguageError) as error:
        Table(file, "", {"wordings": value}).tables("wordings")

    assert error.value.problem == f"language file {file}: wordings is not a list of tables"
    assert error.value.fix == "write each as a table [[wordings]]"


def test_an_unknown_key_is_refused(file: Path) -> None:
    """A key that nothing reads is a slip of the pen, so it is not passed over."""
    with pytest.raises(LanguageError) as error:
        Table(file, "word", {"one": "a", "othr": "b"}).check_keys(("one", "other"))

    assert error.value.problem == f"language file {file}: word.othr is not a key that is read here"
    assert error.value.fix == "keys: one, other"
