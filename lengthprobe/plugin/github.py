"""GitHub Actions: an annotation for each claim that does not hold, and the summary on the job's page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lengthprobe.reporting.ledger import UNCOLLECTED
from lengthprobe.reporting.quantities import margin, numbers
from lengthprobe.untrusted_text import escaped_text, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pytest

    from lengthprobe.reporting.ledger import Entry

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
_ACTIONS, _WORKSPACE = "GITHUB_ACTIONS", "GITHUB_WORKSPACE"
# GitHub shows ten errors and ten warnings of a step: what is broken goes first.
_LEVELS = {"broken": "error", "error": "error", "undecided": "warning"}
_TITLE_SHOWN, _MESSAGE_SHOWN = 120, 2000
Place = tuple[str, int | None]


def annotate(config: pytest.Config, entries: Iterable[Entry], places: Mapping[str, Place]) -> None:
    """Show the claims that do not hold beside their code, where the session is a job of GitHub's.

    Args:
        config: The config of the session.
        entries, places: As in `annotation_lines`.
    """
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    lines = list(annotation_lines(entries, places, config.rootpath))
    # An empty line first: GitHub reads commands at the beginning of lines, and dots may stand there.
    for line in ("", *lines) if lines else ():
        if terminal is None:
            print(line)
        else:
            terminal.write_line(line)


def annotation_lines(
    entries: Iterable[Entry],
    places: Mapping[str, Place],
    root: Path,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[str]:
    """Workflow commands, each on a line, that show a claim beside its code; none outside GitHub Actions.

    A broken claim and an error are errors, an undecided claim is a warning, and a waived claim is a notice.

    Args:
        entries: The outcomes of the claims.
        places: The file of each test, relative to `root`, and its line counted from 1.
        root: The root folder of pytest.
        environment: The environment of the job.
    """
    if environment.get(_ACTIONS) != "true":
        return
    order = list(_LEVELS)
    red = [entry for entry in entries if entry.verdict in _LEVELS]
    for entry in sorted(red, key=lambda entry: (entry.is_waived, order.index(entry.verdict))):
        level = "notice" if entry.is_waived else _LEVELS[entry.verdict]
        path, line = places.get(entry.nodeid, (entry.nodeid if entry.kind == UNCOLLECTED else "", None))
        language = f" ({entry.language})" if entry.language else ""
        said = {
            "file": _in_workspace(root / path, environment) if path else "",
            "line": str(line or ""),
            "title": one_line(f"{entry.word}: {entry.claim}{language}")[:_TITLE_SHOWN],
        }
        if not said["file"]:
            said["line"] = ""
        shown = ",".join(f"{name}={_property(text)}" for name, text in said.items() if text)
        yield f"::{level} {shown}::{_data(escaped_text(_message(entry), _MESSAGE_SHOWN))}"


def add_summary(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Add a summary in Markdown to the page of a GitHub job, where there is a page.

    Returns:
        Why the summary could not be added; empty where all is well.
    """
    page = environment.get(STEP_SUMMARY)
    if not page:
        return ""
    try:
        with Path(page).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"\n{text}")
    except OSError as error:
        return f"${STEP_SUMMARY} cannot be written: {error.strerror}"
    return ""


def _message(entry: Entry) -> str:
    lines = [entry.statement]
    for check in entry.checks:
        if check.verdict != "holds":
            effect, interval, size = numbers(check)
            measured = (
                "" if check.unmet else f"{effect}, interval {interval}, n {size}, claimed {margin(check)}; "
            )
            lines.append(one_line(f"{check.expression}: {measured}{check.reason}"))
    return "\n".join([*lines, *filter(None, [entry.message, str(entry.waiver or "")])])


def _in_workspace(path: Path, environment: Mapping[str, str]) -> str:
    """The path as GitHub knows the file; empty for a file outside the checked-out repository."""
    workspace = environment.get(_WORKSPACE)
    try:
        inside = path.resolve().relative_to(Path(workspace).resolve() if workspace else Path.cwd())
    except ValueError:
        return ""
    return inside.as_posix()


def _data(text: str) -> str:
    """The message of a workflow command, escaped by GitHub's rules."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property of a workflow command, escaped by GitHub's rules."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
