"""Number swap: a component's part in ending the response which is due to the number in the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.errors import LengthprobeError
from lengthprobe.measures.answered import check_answered
from lengthprobe.measures.attribution.by_component import ByComponent, estimate_of
from lengthprobe.measures.attribution.component_groups import early_controls, group_of
from lengthprobe.measures.per_response import note_of
from lengthprobe.measures.precondition import unmet_control, without_values
from lengthprobe.statistics.measure_key import MeasureKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.asking.answers import Traced
    from lengthprobe.attribution.forced_text import Forced
    from lengthprobe.measures.attribution.by_component import Traceable
    from lengthprobe.statistics.estimate import Estimate
    from lengthprobe.task.prompts import Prompt

SWAPPED_BY = 2  # words; ours
TARGET = "stop_margin"


def number_swap(probe: Traceable, *, component: str, language: str) -> Estimate:
    """The part of a component group in the stop which is due to the number (METHODS §3, control 6; ours).

    The first N words of each response, with the punctuation after them, are forced under two prompts: the
    response's own prompt, which asks for N, and the same prompt asking for N + 2 (N − 2 where N + 2 cannot be
    written in the same way). The own prompt is forced too, since the pass that wrote the response rounds
    differently. The estimate is the group's contribution to the stop margin after these words under the own
    prompt, less the contribution under the other prompt. A component that writes words or ends sentences,
    whatever the number, gives 0. Only a component that reads the number gives more.

    The whole is the sum of what all components add for or against the stop there, under the response's own
    prompt, and not the difference: where nothing depends on the number, the difference is about 0, and a part
    of 0 is no share. Responses that never complete N words are left out; where more than a fifth are left
    out, nothing is decided.

    Args:
        probe: The checkpoint.
        component: Name of the group, as in `component_groups`: `late heads`, `final MLP`, ….
        language: Code of the language.

    Returns:
        An Estimate over topics in logits, which `share` relates to all components together.

    Raises:
        SettingsError: No group has this name.
        ModelError: The checkpoint's components are not known, or do not add up to its logits.
    """
    name, group = MeasureKey("number_swap", (component,)), group_of(component, probe)
    if unmet := unmet_control(probe, language):
        return without_values(probe, name, language, unmet, unit="logits", bounds=None)
    check_answered(probe, [traced.response for traced in probe.traces(language)], language)
    own, by_component = number_swap_by_component(probe, language)
    return estimate_of(
        probe,
        by_component,
        group,
        name=name,
        language=language,
        lengths=None,
        whole=own,
        controls=lambda: early_controls(by_component),
        asked=len(probe.traces(language)),
    )


def number_swap_by_component(probe: Traceable, language: str) -> tuple[ByComponent, ByComponent]:
    """The contributions of every component to the stop, prompt by prompt, under two numbers.

    Args:
        probe: The checkpoint.
        language: Code of the language.

    Returns:
        The contributions under the prompt's own number, and the difference to the contributions under the
        other number (own less other). Both are over the responses that complete N words.

    Raises:
        ModelError: The checkpoint's components are not known, or do not add up to its logits.
    """
    import numpy as np

    placed = _placed(probe, language)
    forced = [
        result.contributions for result in probe.forced(number_swap_texts(probe, language), target=TARGET)
    ]
    layers, heads = _shape(probe, language)
    prompts = [traced.response.prompt for traced, _ in placed]
    notes = [
        note_of(traced.response, traced.adherence.counts[-1]) for traced, _ in placed if traced.adherence
    ]
    of_heads = np.array([contributions.heads[0] for contributions in forced], dtype=float).reshape(
        2, len(placed), layers, heads
    )
    of_mlps = np.array([contributions.mlps[0] for contributions in forced], dtype=float).reshape(
        2, len(placed), layers
    )
    own = ByComponent(prompts, notes, heads=of_heads[0], mlps=of_mlps[0])
    return own, ByComponent(prompts, notes, heads=of_heads[0] - of_heads[1], mlps=of_mlps[0] - of_mlps[1])


def number_swap_texts(probe: Traceable, language: str) -> Sequence[Forced]:
    """The texts to force: responses up to N words under their own prompts, then under the other prompts."""
    placed = _placed(probe, language)
    own = [_forced(traced, step, traced.response.prompt) for traced, step in placed]
    return [*own, *(_forced(traced, step, _swapped(traced.response.prompt)) for traced, step in placed)]


def _placed(probe: Traceable, language: str) -> list[tuple[Traced, int]]:
    """The responses that complete N words, each with the step after them."""
    return [(traced, step) for traced in probe.traces(language) if (step := _boundary(traced)) is not None]


def _boundary(traced: Traced) -> int | None:
    """The step after the N words asked for and the punctuation after them; None without N complete words."""
    if traced.adherence is None:
        return None
    counts, n_words = traced.adherence.counts, traced.response.prompt.n_words
    places = [
        step
        for step in range(1, len(counts))
        if traced.adherence.complete[step] and counts[step - 1] == n_words
    ]
    return places[-1] if places else None


def _forced(traced: Traced, step: int, prompt: Prompt) -> Forced:
    from lengthprobe.attribution.forced_text import Forced

    return Forced(prompt, traced.response.token_ids[:step], text=None, ended=False, last_only=True)


def _swapped(prompt: Prompt) -> Prompt:
    """The prompt with another number of words."""
    from lengthprobe.task.prompts import with_n_words

    try:
        return with_n_words(prompt, prompt.n_words + SWAPPED_BY)
    except LengthprobeError:
        return with_n_words(prompt, prompt.n_words - SWAPPED_BY)


def _shape(probe: Traceable, language: str) -> tuple[int, int]:
    layers, heads = next(
        traced.trace.token.heads.shape[1:] for traced in probe.traces(language) if traced.trace
    )
    return layers, heads
