"""Attention to the number: the shares of attention that heads give to N, and to a number nobody asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lengthprobe.components.names import first_few_names
from lengthprobe.measures.answered import check_answered
from lengthprobe.measures.attribution.by_component import Traceable
from lengthprobe.measures.per_response import measure_key, note_of, probe_form
from lengthprobe.measures.precondition import unmet_control, without_values
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.measure_key import MeasureKey
from lengthprobe.task.distractor import distracted_prompt

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from lengthprobe.activations.look import Floats, Look
    from lengthprobe.asking.answers import Traced
    from lengthprobe.components.names import Component
    from lengthprobe.task.adherence import Adherence

    Heads = str | Component | Iterable[str | Component]

_NUMBER, _DISTRACTOR = 0, 1


class Attentive(Traceable, Protocol):
    """A probe, as a measure of attention needs one."""

    def attention(self, looks: Sequence[Look], heads: Collection[Component]) -> Sequence[Floats]:
        """Shares of attention [b, h, k] for each look: steps, heads, and targets."""

    def heads(self, names: Heads) -> tuple[Component, ...]:
        """The heads with some names."""


def attention_to_number(probe: Attentive, *, language: str, heads: Heads) -> Estimate:
    """The share of some heads' attention on N, less the share on another number (METHODS §4; ours).

    Each response is read again under its prompt with an added sentence. The sentence names another number,
    written as N is (`task.distractor`). The sentence stands once before the request and once after, so that
    neither number is always nearer. The heads look from every word boundary of the response: for each word,
    the last step at which an end would make this word the last. The value of a response is the share of
    attention on N's tokens less the share on the other number's tokens, a mean over boundaries, both orders
    and heads.

    Attention tells where a head looks, and not whether the head stops the response because of the number: the
    number swap asks this.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        heads: Heads (`L3H1`), or a layer's heads (`L3H*`).

    Returns:
        An Estimate over topics, a share. Responses without a word are left out. The interval is made for
        roughly normal values, since each value is a mean over many places and lies far from −1 and 1 (ours).

    Raises:
        SettingsError: A head does not exist, or none is named.
        ModelError: The checkpoint's components are not known, or the tokens of the number are not known.
    """
    return _attention(probe, "attention_to_number", language, heads, (1.0, -1.0), None)


def attention_share_of_number(probe: Attentive, *, language: str, heads: Heads) -> Estimate:
    """The share of attention on N's tokens alone, with the interval of a share; see `attention_to_number`."""
    return _attention(probe, "attention_share_of_number", language, heads, (1.0, 0.0), (0.0, 1.0))


def attention_share_of_distractor(probe: Attentive, *, language: str, heads: Heads) -> Estimate:
    """The share of attention on the other number's tokens alone; see `attention_share_of_number`."""
    return _attention(probe, "attention_share_of_distractor", language, heads, (0.0, 1.0), (0.0, 1.0))


def word_boundaries(adherence: Adherence) -> tuple[int, ...]:
    """For each word of a response, the last step at which an end would make this word the last word."""
    counts = adherence.counts
    places = {
        counts[step - 1]: step
        for step in range(1, len(counts))
        if adherence.complete[step] and counts[step - 1] > 0
    }
    return tuple(places[count] for count in sorted(places))


def _attention(
    probe: Attentive,
    name: str,
    language: str,
    heads: Heads,
    weights: tuple[float, float],
    bounds: tuple[float, float] | None,
) -> Estimate:
    chosen = probe.heads(heads)
    called = MeasureKey(name, (first_few_names([head.name for head in chosen]),))
    if unmet := unmet_control(probe, language):
        return without_values(probe, called, language, unmet, bounds=bounds)
    every = probe.traces(language)
    check_answered(probe, [traced.response for traced in every], language)
    placed = [
        (traced, steps)
        for traced in every
        if traced.adherence and (steps := word_boundaries(traced.adherence))
    ]
    looks = [_look(probe, *pair, before=before) for before in (True, False) for pair in placed]
    shares = [attention.mean((0, 1), dtype=float) for attention in probe.attention(looks, chosen)]
    observations = []
    for (traced, _), before, after in zip(placed, shares, shares[len(placed) :], strict=False):
        both = (before + after) / 2
        value = weights[0] * both[_NUMBER] + weights[1] * both[_DISTRACTOR]
        prompt, counts = traced.response.prompt, traced.adherence.counts if traced.adherence else ()
        observations.append(
            Observation(prompt.id, prompt.topic, float(value), note_of(traced.response, counts[-1]))
        )
    return Estimate.from_observations(
        observations,
        name=measure_key(called, probe, language, None),
        unit="share",
        bounds=bounds,
        alpha=probe.settings.alpha,
        alpha_shares=probe.alpha_shares.mechanism,
        worst="low",
        form=probe_form(probe),
    )


def _look(probe: Attentive, traced: Traced, steps: tuple[int, ...], *, before: bool) -> Look:
    from lengthprobe.activations.look import Look

    both = distracted_prompt(traced.response.prompt, probe.settings.lengths, before=before)
    return Look(both.prompt, traced.response.token_ids, steps, (both.number, (both.distractor,)))
