"""Exact answers on test topics, with one prompt about each, by the whole model or with components ablated."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from lengthprobe.components.names import Ablation
from lengthprobe.errors import SettingsError
from lengthprobe.measures.answered import check_answered
from lengthprobe.measures.per_response import RIVALS, greedy_view, measure_key, note_of, probe_form
from lengthprobe.statistics.background import Background
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.sample import Sample, draws
from lengthprobe.statistics.winsorised import WINSORISED_AT, winsorised_error
from lengthprobe.task.languages import load_language
from lengthprobe.task.prompts import split_of
from lengthprobe.task.words import count_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lengthprobe.measures.causality.leading import Ablatable
    from lengthprobe.statistics.measure_key import MeasureKey
    from lengthprobe.task.prompts import Prompt, Response

# Under how many of several sets of components each prompt is answered; the sets take turns.
_SETS_A_PROMPT = 5


def test_prompts(probe: Ablatable, language: str) -> list[Prompt]:
    """The first prompt about each test topic, in the order of the stream.

    Raises:
        SettingsError: No prompt is about a test topic.
        ModelError: Too many of the language's responses are an unfinished thought.
    """
    by_topic: dict[str, Prompt] = {}
    responses = greedy_view(probe).responses(language)
    check_answered(probe, responses, language)
    for response in responses:
        if split_of(response.prompt) == "test":
            by_topic.setdefault(response.prompt.topic, response.prompt)
    if not by_topic:
        raise SettingsError(
            f"none of the {probe.settings.budget} prompts in {language!r} is about a test topic",
            "setting:budget=300",
        )
    return list(by_topic.values())


def exact_under(
    probe: Ablatable,
    language: str,
    name: str | MeasureKey,
    sets: Sequence[Ablation],
    *,
    components: Mapping[str, float] | None = None,
    drawn: bool = False,
) -> Estimate:
    """The share of exact answers, a mean over the prompts' own means over their sets.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        name: Name of the measure, or its key for a measure with options.
        sets: The ablations; each prompt is answered under five sets, which take turns.
        components: CWA of the ablated components by name, for a reader of a claim that failed.
        drawn: Whether the sets were drawn from many, so that the interval has to leave room for other sets.
    """
    prompts = test_prompts(probe, language)
    turns = _turns(prompts, sets)
    answers = dict(zip(turns, ablated_responses(probe, language, turns), strict=True))
    return _estimate(probe, prompts, name, answers, components=components, drawn=drawn)


def exact_under_each(
    probe: Ablatable, language: str, named: Mapping[MeasureKey, Ablation], *, n_prompts: int
) -> list[Estimate]:
    """The share of exact answers under each of several ablations, asked together; for a figure.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        named: The ablations, by the key of the measure under each.
        n_prompts: The number of test topics.
    """
    prompts = test_prompts(probe, language)[:n_prompts]
    turns = [(prompt, ablation) for ablation in named.values() for prompt in prompts]
    # An answer longer than N is not exact, whatever its length.
    answers = dict(zip(turns, ablated_responses(probe, language, turns, beyond=0), strict=True))
    return [
        _estimate(probe, prompts, key, {turn: answers[turn] for turn in turns if turn[1] == ablation})
        for key, ablation in named.items()
    ]


def _estimate(
    probe: Ablatable,
    prompts: Sequence[Prompt],
    name: str | MeasureKey,
    answers: Mapping[tuple[Prompt, Ablation], Response],
    *,
    components: Mapping[str, float] | None = None,
    drawn: bool = False,
) -> Estimate:
    """The share of exact answers to some prompts, each prompt's value a mean over its ablations."""
    language = prompts[0].language
    responses: dict[str, list[Response]] = {prompt.id: [] for prompt in prompts}
    for (prompt, _), response in answers.items():
        responses[prompt.id].append(response)

    def under(counter: str, rival: Estimate | None) -> Estimate:
        counted = Estimate.from_observations(
            [_observation(group, counter) for group in responses.values()],
            name=measure_key(name, probe, language, None),
            unit="share",
            bounds=(0.0, 1.0),
            alpha=probe.settings.alpha,
            alpha_shares=probe.alpha_shares.mechanism,
            rival=rival,
            worst="low",
            counter=counter,
            topics=sum(topic.split == "test" for topic in load_language(language).topics.values()),
            form=probe_form(probe),
        )
        return (
            replace(counted, samples=(*counted.samples, _apart(answers, language, counter)))
            if drawn
            else counted
        )

    counter = probe.settings.counter
    rival = RIVALS.get(counter)
    estimate = under(counter, under(rival, None) if rival else None)
    beside = partial(_beside, answers, language, counter)
    return replace(
        estimate, background=(Background(estimate.name, components or {}, beside, what="answers"),)
    )


