"""Comparability: whether answers of a saved run may be compared with others, and what is only to be told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from lengthprobe.errors import SettingsError
from lengthprobe.sampling import GREEDY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lengthprobe.runs.saved import SavedRun
    from lengthprobe.settings import Settings

# Beside these, answers of the two sides may differ though the weights are equal.
_TOLD = {"dtype": "number format", "device": "device"}


class Difference(NamedTuple):
    """A difference that forbids a comparison.

    Args:
        problem: The difference in words, after the name of the run.
        option: The name of the setting.
        value: The value of the setting with which the other side is asked as the run was.
    """

    problem: str
    option: str
    value: str

    @property
    def setting(self) -> str:
        """The setting, spelled for the reader when the message is shown."""
        return f"setting:{self.option}={self.value}"


def check_settings(run: SavedRun, settings: Settings) -> None:
    """Check that a saved run can stand for a checkpoint asked under some settings.

    Raises:
        SettingsError: The run was asked otherwise, or holds fewer answers; the message names each difference.
    """
    if differences := differences_of_settings(run, settings):
        raise SettingsError(sentence_of(run, differences), " ".join(each.setting for each in differences))


def sentence_of(run: SavedRun, differences: Sequence[Difference]) -> str:
    """Differences in a sentence."""
    return f"the saved run {run.name} {'; it '.join(each.problem for each in differences)}"


def differences_of_settings(run: SavedRun, settings: Settings) -> list[Difference]:
    """The differences between a saved run and some settings that forbid a comparison.

    Raises:
        SettingsError: The run is damaged.
    """
    return [*_of_prompts(run, settings), *_of_asking(run, settings)]


def _of_prompts(run: SavedRun, settings: Settings) -> list[Difference]:
    """The differences of prompts: languages, number, lengths, seed."""
    held, kept = run.languages(), run.settings
    differences = []
    if lacking := [language for language in settings.languages if language not in held]:
        also = [language for language in settings.languages if language in held]
        problem = f"holds answers in {', '.join(held)}, and {', '.join(lacking)} is asked for"
        differences.append(Difference(problem, "languages", ",".join(also or held)))
    asked = {language: held[language] for language in settings.languages if language in held}
    if short := {language: count for language, count in asked.items() if count < settings.budget}:
        counts = " and ".join(f"{count} prompts in {language}" for language, count in short.items())
        problem = f"holds {counts}, and {settings.budget} are asked for"
        differences.append(Difference(problem, "budget", str(min(short.values()))))
    if kept.lengths != settings.lengths:
        ours, theirs = _listed(kept.lengths), _listed(settings.lengths)
        differences.append(Difference(f"asks for {ours} words, and here for {theirs}", "lengths", ours))
    if kept.seed != settings.seed:
        problem = f"has prompts of seed {kept.seed}, and here the seed is {settings.seed}"
        differences.append(Difference(problem, "seed", str(kept.seed)))
    return differences


def _of_asking(run: SavedRun, settings: Settings) -> list[Difference]:
    """The differences of the asking: cap, thoughts, sampling, prompt form, system prompt."""
    saved, differences = run.identity(), []
    if saved.cap != settings.cap:
        problem = f"has answers of at most {saved.cap} tokens, and here the cap is {settings.cap}"
        differences.append(Difference(problem, "cap", str(saved.cap)))
    if saved.thinking != settings.thinking:
        problem = f"was asked with thinking {saved.thinking}, and here thinking is {settings.thinking}"
        differences.append(Difference(problem, "thinking", saved.thinking))
    if settings.across_forms:
        return differences
    differences += _of_sampling(run.settings, settings)
    if settings.prompt_form not in ("auto", saved.prompt_form):
        problem = f"was asked in {saved.prompt_form} form, and here the form is {settings.prompt_form}"
        differences.append(Difference(problem, "prompt-form", saved.prompt_form))
    if saved.system_prompt != settings.system_prompt:
        problem = (
            f"was asked with {_quoted(saved.system_prompt)}, and here is {_quoted(settings.system_prompt)}"
        )
        differences.append(Difference(problem, "system-prompt", f"'{saved.system_prompt or ''}'"))
    return differences


def _of_sampling(kept: Settings, settings: Settings) -> list[Difference]:
    """The differences of the drawing of responses; a run with more samples holds those asked for."""
    if kept.sampling != settings.sampling:
        ours, theirs = (side.sampling or GREEDY for side in (kept, settings))
        value = f"'{ours}'" if kept.sampling else ours
        return [
            Difference(f"was asked with sampling {ours}, and here sampling is {theirs}", "sampling", value)
        ]
    held, wanted = (len(side.sample_numbers) for side in (kept, settings))
    if held < wanted:
        problem = f"holds {held} of the {wanted} samples of a prompt that are asked for"
        return [Difference(problem, "samples", str(held))]
    return []


def drawn_as_saved(run: SavedRun, settings: Settings) -> Settings:
    """The settings under which a saved run answers: across forms, a run answers as it was drawn itself."""
    kept = run.settings
    held, wanted = (len(side.sample_numbers) for side in (kept, settings))
    if not settings.across_forms or (kept.sampling == settings.sampling and held >= wanted):
        return settings
    return replace(settings, sampling=kept.sampling, samples=kept.samples)


def check_identities(run: str, saved: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Check that two checkpoints were run alike, beside their settings: engine, precision, ablation, words.

    Args:
        run: The name of the saved run.
        saved: The identity in the run, as `Identity.as_dict` gives it.
        other: The identity of the other checkpoint.

    Raises:
        SettingsError: They were not; the message names each difference.
    """
    differences = [
        f"{what}: {_stated(saved.get(key))} in the saved run {run}, {_stated(other.get(key))} here"
        for key, what in (
            ("engine", "the engine"),
            ("ablation", "the ablated components"),
            ("words", "the only kind of words allowed"),
        )
        if saved.get(key) != other.get(key)
    ]
    ours, theirs = (dict(each.get("precision") or {}) for each in (saved, other))
    differences += [
        f"{flag} of torch: {_stated(ours[flag])} in the saved run {run}, {_stated(theirs[flag])} here"
        for flag in ours
        if flag in theirs and ours[flag] != theirs[flag]
    ]
    if differences:
        raise SettingsError(
            f"the saved run {run} cannot be compared, since the two were not run alike: "
            + "; ".join(differences),
            f"run the checkpoint as the saved run was, or save {run} again as this session runs",
        )


def told_differences(identities: Sequence[Mapping[str, Any]]) -> list[str]:
    """Differences of two identities that make greedy texts differ by themselves, in words; empty for none."""
    first, second = identities
    return [
        f"{what} {first[key]} and {second[key]}" for key, what in _TOLD.items() if first[key] != second[key]
    ]


def _listed(numbers: Sequence[int]) -> str:
    ordered = sorted(numbers)
    if len(ordered) > 1 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]}-{ordered[-1]}"
    return ",".join(map(str, ordered))


def _quoted(system_prompt: str | None) -> str:
    return "no system prompt" if system_prompt is None else f"the system prompt {system_prompt!r}"


def _stated(value: object) -> str:
    return "none" if value in (None, "", {}) else str(value)
