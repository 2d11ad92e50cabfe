"""What the session says at its beginning and at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.reporting.tables import header, missing_claim_lines, notes, settings_line, table, totals
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


def opening_lines(run: Run) -> list[str]:
    """The lines above the tests: who is asked what."""
    names = ", ".join(f"{role} {_named(run.shown[role], name)}" for role, name in run.names.items())
    if run.lineage_told:
        names += f", lineage {run.lineage_told}"
    return [f"lengthprobe: {names}", f"lengthprobe: {settings_line(run.settings)}"]


def _named(shown: str, typed: str) -> str:
    """A checkpoint's display name, and beside it the path or id that it stands for."""
    return shown if shown == typed else f"{shown} ({printable(typed)})"


def _is_helped(entry: Entry) -> bool:
    """Whether more topics would decide every undecided comparison of a claim."""
    undecided = [check for check in entry.checks if check.verdict == "undecided"]
    return bool(undecided) and all(check.more_topics for check in undecided)


def _what_decides(run: Run) -> str:
    """The line on undecided claims that more topics would decide, and the option to type; else empty."""
    from lengthprobe.task.languages import load_language

    undecided = [one for one in run.ledger.entries.values() if one.verdict == "undecided"]
    helped = [one for one in undecided if _is_helped(one)]
    topics = min(load_language(language).n_topics for language in run.settings.languages)
    if not helped or topics <= run.settings.budget:
        return ""
    claims = f"{len(undecided)} undecided claim{'s' * (len(undecided) > 1)}"
    return f"more topics would decide {len(helped)} of {claims}: --lengthprobe-budget=300"


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
    if decides := _what_decides(run):
        terminal.write_line(decides)
    for note in run.probes.notes if run.ledger.entries else ():
        terminal.write_line(f"lengthprobe: {printable(note)}", yellow=True)
    for problem in run.problems:
        terminal.write_line(f"lengthprobe: {problem}", red=True)
    for line in run.outputs.written:
        terminal.write_line(line)
