"""The report for people: a folder with a page, its figures, the JSON file and a summary."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from lengthprobe.reporting.claims import (
    SEVERAL,
    SIGNS,
    claims_without_control,
    count_phrase,
    failed_claims,
    headline_of,
    messages,
    sections,
)
from lengthprobe.reporting.figures import NAMES, plates
from lengthprobe.reporting.files import write_whole
from lengthprobe.reporting.ledger import ROLES, conclusion_of, entries_of, shown_totals
from lengthprobe.reporting.markdown import summary
from lengthprobe.reporting.names import name_of, title_of, unjudged_lines
from lengthprobe.reporting.quantities import margin, numbers
from lengthprobe.reporting.reference_values import reference_values
from lengthprobe.reporting.settings import fact_lists, setting_lists
from lengthprobe.reporting.sides import SIDES
from lengthprobe.reporting.standing import STANDING_WORDS
from lengthprobe.reporting.stated_margins import margin_lists
from lengthprobe.reporting.strips import WIDTH
from lengthprobe.reporting.waiver import waiver_lines
from lengthprobe.statistics.background import means_in_words
from lengthprobe.statistics.digits import interval_name
from lengthprobe.untrusted_text import escaped_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jinja2 import Environment

    from lengthprobe.portraits.portrait import Portrait
    from lengthprobe.reporting.figures import Plate
    from lengthprobe.statistics.background import Fact

INDEX, JSON, SUMMARY = "index.html", "report.json", "summary.md"
_TEXT_SHOWN = 600
_MINUS = re.compile(r"(?<!\w)-(?=\d)")
_PER_CENT = re.compile(r"(?<=\d) %")


def report_files(folder: Path) -> tuple[Path, ...]:
    """All files that a report has, or may have, in its folder; the file with the verdicts first."""
    return (*(folder / name for name in (JSON, INDEX, SUMMARY)), *(folder / name for name in _drawings()))


def _drawings() -> tuple[str, ...]:
    return tuple(f"figures/{name}.svg" for name in NAMES)


def write_report(directory: Path, report: Mapping[str, Any], portraits: Mapping[str, Portrait]) -> Path:
    """Write a report into a folder, which is made: the page, its figures, report.json and summary.md.

    Each file is written whole or not at all, the page last; figures of an earlier report are removed. The
    caller asks first whether the existing files may be replaced (`destination.Destination`).

    Args:
        directory: The folder.
        report: The ledger by `Ledger.as_dict`.
        portraits: The values of the figures, by role; empty where no claim about mechanism was asked.

    Returns:
        The path of the page.

    Raises:
        OSError: A file could not be written.
    """
    figures = plates(portraits)
    texts = {
        **{f"figures/{plate.name}.svg": plate.drawing.file for plate in figures},
        JSON: json.dumps({**report, "portraits": portraits}, indent=2, allow_nan=False) + "\n",
        SUMMARY: summary(report),
        INDEX: page(report, portraits, figures),
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name in _drawings():
        if name not in texts:
            (directory / name).unlink(missing_ok=True)
    if figures:
        (directory / "figures").mkdir(exist_ok=True)
    for name, text in texts.items():
        write_whole(directory / name, text)
    return directory / INDEX


def page(
    report: Mapping[str, Any],
    portraits: Mapping[str, Portrait],
    figures: tuple[Plate, ...],
) -> str:
    """The page as HTML: a single file without any link to other files, and without JavaScript.

    Args:
        report: The ledger.
        portraits: The values of the figures.
        figures: The figures themselves.
    """
    from markupsafe import Markup

    claims, settings, conclusion = entries_of(report), report["settings"], conclusion_of(report)
    against = report.get("against_reference", {})
    models = {role: report[role] for role in ROLES if report[role]}
    return (
        _environment()
        .get_template("index.html.jinja")
        .render(
            name=title_of(report) or "No checkpoint was asked",
            headline=headline_of(report),
            conclusion=conclusion,
            totals=shown_totals(report["totals"]),
            models=models,
            unheard=unjudged_lines(report),
            settings=setting_lists(settings),
            margins=margin_lists(settings.get("margins", {})),
            interval_name=interval_name(settings["alpha"]).replace(" ", "\u00a0", 1),
            sections=sections(claims, reference_values(against)),
            has_reference=bool(models.get("reference")),
            changed={code: told["changed"] for code, told in against.items() if told.get("changed")},
            failed=failed_claims(claims),
            together=claims_without_control(claims),
            errors=messages(claims, "error"),
            skipped=messages(claims, "skipped"),
            not_run=[*waiver_lines(report), *report.get("not_run", [])],
            missing=report.get("missing", []),
            collected=report.get("collected", len(claims)),
            interrupted=report.get("interrupted"),
            facts=fact_lists(models, settings),
            portraits=[portraits[role] for role in ROLES if portraits.get(role)],
            # Our own drawing, in which all foreign text is escaped already.
            plates=[(plate, Markup(plate.drawing.inline)) for plate in figures],
            examples=_examples(portraits),
            strip_width=WIDTH,
        )
    )


def _environment() -> Environment:
    """Templates that escape every value: first characters that hide or turn text, then markup."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lengthprobe.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: escaped_text(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "counted": count_phrase,
        "told": _told,
        "numbers": numbers,
        "margin": margin,
        "printed": _printed,
        "escaped": escaped_text,
        "name_of": name_of,
    }
    environment.globals |= {
        "signs": SIGNS,
        "sides": SIDES,
        "several": SEVERAL,
        "standing_words": STANDING_WORDS,
        "text_shown": _TEXT_SHOWN,
    }
    return environment


def _printed(text: str) -> str:
    """Numbers in print: with a real minus sign, and with no line break before a per cent sign."""
    return _PER_CENT.sub("\u00a0%", _MINUS.sub("−", text))


def _told(fact: Fact) -> str:
    """Components, controls or answers with their means, without a line break between name and mean."""
    return ", ".join(
        means_in_words(fact.what, {name: value}).replace(" ", "\u00a0") for name, value in fact.values.items()
    )


def _examples(portraits: Mapping[str, Portrait]) -> list[tuple[str, str]]:
    """Prompt and response of each example in full, since a figure has room for a part only."""
    first = next((portraits[role] for role in ROLES if portraits.get(role)), None)
    languages = first.get("languages", {}) if first else {}
    examples = [measured["example"] for measured in languages.values() if measured.get("example")]
    return [
        (escaped_text(example["prompt"], _TEXT_SHOWN), escaped_text(example["response"], _TEXT_SHOWN))
        for example in examples
    ]
