"""Merging: batches that are asked together are written in fewer calls, and say the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lengthprobe.asking import answering
from lengthprobe.asking.answers import Answers
from lengthprobe.asking.merging import is_worth_merging, merge
from lengthprobe.asking.questions import Score, Write
from lengthprobe.components.names import Ablation, Component
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import Response, prompts

CUT, OTHER = Ablation(zero=(Component(1, 0),)), Ablation(zero=(Component(2, 3),))
SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 12, "cap": 12, "batch_size": 8}


def write(n: int, ablation: Ablation = CUT, language: str = "en", **more: Any) -> Write:
    """A batch of n prompts."""
    return Write(prompts(language, budget=n), (ablation,) * n, **more)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each call of generate has."""
    rows: list[int] = []
    answer = answering.answer

    def counted(checkpoint: Any, asked: Sequence[Any], *given: Any, **more: Any) -> Answers:
        rows.append(len(asked))
        return answer(checkpoint, asked, *given, **more)

    monkeypatch.setattr(answering, "answer", counted)
    return rows


def test_calls_hold_every_row_once_and_no_more_than_the_batch_size() -> None:
    """In nearly equal parts, rows under one ablation together."""
    questions = [write(5, OTHER), write(3), write(5, language="it")]

    merged = merge(questions, 7)

    assert [one.size for one in merged.calls] == [7, 6]
    assert sorted(place for places in merged.places for place in places) == [
        (number, row) for number, question in enumerate(questions) for row in range(question.size)
    ]
    for call, places in zip(merged.calls, merged.places, strict=True):
        for prompt, ablation, (number, row) in zip(call.prompts, call.ablations, places, strict=True):
            assert (prompt, ablation) == (questions[number].prompts[row], questions[number].ablations[row])
    labels = [ablation.label for call in merged.calls for ablation in call.ablations]
    assert labels == sorted(labels)


def answers_to(call: Write, pieces: int = 1) -> Answers:
    """Answers that name their prompt and ablation."""
    rows = zip(call.prompts, call.ablations, strict=True)
    return Answers(
        tuple(Response(prompt, (), f"{prompt.id} {ablation.label}", "stop") for prompt, ablation in rows),
        pieces,
    )


def test_each_question_gets_its_own_answers() -> None:
    """In the order of the questions and of their prompts."""
    questions = [write(5, OTHER), write(3), write(5, language="it")]
    merged = merge(questions, 7)

    answers = [answer for call in merged.calls for answer in merged.divide(answers_to(call))]

    assert [one.responses for one in answers] == [answers_to(one).responses for one in questions]


def test_a_question_is_answered_as_soon_as_its_rows_are_there() -> None:
    """So that an interrupt loses no more than the call at work."""
    merged = merge([write(3), write(4, OTHER), write(2, language="it")], 5)
    assert [one.size for one in merged.calls] == [5, 4]

    found = [len(list(merged.divide(answers_to(call)))) for call in merged.calls]

    assert found == [1, 2]


def test_a_call_in_pieces_is_told_once() -> None:
    """However many questions have rows in that call."""
    merged = merge([write(3), write(4, OTHER), write(2, language="it")], 9)

    (call,) = merged.calls
    assert [one.pieces for one in merged.divide(answers_to(call, pieces=4))] == [4, 1, 1]


@pytest.mark.parametrize(
    ("questions", "worth"),
    [
        ([write(3), write(4, OTHER)], True),
        ([write(3)], False),
        ([write(8), write(7, OTHER)], False),
        ([write(8), write(7, OTHER), write(1, OTHER)], True),
        ([write(3), write(4, OTHER, beyond=3)], False),
        ([write(3), write(4, OTHER, words="one-token")], False),
        ([write(3, traces=True), write(4, language="it", traces=True)], False),
        ([write(3), write(4, Ablation(resample=(Component(1, 0),)))], False),
        ([write(3), Score(("a text",), CUT)], False),
        ([Score(("a text",), CUT), Score(("another",), CUT)], False),
    ],
)
def test_what_is_worth_merging(questions: list[Any], *, worth: bool) -> None:
    """Batches of one manner without attributions, where they are fewer calls."""
    assert is_worth_merging(questions, 8) is worth


@pytest.mark.parametrize("mode", ["zero", "mean", "resample"])
def test_merged_answers_are_those_of_each_batch_alone(
    mode: str, checkpoints: Callable[..., Path], calls: list[int]
) -> None:
    """Two languages, two ablations, one call in place of three."""
    cut, other = (
        Ablation(**{mode: one.zero}) if mode != "mean" else Ablation(mean=one.zero) for one in (CUT, OTHER)
    )
    questions = [write(3, cut, beyond=2), write(2, other, beyond=2), write(3, cut, "it", beyond=2)]
    apart, together = (Probe(str(checkpoints("llama")), Settings(**SMALL)) for _ in range(2))
    for probe in (apart, together):
        probe.prepare(["en", "it"])
        probe.outputs()
    calls.clear()

    alone = [apart.engine.answer([one])[0] for one in questions]
    assert calls == [3, 2, 3]
    calls.clear()
    merged = together.engine.answer(questions)

    assert calls == [8]
    assert [one.responses for one in merged] == [one.responses for one in alone]
    assert len({one.text for answer in merged for one in answer.responses}) > 1


def test_a_batch_of_a_short_format_stays_as_it_is(checkpoints: Callable[..., Path], calls: list[int]) -> None:
    """There a row's neighbours may change its tokens: a claim alone would say something else."""
    probe = Probe(str(checkpoints("llama")), Settings(**SMALL, dtype="bfloat16"))

    probe.engine.answer([write(3), write(4, OTHER)])

    assert sorted(calls) == [3, 4]


def test_a_reduced_precision_of_products_counts_as_a_short_format(
    checkpoints: Callable[..., Path], calls: list[int]
) -> None:
    """As torch was told by whoever runs the suite, with the newer setting."""
    import torch

    settings = torch.backends.cuda.matmul
    before, settings.fp32_precision = settings.fp32_precision, "tf32"
    try:
        probe = Probe(str(checkpoints("llama")), Settings(**SMALL))

        probe.engine.answer([write(3), write(4, OTHER)])
    finally:
        settings.fp32_precision = before

    assert sorted(calls) == [3, 4]


def test_a_quantized_checkpoint_counts_as_a_short_format(
    checkpoints: Callable[..., Path], calls: list[int]
) -> None:
    """Its activations may be rounded by the largest of a batch."""
    probe = Probe(str(checkpoints("llama")), Settings(**SMALL))
    held = probe.subject.held
    held._checkpoint = replace(probe.checkpoint, quantized="int8")

    probe.engine.answer([write(3), write(4, OTHER)])

    assert sorted(calls) == [3, 4]
