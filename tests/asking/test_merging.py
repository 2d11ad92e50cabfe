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


def test_each_question_gets_its_own_answers() -> None:
    """In the order of its prompts, with the most pieces of any call that it has rows in."""
    questions = [write(5, OTHER), write(3), write(5, language="it")]
    merged = merge(questions, 7)

    answers = merged.divide(
        [
            Answers(
                tuple(
                    Response(prompt, (), f"{prompt.id} {ablation.label}", "stop")
                    for prompt, ablation in zip(call.prompts, call.ablations, strict=True)
                ),
                pieces,
            )
            for call, pieces in zip(merged.calls, (1, 3), strict=True)
        ]
    )

    for question, answer in zip(questions, answers, strict=True):
        assert [one.prompt for one in answer.responses] == list(question.prompts)
        assert [one.text for one in answer.responses] == [
            f"{prompt.id} {ablation.label}"
            for prompt, ablation in zip(question.prompts, question.ablations, strict=True)
        ]
    places = merged.places[1]
    assert [one.pieces for one in answers] == [3 if any(n == at for n, _ in places) else 1 for at in range(3)]
    assert {one.pieces for one in answers} == {1, 3}


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
    checkpoints: Callable[..., Path], calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As torch was told by whoever runs the suite."""
    import torch

    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "high")
    probe = Probe(str(checkpoints("llama")), Settings(**SMALL))

    probe.engine.answer([write(3), write(4, OTHER)])

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
