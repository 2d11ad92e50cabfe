"""Portrait: the attributions measured inside a checkpoint, in the shape of the figures and of JSON."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from lengthprobe.components.layers import late_layers
from lengthprobe.measures.attribution.by_component import estimate_of
from lengthprobe.measures.attribution.component_groups import final_mlp, late_heads
from lengthprobe.measures.attribution.cwa import cwa_by_component
from lengthprobe.measures.attribution.number_swap import TARGET, number_swap_by_component, number_swap_texts
from lengthprobe.statistics.share import share
from lengthprobe.task.thoughts import part_thoughts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lengthprobe.asking.answers import Traced
    from lengthprobe.measures.attribution.by_component import ByComponent, Floats
    from lengthprobe.portraits.portrait import (
        AttributionPortrait,
        CwaInLanguage,
        Example,
        Interval,
        NumberSwap,
        SharesByLayer,
        Word,
    )
    from lengthprobe.probe import Probe


def portrait(probe: Probe, languages: Sequence[str]) -> AttributionPortrait:
    """The CWA of every component of a checkpoint, and a response word by word, in each of some languages.

    Args:
        probe: The checkpoint; the languages' prompts have been asked with attributions, or are asked now.
        languages: The codes of the languages.

    Returns:
        Means with intervals for `reporting.figures`; NaN and infinity, which JSON lacks, are None.

    Raises:
        LengthprobeError: As `Probe.traces`.
    """
    proof = probe.proof
    return {
        "name": probe.name,
        "architecture": proof.architecture,
        "n_layers": proof.n_layers,
        "n_heads": proof.n_heads,
        "late_layers": list(late_layers(proof.n_layers)),
        "cap": probe.settings.cap,
        "languages": {language: _in_language(probe, language) for language in languages},
        # After the languages, since asking in them may find a larger gap.
        "completeness_gap": probe.proof.gap,
    }


def swap_portrait(probe: Probe, language: str) -> NumberSwap | None:
    """The number swap of each layer (its part in the stop due to the number), beside the layer's CWA.

    Args:
        probe: The checkpoint.
        language: Code of the language.

    Returns:
        Shares of all components for `reporting.figures`; `n` and `clusters` count the prompts and topics of
        the number swap. None where no claim has measured the number swap on this checkpoint: nothing is asked
        for a figure.

    Raises:
        LengthprobeError: As `Probe.traces`.
    """
    # No text is put together where nothing was measured, since this function is called after every claim.
    if not probe.has_forced(TARGET):
        return None
    texts = tuple(number_swap_texts(probe, language))
    if not texts or not probe.has_forced(TARGET, texts):
        return None
    own, less_other = number_swap_by_component(probe, language)
    cwa = cwa_by_component(probe, language)
    return {
        "n": len(own.prompts),
        "clusters": len({prompt.topic for prompt in own.prompts}),
        "cwa": _shares_by_layer(probe, cwa, cwa, language),
        "number_swap": _shares_by_layer(probe, less_other, own, language),
    }


def _shares_by_layer(
    probe: Probe, by_component: ByComponent, whole: ByComponent, language: str
) -> SharesByLayer:
    def interval(component: Callable[[ByComponent], Floats]) -> Interval:
        mean = estimate_of(
            probe, by_component, component, name="component", language=language, lengths=None, whole=whole
        )
        estimate = share(mean)
        return [
            value if math.isfinite(value) else None for value in (estimate.mean, estimate.low, estimate.high)
        ]

    layers = range(by_component.n_layers)
    return {
        "heads_by_layer": [interval(lambda values, layer=layer: values.layers[:, layer]) for layer in layers],  # type: ignore[misc]
        "mlps_by_layer": [interval(lambda values, layer=layer: values.mlps[:, layer]) for layer in layers],  # type: ignore[misc]
        "late_heads": interval(late_heads),
        "final_mlp": interval(final_mlp),
    }


def _in_language(probe: Probe, language: str) -> CwaInLanguage:
    every = probe.traces(language)
    by_component = cwa_by_component(probe, language)

    def interval(component: Callable[[ByComponent], Floats], of: ByComponent = by_component) -> Interval:
        estimate = estimate_of(probe, of, component, name="cwa", language=language, lengths=None)
        return [
            value if math.isfinite(value) else None for value in (estimate.mean, estimate.low, estimate.high)
        ]

    lengths = sorted({traced.response.prompt.n_words for traced in every})
    by_length = {str(n): cwa_by_component(probe, language, lengths=[n]) for n in lengths}
    layers = range(probe.proof.n_layers)
    return {
        "n": len(every),
        "clusters": len({traced.response.prompt.topic for traced in every}),
        "heads_by_layer": [interval(lambda values, layer=layer: values.layers[:, layer]) for layer in layers],  # type: ignore[misc]
        "mlps_by_layer": [interval(lambda values, layer=layer: values.mlps[:, layer]) for layer in layers],  # type: ignore[misc]
        "head_map": by_component.heads.mean(0).tolist(),
        "final_mlp_by_length": {n: interval(final_mlp, of) for n, of in by_length.items()},
        "late_heads_by_length": {n: interval(late_heads, of) for n, of in by_length.items()},
        "example": _example(probe, every),
    }


def _example(probe: Probe, every: Sequence[Traced]) -> Example:
    """A response, word by word: the first exact response of the middle length, or else the first response."""
    lengths = sorted(traced.response.prompt.n_words for traced in every)
    middle = lengths[len(lengths) // 2]
    exact = [
        traced
        for traced in every
        if traced.adherence
        and traced.adherence.ended
        and traced.adherence.counts[-1] == traced.response.prompt.n_words
    ]
    chosen = next(
        (traced for traced in exact if traced.response.prompt.n_words == middle), (exact or [*every])[0]
    )
    prompt = chosen.response.prompt
    return {
        "prompt": prompt.text,
        "response": chosen.response.answer,
        "n_words": prompt.n_words,
        "words": _words(probe, chosen),
    }


def _words(probe: Probe, traced: Traced) -> list[Word]:
    """The words of a response, each with the components' contributions summed over the word's tokens."""
    if traced.trace is None or traced.adherence is None:
        return []
    token = traced.trace.token
    late = token.heads[:, list(late_layers(token.mlps.shape[1]))].sum((1, 2))
    final = token.mlps[:, -1]
    ids, counts = traced.response.token_ids, traced.adherence.counts
    words: list[Word] = []
    starts: list[int] = []
    for step in range(len(token.logits)):
        if not traced.adherence.in_answer[step]:
            continue
        ends = step == len(ids)
        before = counts[step - 1] if step else 0
        if not words or ends or (counts[step] > before and before > 0):
            starts.append(step)
            words.append({"text": "", "late_heads": 0.0, "final_mlp": 0.0, "other": 0.0, "ends": ends})
        word = words[-1]
        word["late_heads"] += float(late[step])
        word["final_mlp"] += float(final[step])
        word["other"] += float(token.logits[step] - late[step] - final[step])
    whole = part_thoughts(traced.response.text, opened=traced.response.opened)
    texts = [
        whole.answer_of_first(len(text)) for text in probe.texts(ids[:start] for start in (*starts, len(ids)))
    ]
    for word, (before_text, text) in zip(words, pairwise(texts), strict=True):
        word["text"] = "" if word["ends"] else text.removeprefix(before_text).strip()
    return words
