"""Estimates of a value of each response: the ground of every measure of behaviour."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from lengthprobe.errors import SettingsError
from lengthprobe.measures.answered import check_answered
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.measure_key import MeasureKey
from lengthprobe.task.languages import load_language
from lengthprobe.task.words import RIVAL_COUNTERS, count_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.margins import AlphaShares
    from lengthprobe.settings import Settings
    from lengthprobe.statistics.forms import Form
    from lengthprobe.task.prompts import Response

Probed = TypeVar("Probed")
# A length claim whose verdict differs between these two is undecided (METHODS §1).
RIVALS = dict(zip(RIVAL_COUNTERS, reversed(RIVAL_COUNTERS), strict=True))

# How bad a value is, by which prompts are shown as the worst.
_BADNESS: dict[str, Callable[[float], float]] = {"high": lambda v: v, "low": lambda v: -v, "far": abs}


class Measured(Protocol):
    """A probe, as a measure needs one."""

    @property
    def name(self) -> str:
        """The checkpoint's name."""

    @property
    def settings(self) -> Settings:
        """The settings under which the probe asks."""

    @property
    def alpha_shares(self) -> AlphaShares:
        """The number of shares into which alpha is divided in a check."""

    def responses(self, language: str) -> Sequence[Response]:
        """The responses in a language."""


class Valued(NamedTuple):
    """The value of a response, and the least and the greatest value that its prompt can give, or None."""

    value: float
    bounds: tuple[float, float] | None


def mean_of(
    probe: Measured,
    value: Callable[[Response, int], float] | None = None,
    *,
    name: str | MeasureKey,
    language: str,
    unit: str,
    bounds: tuple[float, float] | None,
    values: Callable[[Sequence[Response], Sequence[int]], Sequence[Valued]] | None = None,
    worst: str = "high",
    lengths: Collection[int] | None = None,
    counted: bool = True,
    answered: bool = True,
) -> Estimate:
    """The mean over prompts of a value of each response.

    Where responses are drawn, a prompt has several responses, and the mean of their values is the value of
    the prompt: samples of a prompt are no independent observations.

    Args:
        probe: The checkpoint.
        value: Gives the value of a response and its number of words.
        name: Name of the measure, or its key where it has options.
        language: Code of the language.
        unit: Unit of the value.
        bounds: The least and greatest value possible, as in `Estimate.from_observations`.
        values: In place of `value`, where values depend on all responses together: gives the value of every
            response, with its own bounds, from all responses and their numbers of words.
        worst: Which prompts are shown as the worst: `high`, `low` or `far` from 0.
        lengths: Only the prompts that ask for these lengths, all by default.
        counted: Whether the value depends on the number of words, and so has a rival count.
        answered: Whether the value is about answers, so that there must be enough answers.

    Returns:
        An Estimate over topics, whose rival is the mean under the other word counter.
    """
    check_lengths(lengths)
    responses = selected_responses(
        probe, probe.responses(language), lengths, language=language, answered=answered
    )

    def under(counter: str, rival: Estimate | None) -> Estimate:
        counts = [count_words(response.answer, language=language, counter=counter) for response in responses]
        rows = zip(responses, counts, strict=True)
        valued = (
            values(responses, counts)
            if values
            else [Valued(value(*row), None) for row in rows]
            if value
            else ()
        )
        return Estimate.from_observations(
            observations(responses, valued, counts, worst),
            name=measure_key(name, probe, language, lengths),
            unit=unit,
            bounds=bounds,
            alpha=probe.settings.alpha,
            alpha_shares=probe.alpha_shares.behaviour,
            rival=rival,
            worst=worst,
            counter=counter,
            topics=load_language(language).n_topics,
            form=probe_form(probe),
        )

    counter = probe.settings.counter
    rival = RIVALS.get(counter) if counted else None
    return under(counter, under(rival, None) if rival else None)


