"""What the session says at its beginning and at its end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lengthprobe.plugin.saved_runs import reference_run
from lengthprobe.reporting.tables import (
    conclusion_lines,
    header,
    missing_claim_lines,
    notes,
    settings_line,
    table,
    totals,
)
from lengthprobe.untrusted_text import printable

if TYPE_CHECKING:
    import pytest

    from lengthprobe.plugin.run import Run
    from lengthprobe.reporting.ledger import Entry

_COLOURS = {
    "holds": {"green": True},
    "broken": {"red": True},
    "undecided": {"yellow": True},
    "error": {"red": True, "bold": True},
    "skipped": {"light": True},
    "reported": {"cyan": True},
}

_ROUNDED = 50


def opening_lines(run: Run) -> list[str]:
    """The lines above the tests: who is asked what."""
    names = ", ".join(f"{role} {_named(run.shown[role], name)}" for role, name in run.names.items())
    if run.lineage_told:
        names += f", lineage {run.lineage_told}"
    return [f"lengthprobe: {names}", f"lengthprobe: {settings_line(run.settings)}"]


def _named(shown: str, typed: str) -> str:
    """A checkpoint's display name, and beside it the path or id that it stands for."""
    return shown if shown == typed else f"{shown} ({printable(typed)})"


def _needed_prompts(entry: Entry, budget: int) -> int | None:
    """The prompts a language that would decide an undecided claim, None where no number would."""
    undecided = [check for check in entry.checks if check.verdict == "undecided"]
    if not undecided or not all(check.more_topics for check in undecided):
        return None
    # A claim may be about a part of the prompts.
    return max(
        math.ceil(budget * (1 + (check.more_topics or 0) / check.numbers.clusters)) for check in undecided
    )


def _what_decides(run: Run, config: pytest.Config) -> str:
    """The line on undecided claims that more prompts would decide, with the option to type; else empty."""
    undecided = [one for one in run.ledger.entries.values() if one.verdict == "undecided"]
    budget = run.settings.budget
    needed = [prompts for entry in undecided if (prompts := _needed_prompts(entry, budget)) is not None]
    if not needed:
        return ""
    # A round number: the foretold number of topics is itself an estimate.
    enough = max(-(-max(needed) // _ROUNDED) * _ROUNDED, budget + _ROUNDED)
    claims = f"{len(undecided)} undecided claim{'s' * (len(undecided) > 1)}"
    pace = run.seconds_a_prompt
    minutes = (
        "" if pace is None else f", in about {max(1, math.ceil(pace * (enough - budget) / 60))} min more"
    )
    reference = run.names.get("reference")
    saved = reference is not None and reference_run(config, reference) is not None
    first = f" (first save {printable(str(reference))} again with this budget)" if saved else ""
    typed = f"--lengthprobe-budget={enough}{first}"
    return f"more prompts would decide {len(needed)} of {claims}{minutes}: {typed}"


def write_summary(terminal: pytest.TerminalReporter, run: Run) -> None:
    """Write the table and all that belongs to it."""
    writer = terminal.config.get_terminal_writer()

    def paint(text: str, verdict: str) -> str:
        return writer.markup(text, **_COLOURS[verdict])

    terminal.section("claims")
    lines = []
    if run.ledger.entries or run.ledger.missing:
        lines = [*header(run.ledger, run.settings, run.shown, run.margins.changed()), ""]
    if run.ledger.entries:
        lines += [*table(run.ledger, run.settings.alpha, paint), ""]
    for line in (*lines, *notes(run.ledger), *run.not_run, *missing_claim_lines(run.ledger)):
        terminal.write_line(line)
    for waiver in run.waivers.told(run.ledger):
        terminal.write_line(printable(str(waiver["line"]), None), yellow=True)
    if run.ledger.entries:
        terminal.write_line(totals(run.ledger))
    for line in conclusion_lines(run.ledger):
        terminal.write_line(line)
    if decides := _what_decides(run, terminal.config):
        terminal.write_line(decides)
    for note in run.notes:
        terminal.write_line(f"lengthprobe: {printable(note)}", yellow=True)
    for problem in run.problems:
        terminal.write_line(f"lengthprobe: {problem}", red=True)
    for line in run.outputs.written:
        terminal.write_line(line)
