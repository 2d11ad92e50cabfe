"""Comparing two saved runs: the regression claims' measures, paired by prompt, with interval and verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lengthprobe.errors import LengthprobeError, SettingsError
from lengthprobe.margins import alpha_shares
from lengthprobe.reporting.ledger import Entry, Ledger
from lengthprobe.review.changed_answers import changed_answers
from lengthprobe.review.regressions import REGRESSIONS
from lengthprobe.runs.comparability import check_identities, differences_of_settings, sentence_of
from lengthprobe.saved_probe import run_probe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.margins import Margins
    from lengthprobe.probe import Probe
    from lengthprobe.review.changed_answers import ChangedAnswer
    from lengthprobe.review.regressions import Regression
    from lengthprobe.runs.saved import SavedRun
    from lengthprobe.settings import Settings
    from lengthprobe.statistics.check import Check

# The settings that the command takes too: saved runs hold the answers for them.
_OPTIONS = ("languages", "budget")


@dataclass(frozen=True, slots=True)
class RunComparison:
    """The comparison of two saved runs.

    Args:
        ledger: A verdict for each regression claim in each language.
        settings: The settings of both sides.
        changed: The changed answers and the number of prompts, by language.
        notes: Lines on what is not compared, or is only to be known.
    """

    ledger: Ledger
    settings: Settings
    changed: dict[str, tuple[list[ChangedAnswer], int]]
    notes: tuple[str, ...]

    @property
    def all_hold(self) -> bool:
        """Whether every claim holds."""
        return all(entry.verdict == "holds" for entry in self.ledger.entries.values())


def compare_runs(
    candidate: SavedRun,
    reference: SavedRun,
    margins: Margins,
    *,
    budget: int | None = None,
    counter: str | None = None,
    languages: Sequence[str] = (),
    across_forms: bool = False,
) -> RunComparison:
    """The comparison of a saved run with another, the reference.

    Args:
        candidate, reference: The runs.
        margins: The margins of the claims.
        budget: Prompts a language, by default as many as both runs hold.
        counter: The word counter, by default the candidate's.
        languages: Codes of languages, by default all languages of both runs.
        across_forms: Whether runs asked in different forms are compared.

    Raises:
        SettingsError: The runs cannot be compared, or one of them is damaged.
    """
    settings = _settings(candidate, reference, budget, counter, languages, across_forms=across_forms)
    for run in (candidate, reference):
        _check_held(run, candidate, settings)
    ours, theirs = (run.identity().as_dict() for run in (candidate, reference))
    check_identities(reference.name, theirs, ours)
    shares = alpha_shares(len(settings.languages), reference=True)
    names = _names(candidate, reference)
    tested = run_probe(candidate, settings, alpha_shares=shares, display_name=names[0])
    approved = run_probe(reference, settings, alpha_shares=shares, display_name=names[1]).in_role("reference")
    ledger = Ledger(models={"model": _stated(tested), "reference": _stated(approved)})
    traced = {*candidate.traced_languages()} & {*reference.traced_languages()}
    notes = []
    for language in settings.languages:
        for regression in REGRESSIONS:
            if regression.languages and language not in regression.languages:
                continue
            if regression.about == "behaviour" or language in traced:
                entry = _entry(regression, tested, approved, language, margins)
                ledger.record(entry, {})
        lacking = [run.name for run in (candidate, reference) if language not in run.traced_languages()]
        of_mechanism = any(regression.languages == (language,) for regression in REGRESSIONS)
        if lacking and of_mechanism:
            without = " and ".join(lacking)
            notes.append(f"left out: claims about mechanism in {language}; no attributions in {without}")
    changed = {language: changed_answers(tested, approved, language) for language in settings.languages}
    return RunComparison(ledger, settings, changed, tuple(notes))


def _check_held(run: SavedRun, candidate: SavedRun, settings: Settings) -> None:
    """Refuse a run that lacks answers, or was asked otherwise than the candidate."""
    differences = differences_of_settings(run, settings)
    if not differences:
        return
    now = [f"--{each.option}={each.value}" for each in differences if each.option in _OPTIONS]
    later = [each.setting for each in differences if each.option not in _OPTIONS]
    fixes = [" ".join(now)] if now else []
    fixes += [f"save {candidate.name} again with {' '.join(later)}"] if later else []
    raise SettingsError(sentence_of(run, differences), "; ".join(fixes))


def _settings(
    candidate: SavedRun,
    reference: SavedRun,
    budget: int | None,
    counter: str | None,
    languages: Sequence[str],
    *,
    across_forms: bool,
) -> Settings:
    """The candidate's settings, with the languages, prompts and samples of both runs."""
    ours, theirs = candidate.languages(), reference.languages()
    common = tuple(language for language in ours if language in theirs)
    asked = tuple(languages) or common
    if not asked:
        raise SettingsError(
            f"{candidate.name} holds answers in {', '.join(ours)} and {reference.name} in "
            f"{', '.join(theirs)}: there is no language to compare",
            f"save {candidate.name} again with --lengthprobe-languages={','.join(theirs)}",
        )
    held = [numbers[language] for numbers in (ours, theirs) for language in asked if language in numbers]
    kept, other = candidate.settings, reference.settings
    both = kept.sampling is not None and other.sampling is not None
    samples = min(len(kept.sample_numbers), len(other.sample_numbers)) if both else kept.samples
    return replace(
        kept,
        languages=asked,
        budget=budget or min(held, default=kept.budget),
        counter=counter or kept.counter,
        samples=samples,
        across_forms=across_forms or kept.across_forms,
        # The prompt form is as it was used, whatever was asked for.
        prompt_form=candidate.identity().prompt_form,
    )


def _names(candidate: SavedRun, reference: SavedRun) -> tuple[str, str]:
    """The display names of two runs, never equal."""
    from lengthprobe.checkpoints.display_names import display_names

    shown = display_names([candidate.name, reference.name])
    ours, theirs = shown[candidate.name], shown[reference.name]
    return (ours, theirs) if ours != theirs else (ours, f"{theirs}#2")


def _stated(probe: Probe) -> dict[str, object]:
    return probe.identity().as_dict()


def _entry(
    regression: Regression, candidate: Probe, reference: Probe, language: str, margins: Margins
) -> Entry:
    """The outcome of a claim in a language."""
    verdict, message = "error", ""
    checks: tuple[Check, ...] = ()
    try:
        decided = regression.verdict(candidate, reference, language, margins)
        verdict, checks = decided.status, (decided.as_check(),)
    except LengthprobeError as error:
        message = str(error)
    return Entry(
        nodeid=f"{regression.claim}[{language}]",
        claim=regression.claim.replace("_", " ").replace("mlp", "MLP"),
        statement=regression.statement,
        source="lengthprobe",
        kind="requirement",
        language=language,
        published="",
        verdict=verdict,
        checks=checks,
        message=message,
        about=regression.about,
    )