def selected_responses(
    probe: Measured,
    responses: Sequence[Response],
    lengths: Collection[int] | None = None,
    *,
    language: str,
    answered: bool = True,
) -> list[Response]:
    """The responses of a language whose prompts ask for some lengths, all by default.

    Raises:
        ModelError: Too many of the responses are an unfinished thought, and answers are wanted.
    """
    if answered:
        check_answered(probe, responses, language)
    return [response for response in responses if lengths is None or response.prompt.n_words in lengths]


def greedy_view(probe: Probed) -> Probed:
    """The probe with greedy responses: claims about components are of these, whatever the settings draw."""
    greedy: Probed = getattr(probe, "greedy", probe)
    return greedy


def check_lengths(lengths: Collection[int] | None) -> None:
    """Check the lengths that are to select prompts, before any prompt is asked.

    Raises:
        SettingsError: The lengths are empty, or no collection.
    """
    if lengths is None or (isinstance(lengths, Collection) and not isinstance(lengths, str) and lengths):
        return
    raise SettingsError(
        f"lengths={lengths!r} selects no prompts",
        "name the lengths, as in lengths=[3, 4], or leave lengths out for all",
    )


def probe_form(probe: Measured) -> Form | None:
    """The form in which a probe's checkpoint was asked, None for responses without a checkpoint."""
    form: Form | None = getattr(probe, "form", None)
    return form


def measure_key(
    name: str | MeasureKey, probe: Measured, language: str, lengths: Collection[int] | None
) -> MeasureKey:
    """The key of a measure of a probe, printed as in an expression: `exact_match(tiny-it, en, N=4–9)`."""
    key = MeasureKey(name) if isinstance(name, str) else name
    return key.of(probe.name, language, lengths)


def note_of(response: Response, n_words: int) -> str:
    """The prompt and the response in words, with the numbers of words asked for and written."""
    prompt = response.prompt
    end = "" if response.finish_reason == "stop" else ", cut off"
    shown = response.text
    if response.is_unfinished_thought:
        end = ", an unfinished thought"
    elif response.answer != response.text:
        shown, end = response.answer, f"{end}, after a thought"
    return f"asked {prompt.n_words}, wrote {n_words}{end}: {prompt.text!r} → {shown!r}"


def observations(
    responses: Sequence[Response], valued: Sequence[Valued], counts: Sequence[int], worst: str
) -> list[Observation]:
    """The values of responses as an observation of each prompt: the mean over the prompt's responses.

    Args:
        responses: The responses.
        valued: The value of each response.
        counts: The number of words of each response.
        worst: Which response of a prompt is shown: the response with the value most `high`, most `low`, or
            most `far` from 0.
    """
    of_prompt: dict[str, list[tuple[Response, Valued, int]]] = {}
    for row in zip(responses, valued, counts, strict=True):
        of_prompt.setdefault(row[0].prompt.id, []).append(row)
    return [_observation(rows, _BADNESS[worst]) for rows in of_prompt.values()]


def _observation(
    rows: Sequence[tuple[Response, Valued, int]], badness: Callable[[float], float]
) -> Observation:
    """The mean value of a prompt's responses, with a note on the worst response."""
    response, valued, n_words = max(rows, key=lambda row: badness(row[1].value))
    prompt, note = response.prompt, note_of(response, n_words)
    if len(rows) == 1:
        return Observation(prompt.id, prompt.topic, valued.value, note, valued.bounds)
    mean = math.fsum(each.value for _, each, _ in rows) / len(rows)
    return Observation(prompt.id, prompt.topic, mean, f"{note} (the worst of {len(rows)})", valued.bounds)


def key_with_arguments(
    name: str, kind: str, k: int | None, found_in: str | None, mode: str = "zero"
) -> MeasureKey:
    """A measure's key with its arguments: `control_without[2 heads, found in en, mean]`."""
    arguments = [kind if k is None else f"{k} {kind}"]
    arguments += [f"found in {found_in}"] if found_in else []
    arguments += [mode] if mode != "zero" else []
    return MeasureKey(name, tuple(arguments))