def exact_by_set(probe: Ablatable, language: str, sets: Sequence[Ablation]) -> tuple[float, ...]:
    """The share of exact answers under each of several sets, over the prompts in the set's turn."""
    turns = _turns(test_prompts(probe, language), sets)
    exact: dict[Ablation, list[bool]] = {ablated: [] for ablated in sets}
    for (_, ablation), response in zip(turns, ablated_responses(probe, language, turns), strict=True):
        n_words = count_words(response.answer, language=language, counter=probe.settings.counter)
        exact[ablation].append(_is_exact(response, n_words))
    return tuple(sum(outcomes) / len(outcomes) for outcomes in exact.values() if outcomes)


def ablated_responses(
    probe: Ablatable,
    language: str,
    asked: Sequence[tuple[Prompt, Ablation]],
    *,
    beyond: int = int(WINSORISED_AT),
) -> list[Response]:
    """The response to each prompt under its ablation; the whole model's responses are not asked again.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        asked: The prompts, each with its ablation.
        beyond: The number of words above N up to which a response is followed: a longer response is not
            exact, and its error is winsorised there.
    """
    whole = {response.prompt.id: response for response in greedy_view(probe).responses(language)}
    cut = [turn for turn in asked if turn[1].components]
    under = iter(probe.under(cut, beyond=beyond))
    return [next(under) if ablation.components else whole[prompt.id] for prompt, ablation in asked]


def _turns(prompts: Sequence[Prompt], sets: Sequence[Ablation]) -> list[tuple[Prompt, Ablation]]:
    """Each prompt with every set, or with five of many sets, so that all sets come equally often.

    Turns go by the prompts' digests: the lengths in the stream take turns too, and by the stream's order a
    set would always meet the same lengths.
    """
    per_prompt = len(sets) if len(sets) <= _SETS_A_PROMPT else _SETS_A_PROMPT
    return [
        (prompt, sets[(index * per_prompt + step) % len(sets)])
        for index, prompt in enumerate(sorted(prompts, key=lambda prompt: prompt.id))
        for step in range(per_prompt)
    ]


def _apart(answers: Mapping[tuple[Prompt, Ablation], Response], language: str, counter: str) -> Sample:
    """The spread of the sets: the share of exact answers under each set, less the mean of all."""
    exact: dict[Ablation, list[bool]] = {}
    for (_, ablation), response in answers.items():
        n_words = count_words(response.answer, language=language, counter=counter)
        exact.setdefault(ablation, []).append(_is_exact(response, n_words))
    shares = {
        " ".join(sorted(component.name for component in ablation.components)): sum(outcomes) / len(outcomes)
        for ablation, outcomes in exact.items()
    }
    return draws({f"set {name}": share for name, share in shares.items()})


def _beside(
    answers: Mapping[tuple[Prompt, Ablation], Response], language: str, counter: str
) -> dict[str, float]:
    """The mean |error| in words; for several sets also the per cent exact under the worst and best set."""
    errors, exact = [], dict[Ablation, list[bool]]()
    for (prompt, ablation), response in answers.items():
        n_words = count_words(response.answer, language=language, counter=counter)
        errors.append(abs(winsorised_error(n_words - prompt.n_words)))
        exact.setdefault(ablation, []).append(_is_exact(response, n_words))
    means = [sum(outcomes) / len(outcomes) for outcomes in exact.values()]
    sets = {"% exact under the worst set": 100 * min(means), "under the best": 100 * max(means)}
    return {"mean |error|": sum(errors) / len(errors)} | (sets if len(means) > 1 else {})


def _is_exact(response: Response, n_words: int) -> bool:
    return response.finish_reason == "stop" and n_words == response.prompt.n_words


def _observation(responses: Sequence[Response], counter: str) -> Observation:
    """The share of exact responses among the responses to a prompt."""
    prompt = responses[0].prompt
    counts = [
        count_words(response.answer, language=prompt.language, counter=counter) for response in responses
    ]
    exact = [_is_exact(*pair) for pair in zip(responses, counts, strict=True)]
    shown = exact.index(min(exact))
    note = note_of(responses[shown], counts[shown])
    return Observation(prompt.id, prompt.topic, sum(exact) / len(exact), note)
