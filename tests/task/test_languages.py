"""Languages: a file becomes one, and a bad file is refused with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lengthprobe.errors import LanguageError
from lengthprobe.task.languages import Topic, Wording, available, load_language, nearest_language

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = "\n".join(f'{number} = "number{number}"' for number in range(1, 21))
SENTENCES = "\n".join(f'    "This is sentence {letter}.",' for letter in "abcdefghijklmnopqrst")
ORDINARY = f"[ordinary]\nsentences = [\n{SENTENCES}\n]\n"
GOOD = f"""\
code = "xx"
name = "Example"
aside = "Bitte {{n}}."

[word]
one = "wort"
other = "worte"

[numbers]
{NUMBERS}

[preambles]
interjections = ["sure"]
introductions = ["here is"]

{ORDINARY}
[[wordings]]
id = "paper"
form = "paper"
text = "Give {{n}} {{words}}"

[[wordings]]
id = "question"
form = "question"
text = "What are {{n}} {{words}} on {{about}}?"

[topics.discovery]
sea = {{ about = "the sea" }}

[topics.test]
ice-cream = {{ about = "ice cream" }}
"""


def test_a_file_becomes_a_language(tmp_path: Path) -> None:
    """Every part of a language file is where the prompts look for it."""
    file = tmp_path / "xx.toml"
    file.write_text(GOOD, encoding="utf-8")

    language = load_language("xx", file)

    assert (language.code, language.name, language.aside) == ("xx", "Example", "Bitte {n}.")
    assert (language.word_one, language.word_other) == ("wort", "worte")
    assert language.numbers[20] == "number20"
    assert (language.interjections, language.introductions) == (("sure",), ("here is",))
    assert language.ordinary[:2] == ("This is sentence a.", "This is sentence b.")
    assert language.wordings[1] == Wording("question", "question", "What are {n} {words} on {about}?")
    assert dict(language.topics) == {
        "sea": Topic("sea", "discovery", {"about": "the sea"}),
        "ice-cream": Topic("ice-cream", "test", {"about": "ice cream"}),
    }


def test_topics_are_counted_with_none(tmp_path: Path) -> None:
    """Two, and the wording without one; where all wordings have one, two."""
    for text, count in ((GOOD, 3), (GOOD.replace("Give {n}", "Give {about} {n}"), 2)):
        file = tmp_path / f"{count}" / "xx.toml"
        file.parent.mkdir()
        file.write_text(text, encoding="utf-8")
        assert load_language("xx", file).n_topics == count


def test_a_wording_without_a_topic_is_bare() -> None:
    """A wording is bare when it uses no form of a topic."""
    assert Wording("paper", "paper", "Give {n} {words}").bare
    assert not Wording("question", "question", "What are {n} {words} on {about}?").bare


@pytest.mark.parametrize(
    ("old", "new", "at", "problem", "fix"),
    [
        ('code = "xx"\n', "", "", "code is missing", 'add code = "…"'),
        ('name = "Example"\n', "", "", "name is missing", 'add name = "…"'),
        ('aside = "Bitte {n}."\n', "", "", "aside is missing", 'add aside = "…"'),
        ('"Bitte {n}."', '"Bitte."', "aside", "aside does not name one number", "write {n} for it"),
        ('"Bitte {n}."', '"{n} {x}"', "aside", "aside does not name one number", "write {n} for it"),
        ('one = "wort"\n', "", "[word]", "word.one is missing", 'add one = "…"'),
        ('other = "worte"\n', "", "[word]", "word.other is missing", 'add other = "…"'),
        ('"wort"', '""', "one", "word.one is '', not a line of text", "write it in quotes"),
        ('"worte"', '["worte"]', "other", "word.other is ['worte'], not a line", "write it in quotes"),
        ("other =", "plural =", "plural", "word.plural is not a key that is read", "keys: one, other"),
        ('[word]\none = "wort"\nother = "worte"\n', "", "", "word is missing", "add a table [word]"),
        ("[numbers]", "[number]", "[number]", "number is not a key that is read here", "keys: code, name, "),
        ('7 = "number7"\n', "", "[numbers]", "numbers has no word for 7", 'add it, as in 5 = "five"'),
        ('7 = "number7"', "ten = 7", "ten", "numbers.ten is not a number from 1", "write it in digits"),
        ('7 = "number7"', "7 = 7", "7 = 7", "numbers.7 is 7, not a line of text", "write it in quotes"),
        ("[preambles]", "[answers]", "[answers]", "answers is not a key that is read", "keys: code, name, "),
        (
            '["sure"]',
            "[]",
            "interjections",
            "preambles.interjections is not a list of texts",
            'write interjections = ["…"]',
        ),
        (
            'introductions = ["here is"]\n',
            "",
            "[preambles]",
            "preambles.introductions is missing",
            'add introductions = ["…"]',
        ),
        (ORDINARY, "", "", "ordinary is missing", "add a table [ordinary]"),
        (ORDINARY, "[ordinary]\n", "[ordinary]", "ordinary is not a table with entries", "make it a table"),
        ("sentences =", "lines =", "lines", "ordinary.lines is not a key that is read", "keys: sentences"),
        (
            f"[\n{SENTENCES}\n]",
            '"One."',
            "sentences",
            "ordinary.sentences is not a list of texts",
            'write sentences = ["…"]',
        ),
        (
            '    "This is sentence t.",\n',
            "",
            "sentences",
            "ordinary.sentences are 19, and at least 20 are needed",
            "add 1 more, each a short sentence of everyday prose",
        ),
        (
            '"This is sentence c."',
            "3",
            "    3",
            "ordinary.sentences[3] is 3, not a line of text",
            "write it in quotes",
        ),
        (
            '"This is sentence c."',
            '""',
            '    ""',
            "ordinary.sentences[3] is '', not a line of text",
            "write it in quotes",
        ),
        (
            '"This is sentence t."',
            '"This is sentence c."  # again',
            '    "This is sentence c."  # again',
            "ordinary.sentences[20] is the same as sentences[3]",
            "write another in its place",
        ),
        (
            "[[wordings]]",
            "[[wording]]",
            "[[wording]]",
            "wording is not a key that is read here",
            "keys: code, name, word, ",
        ),
        (GOOD[GOOD.index("[[word") : GOOD.index("[topics")], "", "", "wordings is missing", "add a table"),
        ('form = "paper"\n', "", "[[wordings]]", "wordings[1].form is missing", 'add form = "…"'),
        (
            'id = "question"',
            'id = "paper" # again',
            'id = "paper" # again',
            "wordings[2].id is 'paper', as in a wording before it",
            "give each its own",
        ),
        (
            "Give {n} {words}",
            "Give some {words}",
            'text = "Give',
            "wordings[1].text of wording 'paper' asks for no number",
            "put {n} in it",
        ),
        (
            "on {about}?",
            "on {abuot}?",
            'text = "What',
            "wordings[2].text has an unknown placeholder {abuot}",
            "known here: {n}, ",
        ),
        (
            "on {about}?",
            "on {about?",
            'text = "What',
            "wordings[2].text has braces amiss",
            "write placeholders as {n} and {words}",
        ),
        (
            "Give {n}",
            "Give {n:>9}",
            'text = "Give',
            "wordings[1].text has braces amiss: {n} is not a name alone",
            "write placeholders",
        ),
        (
            "Give {n}",
            "Give {}",
            'text = "Give',
            "wordings[1].text has braces amiss: {} is not a name alone",
            "write placeholders",
        ),
        (
            "[topics.test]",
            "[topics.tests]",
            "[topics.tests]",
            "topics.tests is not a key that is read here",
            "keys: discovery, test",
        ),
        (
            'ice-cream = { about = "ice cream" }',
            'sea = { about = "sea" }',
            'sea = { about = "sea" }',
            "topics.test.sea is also in topics.discovery",
            "keep it in one of the two",
        ),
        (
            'ice-cream = { about = "ice cream" }',
            'ice-cream = { on = "ice cream" }',
            "ice-cream",
            "topics.test.ice-cream lacks the form 'about', which wording 'question' needs",
            'add about = "…"',
        ),
        (
            '"ice cream"',
            '""',
            "ice-cream",
            "topics.test.ice-cream.about is '', not a line of text",
            "write it in quotes",
        ),
        (
            "ice-cream =",
            "no-topic =",
            "no-topic",
            "topics.test.no-topic is not a key for a topic",
            "write one in lower case",
        ),
        (
            "ice-cream =",
            "Ice =",
            "Ice",
            "topics.test.Ice is not a key for a topic",
            "write one in lower case",
        ),
        (
            '{ about = "ice cream" }',
            '"ice cream"',
            "ice-cream",
            "topics.test.ice-cream is not a table",
            "make it a table",
        ),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, old: str, new: str, at: str, problem: str, fix: str) -> None:
    """The message names file, line and key, the fix what to write; a key the file lacks has no line."""
    assert old in GOOD
    bad = GOOD.replace(old, new)
    line = next(
        (f", line {n}" for n, line in enumerate(bad.split("\n"), 1) if at and line.startswith(at)), ""
    )
    file = tmp_path / "xx.toml"
    file.write_text(bad, encoding="utf-8")

    with pytest.raises(LanguageError) as error:
        load_language("xx", file)

    assert bool(line) == bool(at)
    assert error.value.problem.startswith(f"language file {file}{line}: {problem}")
    assert error.value.fix.startswith(fix)


def test_a_file_of_another_language_is_refused(tmp_path: Path) -> None:
    """A file is not read under a code that it does not have."""
    file = tmp_path / "xx.toml"
    file.write_text(GOOD, encoding="utf-8")

    with pytest.raises(LanguageError) as error:
        load_language("lb", file)

    assert error.value.problem == f"language file {file}: code is 'xx', where 'lb' is asked for"
    assert error.value.fix == "write code = \"lb\", or ask for 'xx'"


@pytest.mark.parametrize(
    ("asked", "fix"),
    [
        ("english", "did you mean en? "),
        ("GERMAN", "did you mean de? "),
        ("Italiano", "did you mean it? "),
        ("luxembourgish", "did you mean lb? "),
        ("eng", "did you mean en? "),
        ("en-GB", "did you mean en? "),
        ("pt_BR", ""),
        ("pt", ""),
        ("xyzzy", ""),
    ],
)
def test_an_unknown_language_gets_the_known_ones(asked: str, fix: str) -> None:
    """The message lists what there is, with the nearest first where one is near."""
    with pytest.raises(LanguageError) as error:
        load_language(asked)

    assert error.value.problem == f"language {asked!r} is not known"
    assert error.value.fix == f"{fix}available: {', '.join(available())}"


def test_a_language_that_is_given_is_not_meant_again() -> None:
    """Beside `it`, `ita` means nothing that is near."""
    assert nearest_language("ita") == "it"
    assert nearest_language("ita", given=("it", "ita")) is None


def test_six_languages_are_shipped() -> None:
    """Those of the paper, and four more."""
    assert available() == ("de", "en", "es", "fr", "it", "lb")


def test_a_language_is_read_once() -> None:
    """A language is remembered: every prompt stream shares one."""
    assert load_language("en") is load_language("en")
