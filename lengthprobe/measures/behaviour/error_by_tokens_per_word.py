"""The part of a token counter's error that is found in a model's errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.errors import SettingsError
from lengthprobe.measures.per_response import (
    RIVALS,
    Valued,
    measure_key,
    observations,
    probe_form,
    selected_responses,
)
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.sample import Sample
from lengthprobe.statistics.winsorised import FAR, winsorised_error
from lengthprobe.task.words import count_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.measures.per_response import Measured
    from lengthprobe.task.prompts import Response


def error_by_tokens_per_word(probe: Measured, *, language: str) -> Estimate:
    """The slope of words(response) − N on tokens per word, N held fixed, as a share of a token counter's.

    METHODS §4 asks for the error against tokens per word with N held fixed; the rest is ours. A model that
    counts tokens writes N / t words of t tokens each, and is off by d = N / t − N. The measure is the slope
    of the error e on d, whatever the tokenizer: 0 for a model that counts words, 1 for a model that counts
    tokens. The slope is Wald's (1940, Annals of Mathematical Statistics 11, 284-300), which no single
    response rules. For each response, z = +1 if d is above the mean d of the responses with the same N, −1 if
    d is below this mean, 0 if the response has no words. With z, e and d each less its mean over the same N,

        slope = mean(z e) / mean(z d).

    Errors are winsorised at ±10 words: at ±3 a token counter's errors would all be alike. A claim compares
    `share` of the estimate, with the interval of a ratio. A model without errors has a slope of 0.

    Raises:
        SettingsError: All responses to the prompts of each N have as many tokens a word.
    """
    responses = selected_responses(probe, probe.responses(language), language=language)

    def under(counter: str, rival: Estimate | None) -> Estimate:
        counts = [count_words(response.answer, language=language, counter=counter) for response in responses]
        parts, wholes = _parts(probe, responses, counts, language)

        def of_prompts(values: Sequence[float]) -> tuple[Observation, ...]:
            valued = [Valued(value, None) for value in values]
            return tuple(observations(responses, valued, counts, worst="high"))

        return Estimate.from_observations(
            of_prompts(parts),
            name=measure_key("error_by_tokens_per_word", probe, language, None),
            unit="share",
            bounds=None,
            alpha=probe.settings.alpha,
            alpha_shares=probe.alpha_shares.behaviour,
            rival=rival,
            worst="high",
            counter=counter,
            whole=Sample(of_prompts(wholes), None),
            form=probe_form(probe),
        )

    counter = probe.settings.counter
    rival = RIVALS.get(counter)
    return under(counter, under(rival, None) if rival else None)


def _parts(
    probe: Measured, responses: Sequence[Response], counts: Sequence[int], language: str
) -> tuple[list[float], list[float]]:
    """The products z e and z d of each response, both divided by the mean of z d."""
    lengths = [response.prompt.n_words for response in responses]
    errors = _within(
        lengths, [winsorised_error(count - n, FAR) for count, n in zip(counts, lengths, strict=True)]
    )
    counted = [index for index, count in enumerate(counts) if count]
    apart = _within(
        [lengths[index] for index in counted],
        [lengths[index] * (counts[index] / _n_tokens(responses[index]) - 1) for index in counted],
    )
    expected = [0.0] * len(responses)
    for index, value in zip(counted, apart, strict=True):
        expected[index] = value
    sides = _within(lengths, [float((value > 0) - (value < 0)) for value in expected])
    products = [side * value for side, value in zip(sides, expected, strict=True)]
    spread = sum(products) / len(products) if products else 0.0
    if spread <= 0:
        raise SettingsError(
            f"{probe.name} answers in {language!r} with as many tokens a word wherever N is the same: how "
            "its error hangs on them cannot be seen",
            "setting:budget=300 (or more), or deselect the claim",
        )
    return (
        [side * error / spread for side, error in zip(sides, errors, strict=True)],
        [product / spread for product in products],
    )


def _n_tokens(response: Response) -> int:
    """The number of tokens in the answer, without the tokens of a thought before the answer."""
    return len(response.token_ids) - response.thought_tokens


def _within(lengths: Sequence[int], values: Sequence[float]) -> list[float]:
    """Each value less the mean of the values with the same N; exactly 0 where all of these are equal."""
    groups: dict[int, list[float]] = {}
    for n, value in zip(lengths, values, strict=True):
        groups.setdefault(n, []).append(value)
    means = {n: group[0] if len(set(group)) == 1 else sum(group) / len(group) for n, group in groups.items()}
    return [value - means[n] for n, value in zip(lengths, values, strict=True)]
