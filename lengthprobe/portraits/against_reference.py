"""The candidate against the reference: the reference's values, and the prompts that changed for the worse."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypedDict

from lengthprobe import measures
from lengthprobe.statistics.check import Numbers
from lengthprobe.statistics.share import share
from lengthprobe.task.words import count_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lengthprobe.measures.per_response import Measured
    from lengthprobe.probe import Probe
    from lengthprobe.statistics.comparable import Comparable
    from lengthprobe.statistics.measure_key import MeasureKey
    from lengthprobe.task.prompts import Response

# The changed prompts that a reader looks at in a language, and the characters of an answer.
MOST_CHANGED = 5
_TEXT_KEPT = 600
_OF_BEHAVIOUR = (
    *(measures.length_error, measures.absolute_error, measures.exact_match, measures.runaways),
    *(measures.short_answers, measures.error_growth, measures.preambles, measures.counter_disagreement),
)
# Attributions that a regression form compares by their share.
_OF_A_COMPONENT = {"cwa": measures.cwa, "number_swap": measures.number_swap}


class WrittenAnswer(TypedDict):
    """An answer: the number of words, the text shortened, and whether the token cap ended the answer."""

    n_words: int
    text: str
    cut_off: bool


class ChangedPrompt(TypedDict):
    """A prompt with the answers of both."""

    asked: int
    topic: str
    prompt: str
    candidate: WrittenAnswer
    reference: WrittenAnswer


class ChangedPrompts(TypedDict):
    """The prompts that both answered, and those on which the candidate is now further from the length.

    `worse` and `better` count the answers with a larger and with a smaller error of the candidate; `texts`
    counts the answers that are not the same. A sampled prompt has several answers. `worst` has the largest
    changes for the worse, worst first.
    """

    n: int
    texts: int
    worse: int
    better: int
    worst: list[ChangedPrompt]


def changed_prompts(candidate: Measured, reference: Measured, language: str) -> ChangedPrompts:
    """The prompts on which the candidate's answers differ from the reference's.

    Args:
        candidate: The checkpoint under test, asked in the language.
        reference: The reference, asked in the language.
        language: Code of the language.
    """
    counter = candidate.settings.counter
    before = {(one.prompt.id, one.sample): one for one in reference.responses(language)}
    changes: list[tuple[int, ChangedPrompt, str]] = []
    for response in candidate.responses(language):
        other = before.get((response.prompt.id, response.sample))
        if other is not None:
            changes.append((*_change(response, other, counter), response.prompt.id))
    worse = [change for change in changes if change[0] > 0]
    # Among equals the digest of the prompt decides, so that not all are of one wording.
    worst = sorted(worse, key=lambda change: (-change[0], change[2]))
    answers = [(change["candidate"], change["reference"]) for _, change, _ in changes]
    return {
        "n": len({prompt for *_, prompt in changes}),
        "texts": sum(one["text"] != other["text"] for one, other in answers),
        "worse": len(worse),
        "better": sum(rise < 0 for rise, *_ in changes),
        "worst": [_shortened(change) for _, change, _ in worst[:MOST_CHANGED]],
    }


def values_of_behaviour(reference: Measured, language: str) -> list[dict[str, Any]]:
    """The reference's values of the measures behind the requirements on behaviour, for JSON."""
    return list(_told(measure(reference, language=language) for measure in _OF_BEHAVIOUR))


def values_of_components(
    reference: Probe, language: str, measured: Collection[MeasureKey]
) -> list[dict[str, Any]]:
    """The reference's shares of the components that a claim has measured of it, for JSON.

    Args:
        reference: The reference.
        language: Code of the language.
        measured: The keys of the measures that the claim compared.
    """
    return list(
        _told(
            share(_OF_A_COMPONENT[key.name](reference, component=key.options[0], language=language))
            for key in measured
            if key.name in _OF_A_COMPONENT
            and key.checkpoint == reference.name
            and key.language == language
            and len(key.options) == 1
            and not key.lengths
        )
    )


def _told(estimates: Iterator[Comparable]) -> Iterator[dict[str, Any]]:
    for estimate in estimates:
        if estimate.shown.unmet is None:
            yield {"measure": asdict(estimate.measures[0]), **asdict(Numbers.of(estimate.shown))}


def _change(response: Response, other: Response, counter: str) -> tuple[int, ChangedPrompt]:
    """The rise of the error in words, and both answers."""
    prompt = response.prompt
    now, before = (_written(one, prompt.language, counter) for one in (response, other))
    rise = abs(now["n_words"] - prompt.n_words) - abs(before["n_words"] - prompt.n_words)
    return rise, {
        "asked": prompt.n_words,
        "topic": prompt.topic,
        "prompt": prompt.text,
        "candidate": now,
        "reference": before,
    }


def _written(response: Response, language: str, counter: str) -> WrittenAnswer:
    return {
        "n_words": count_words(response.answer, language=language, counter=counter),
        "text": response.answer,
        "cut_off": response.finish_reason != "stop",
    }


def _shortened(change: ChangedPrompt) -> ChangedPrompt:
    """The change with the beginning of long texts only, since an answer may run on for pages."""
    return {
        **change,
        "prompt": _beginning(change["prompt"]),
        "candidate": {**change["candidate"], "text": _beginning(change["candidate"]["text"])},
        "reference": {**change["reference"], "text": _beginning(change["reference"]["text"])},
    }


def _beginning(text: str) -> str:
    return text if len(text) <= _TEXT_KEPT else f"{text[: _TEXT_KEPT - 1]}…"
