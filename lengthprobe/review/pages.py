"""Lines for a terminal: the list of saved runs, the table of a run, the comparison of two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.errors import LengthprobeError
from lengthprobe.margins import Margins
from lengthprobe.reporting.ledger import Ledger, entries_of
from lengthprobe.reporting.names import name_of
from lengthprobe.reporting.tables import header, missing_claim_lines, notes, table, totals
from lengthprobe.review.changed_answers import changed_lines
from lengthprobe.runs.places import run_names
from lengthprobe.runs.saved import read_run
from lengthprobe.untrusted_text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from lengthprobe.review.comparing import RunComparison
    from lengthprobe.runs.saved import SavedRun


def list_lines(folder: Path) -> list[str]:
    """The saved runs in a folder, a row each; a damaged run is named below with the damage."""
    from tabulate import tabulate

    names = run_names(folder)
    if not names:
        return [f"no runs are saved in {folder}"]
    rows, damaged = [], []
    for name in names:
        try:
            rows.append(_row(read_run(folder / name)))
        except LengthprobeError as error:
            rows.append((name, "damaged", "", "", ""))
            damaged.append(printable(error.problem, None))
    headers = ["run", "checkpoint", "saved", "prompts", "verdicts"]
    lines = str(tabulate(rows, headers, disable_numparse=True)).splitlines()
    return [str(folder), "", *lines, *([""] * bool(damaged)), *damaged]


def show_lines(run: SavedRun) -> list[str]:
    """The table of a run, as the session showed the table, below the checkpoints and the settings."""
    ledger = _ledger(run)
    margins = {
        name: margin for name, margin in run.margins.items() if getattr(Margins(), name, margin) != margin
    }
    named = run.report.get("named", {})
    names = {role: str(checkpoint["display_name"]) for role, checkpoint in named.items()}
    held = ", ".join(
        f"{count} answers in {language}{' with attributions' * (language in run.traced_languages())}"
        for language, count in run.languages().items()
    )
    made = f"saved {run.date} by {printable(str(run.content['made_by']))}"
    return [
        f"{'run':<10} {printable(run.name)}: {made}, in {run.path}; {held}",
        *header(ledger, run.settings, names, margins),
        "",
        *table(ledger, run.settings.alpha),
        "",
        *notes(ledger),
        *map(printable, run.report.get("not_run", ())),
        *missing_claim_lines(ledger),
        totals(ledger),
    ]


def comparison_lines(comparison: RunComparison, margins: Margins, shown: int | None) -> list[str]:
    """The comparison of two runs: the verdicts, and the changed answers side by side.

    Args:
        comparison: The comparison.
        margins: The margins of the claims.
        shown: Most changed answers to show in each language, None for all.
    """
    ledger, settings = comparison.ledger, comparison.settings
    model, reference = (name_of(ledger.models[role]) for role in ("model", "reference"))
    lines = [
        *header(ledger, settings, {}, margins.changed()),
        "",
        *table(ledger, settings.alpha),
        "",
        *notes(ledger),
        *comparison.notes,
        totals(ledger),
    ]
    for language, (changed, n_prompts) in comparison.changed.items():
        lines += ["", *changed_lines(changed, n_prompts, language, (model, reference), shown)]
    return lines


def _row(run: SavedRun) -> tuple[str, ...]:
    report = run.report
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in report["totals"].items() if count)
    prompts = ", ".join(f"{count} {language}" for language, count in run.languages().items())
    return run.name, printable(name_of(run.identity().as_dict())), run.date, prompts, verdicts


def _ledger(run: SavedRun) -> Ledger:
    """The ledger of a saved session.

    Raises:
        SettingsError: The run is damaged.
    """
    from lengthprobe.reporting.ledger import ROLES

    report = run.report
    return Ledger(
        entries={entry.nodeid: entry for entry in run.read(lambda: entries_of(report))},
        models={role: report[role] for role in ROLES if report.get(role)},
        deselected=report.get("deselected", 0),
        interrupted=report.get("interrupted"),
    )
