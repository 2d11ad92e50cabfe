"""Control: how many answers on test topics are exact, of the whole model and with parts of it ablated."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from lengthprobe.errors import SettingsError
from lengthprobe.measures.answered import check_answered
from lengthprobe.measures.cwa import cwa_by_part
from lengthprobe.measures.leading import SIMILAR, leading_components, similar_sets
from lengthprobe.measures.length_error import WINSORISED_AT, winsorised
from lengthprobe.measures.per_response import RIVALS, form_of, named, note_of, stated
from lengthprobe.models.components import Ablation, Component, every_component
from lengthprobe.models.layers import late_layers
from lengthprobe.statistics.background import Background
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.sample import Sample
from lengthprobe.task.languages import load_language
from lengthprobe.task.prompts import split_of
from lengthprobe.task.words import count_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lengthprobe.measures.leading import Ablatable
    from lengthprobe.task.prompts import Prompt, Response

# Of the random sets each prompt is answered under five, which take turns.
_SETS_A_PROMPT = 5


def control(probe: Ablatable, *, language: str) -> Estimate:
    """The share of exact answers to one prompt about each test topic, of the model as it is.

    Args:
        probe: The checkpoint.
        language: Code of the language.

    Raises:
        SettingsError: No prompt is about a test topic.
    """
    return exact_under(probe, language, "control", [Ablation()])


def control_without(
    probe: Ablatable,
    *,
    language: str,
    kind: str = "heads",
    k: int | None = None,
    found_in: str | None = None,
    mode: str = "zero",
) -> Estimate:
    """The same without the components of highest CWA (METHODS §4, necessity).

    Args:
        probe: The checkpoint.
        language: Code of the language.
        kind: `heads` or `mlps`.
        k: How many; by default as many heads as one layer has, or one MLP.
        found_in: The language on whose discovery topics they are found; this one by default.
        mode: What replaces their output, as in `Probe.ablated`.

    Raises:
        LengthprobeError: As `leading_components`; or the mode is unknown.
    """
    chosen = leading_components(probe, language=found_in or language, kind=kind, k=k)
    called = stated("control_without", kind, k, found_in, mode)
    parts = _cwa(probe, found_in or language, chosen)
    return exact_under(probe, language, called, [_all(chosen, mode)], parts=parts)


def control_without_random(
    probe: Ablatable, *, language: str, kind: str = "heads", k: int | None = None, mode: str = "zero"
) -> Estimate:
    """The same without random sets of as many others of that kind, from any layer, of similar output norm.

    Twenty sets, or all there are (`similar_sets`); each prompt is answered under five of them, which take
    turns, and its value is the mean over those (ours). The estimate is about these sets: how far they lie
    apart is told beside a claim that failed. Where none is of similar size it has no value, and decides
    nothing.

    Args:
        probe, language, kind, k, mode: As in `control_without`.
    """
    chosen = leading_components(probe, language=language, kind=kind, k=k)
    sets = similar_sets(probe, chosen, language=language)
    called = stated("control_without_random", kind, k, None, mode)
    if sets:
        return exact_under(probe, language, called, [_all(one, mode) for one in sets])
    return _unknown(exact_under(probe, language, called, [Ablation()]), kind)


def control_with_only(
    probe: Ablatable, *, language: str, kind: str = "heads", k: int | None = None, mode: str = "zero"
) -> Estimate:
    """The same with every other component of the late layers ablated (METHODS §4, sufficiency).

    Args:
        probe, language, kind, k, mode: As in `control_without`.
    """
    chosen = leading_components(probe, language=language, kind=kind, k=k)
    late = late_layers(probe.parts.n_layers)
    others = [
        one
        for one in every_component(probe.parts.n_layers, probe.parts.n_heads)
        if one.layer in late and one not in chosen
    ]
    called = stated("control_with_only", kind, k, None, mode)
    return exact_under(probe, language, called, [_all(others, mode)], parts=_cwa(probe, language, chosen))


def test_prompts(probe: Ablatable, language: str) -> list[Prompt]:
    """The first prompt about each test topic, in the order of the stream.

    Raises:
        SettingsError: There is none.
        ModelError: Too many of the language's responses are an unfinished thought.
    """
    found: dict[str, Prompt] = {}
    check_answered(probe, probe.responses(language), language)
    for response in probe.responses(language):
        if split_of(response.prompt) == "test":
            found.setdefault(response.prompt.topic, response.prompt)
    if not found:
        raise SettingsError(
            f"none of the {probe.settings.budget} prompts in {language!r} is about a test topic",
            "--lengthprobe-budget=300",
        )
    return list(found.values())


def exact_under(
    probe: Ablatable,
    language: str,
    name: str,
    sets: Sequence[Ablation],
    *,
    parts: Mapping[str, float] | None = None,
) -> Estimate:
    """The share of exact answers, each prompt's averaged over its turn of the sets."""
    prompts = test_prompts(probe, language)
    turns = _turns(prompts, sets)
    answers = dict(zip(turns, answered(probe, language, turns), strict=True))
    responses: dict[str, list[Response]] = {one.id: [] for one in prompts}
    for (prompt, _), response in answers.items():
        responses[prompt.id].append(response)

    def under(counter: str, rival: Estimate | None) -> Estimate:
        return Estimate.from_observations(
            [_observation(some, counter) for some in responses.values()],
            name=named(name, probe, language, None),
            unit="share",
            bounds=(0.0, 1.0),
            alpha=probe.settings.alpha,
            family=probe.family.mechanism,
            rival=rival,
            worst="low",
            counter=counter,
            topics=sum(one.split == "test" for one in load_language(language).topics.values()),
            form=form_of(probe),
        )

    counter = probe.settings.counter
    rival = RIVALS.get(counter)
    found = under(counter, under(rival, None) if rival else None)
    told = partial(_beside, list(answers.items()), language, counter)
    return replace(found, background=(Background(found.name, parts or {}, told, what="answers"),))


