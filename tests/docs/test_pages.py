"""README and the pages in docs/: short enough, all listed, and every link leads somewhere."""

from __future__ import annotations

import argparse
import re
from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest

from benchmarks.prose import sentences, words
from lengthprobe import cli
from lengthprobe.checkpoints.catalog import LINEAGES
from lengthprobe.margins import alpha_shares
from lengthprobe.plugin.options import FLAGS, OF_A_COMMAND, OPTIONS, SWITCHES
from lengthprobe.settings import COUNTERS, PROMPT_FORMS, THINKING
from lengthprobe.task.languages import available
from tests.docs.test_attribution_page import ROOT
from tests.test_imports import ROWS

README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
# What a page shows as code holds no link and no heading.
_CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
MOST_LINES = 110
FIRST_LINES = 15
MOST_WORDS = 20


def test_readme_is_short() -> None:
    """README has at most 110 lines."""
    assert len(_text(README).splitlines()) <= MOST_LINES


def test_readme_says_at_once_how_to_run() -> None:
    """The line that installs and runs the tool stands among the first 15."""
    assert "    make gate  " in "\n".join(_text(README).splitlines()[:FIRST_LINES])


def test_readme_shows_a_claim_of_the_suite() -> None:
    """The claim in README stands in the suite, word for word."""
    first = re.findall(r"```python\n(.*?)```", _text(README), re.DOTALL)[0]
    assert first in _text(ROOT / "behavior_tests" / "test_length.py")


def test_readme_explains_cwa_before_other_pages_need_it() -> None:
    """README uses the abbreviation CWA in its table of words first, where it is explained."""
    assert _text(README).index("CWA") == _text(README).index("CWA | Cumulative Weighted Attribution")


def test_index_lists_every_page() -> None:
    """Every page in docs/ is listed in docs/index.md, once."""
    listed = _LINK.findall(_text(DOCS / "index.md"))
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if path.name != "index.md"]
    assert sorted(name for name in listed if name != "../README.md") == sorted(pages)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link between pages names a file that is there, and a heading of that page."""
    broken = [link for link in _LINK.findall(_CODE.sub("", _text(page))) if not _leads(page, link)]
    assert not broken


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    """A link to another file, or to a heading that the page lacks, leads nowhere."""
    page = tmp_path / "page.md"
    page.write_text("# One `name`, two\n")
    links = ["page.md", "#one-name-two", "page.md#one-name-two", "other.md", "#three", "page.md#three"]
    assert [_leads(page, link) for link in links] == [True, True, True, False, False, False]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_headings_go_down_one_level_at_a_time(page: Path) -> None:
    """A page has one title, and no level of headings is left out."""
    levels = [len(marks) for marks in re.findall(r"^(#+) ", _CODE.sub("", _text(page)), re.MULTILINE)]
    assert levels.count(1) == 1
    assert all(second - first <= 1 for first, second in pairwise(levels))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sentences_are_short(page: Path) -> None:
    """The sentences of a page have 20 words on average, or fewer."""
    assert mean(len(words(sentence)) for sentence in sentences(_text(page))) <= MOST_WORDS


def test_sentences_are_counted_from_full_stop_to_full_stop() -> None:
    """Code and tables are left out, a span of code is one word, and a list is one sentence without stops."""
    text = "# Title\n\nOne `a b c` two. Three (four)!\n\n    code\n\n| a | b |\n\n- five,\n- six.\n"
    assert [len(words(sentence)) for sentence in sentences(text)] == [3, 2, 2]


def test_contributing_lists_the_folders() -> None:
    """The table of folders has the rows of the test on imports, in the same order."""
    section = _text(ROOT / "CONTRIBUTING.md").partition("## The folders\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert [tuple(re.findall(r"`(\w+)/?`", row)) for row in rows[1:]] == list(ROWS)


def test_statistics_page_states_how_many_checks_share_alpha() -> None:
    """The page names the number of checks of behaviour and of mechanism in two languages."""
    found = alpha_shares(2, reference=False)
    behaviour, mechanism = round(found.behaviour * 0.75), round(found.mechanism * 0.25)
    stated = f"{behaviour} checks of behaviour and {mechanism} of mechanism"
    assert stated in _text(DOCS / "statistics.md")


def test_options_page_lists_every_option() -> None:
    """The table has a row for each option of the plugin, and no other row."""
    rows = [line.split("|")[1] for line in _text(DOCS / "options.md").splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(--[\w-]+)", " ".join(rows))) == sorted(
        option.flag for option in (*OPTIONS, *FLAGS, *SWITCHES, *OF_A_COMMAND)
    )


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("counter", COUNTERS),
        ("prompt-form", PROMPT_FORMS),
        ("thinking", THINKING),
        ("languages", available()),
        ("lineage", (*LINEAGES, "other")),
    ],
)
def test_options_page_lists_every_value(option: str, values: tuple[str, ...]) -> None:
    """The row of an option with fixed values names each of them."""
    (row,) = (line for line in _text(DOCS / "options.md").splitlines() if f"`--lengthprobe-{option} " in line)
    assert {f"`{value}`" for value in values} <= set(re.findall(r"`[^`]+`", row))


def test_scan_page_lists_every_option() -> None:
    """The page on the scan names every option of the command."""
    assert _flags("scan") <= set(re.findall(r"`(--[\w-]+)", _text(DOCS / "scan.md")))


def test_options_page_shows_every_option_of_the_cache() -> None:
    """In lines to type, and `--store` beside them."""
    assert _flags("cache") <= set(re.findall(r"(--[\w-]+)", _text(DOCS / "options.md")))


def _flags(command: str) -> set[str]:
    """The options of a subcommand of `lengthprobe`, without its help."""
    (commands,) = (
        action.choices for action in cli._parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    return {flag for action in commands[command]._actions for flag in action.option_strings} - {
        "-h",
        "--help",
    }


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _leads(page: Path, link: str) -> bool:
    """Whether a link leads to a file, and to a heading of this file where the link names a heading."""
    if link.startswith("https://"):
        return True
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return target.is_file() and (not anchor or anchor in _anchors(target))


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