def exact_by_set(probe: Ablatable, language: str, sets: Sequence[Ablation]) -> tuple[float, ...]:
    """The share of exact answers under each of several sets, over the prompts whose turn it had."""
    turns = _turns(test_prompts(probe, language), sets)
    exact: dict[Ablation, list[bool]] = {one: [] for one in sets}
    for (_, ablation), response in zip(turns, answered(probe, language, turns), strict=True):
        n_words = count_words(response.answer, language=language, counter=probe.settings.counter)
        exact[ablation].append(_is_exact(response, n_words))
    return tuple(sum(some) / len(some) for some in exact.values() if some)


def answered(probe: Ablatable, language: str, asked: Sequence[tuple[Prompt, Ablation]]) -> list[Response]:
    """The response to each prompt under its ablation; those of the whole model are there already."""
    whole = {one.prompt.id: one for one in probe.responses(language)}
    cut = [one for one in asked if one[1].components]
    # What is longer is no exact answer, and its error is winsorised there.
    under = iter(probe.under(cut, beyond=int(WINSORISED_AT)))
    return [next(under) if ablation.components else whole[prompt.id] for prompt, ablation in asked]


def _turns(prompts: Sequence[Prompt], sets: Sequence[Ablation]) -> list[tuple[Prompt, Ablation]]:
    """Each prompt under every set; of many, under five, so that all come equally often.

    Turns go by the prompts' digests: the stream's lengths come in turns too, and a set would have its own.
    """
    each = len(sets) if len(sets) <= _SETS_A_PROMPT else _SETS_A_PROMPT
    return [
        (prompt, sets[(at * each + step) % len(sets)])
        for at, prompt in enumerate(sorted(prompts, key=lambda one: one.id))
        for step in range(each)
    ]


def _beside(
    answers: Sequence[tuple[tuple[Prompt, Ablation], Response]], language: str, counter: str
) -> dict[str, float]:
    """The mean |error| in words, and of several sets how many per cent are exact under either extreme."""
    errors, exact = [], dict[Ablation, list[bool]]()
    for (prompt, ablation), response in answers:
        n_words = count_words(response.answer, language=language, counter=counter)
        errors.append(abs(winsorised(n_words - prompt.n_words)))
        exact.setdefault(ablation, []).append(_is_exact(response, n_words))
    means = [sum(some) / len(some) for some in exact.values()]
    sets = {"% exact under the worst set": 100 * min(means), "under the best": 100 * max(means)}
    return {"mean |error|": sum(errors) / len(errors)} | (sets if len(means) > 1 else {})


def _unknown(measured: Estimate, kind: str) -> Estimate:
    """An estimate without a value in place of another, since nothing is there to be compared with."""
    flaw = (
        f"no random set of other {'heads' if kind == 'heads' else 'MLPs'} has outputs from {SIMILAR:g} to "
        f"{1 / SIMILAR:g} times as long as those of the leading ones: nothing of similar size to compare with"
    )
    rival = None if measured.rival is None else _unknown(measured.rival, kind)
    return replace(measured, samples=(Sample((), measured.bounds, flaw),), rival=rival)


def _all(components: Sequence[Component], mode: str) -> Ablation:
    return Ablation().and_also(components, mode)


def _cwa(probe: Ablatable, language: str, chosen: Sequence[Component]) -> dict[str, float]:
    """The CWA of some components, by name."""
    means = cwa_by_part(probe, language).by_name
    return {one.name: means[one.name] for one in chosen}


def _is_exact(response: Response, n_words: int) -> bool:
    return response.finish_reason == "stop" and n_words == response.prompt.n_words


def _observation(responses: Sequence[Response], counter: str) -> Observation:
    """The share of exact ones among the responses to one prompt."""
    prompt = responses[0].prompt
    counts = [count_words(one.answer, language=prompt.language, counter=counter) for one in responses]
    exact = [_is_exact(*one) for one in zip(responses, counts, strict=True)]
    shown = exact.index(min(exact))
    note = note_of(responses[shown], counts[shown])
    return Observation(prompt.id, prompt.topic, sum(exact) / len(exact), note)
