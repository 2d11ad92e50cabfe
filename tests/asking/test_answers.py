"""Answers as bytes: what another process reads is what was measured."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from lengthprobe.asking.answers import Answers, Proof, Traced, pack_forced, unpack_forced
from lengthprobe.attribution.trace import Contributions, ForcedTrace, Trace
from lengthprobe.errors import ModelError
from lengthprobe.task.adherence import Adherence
from lengthprobe.task.prompts import Response, prompts

PROMPTS = prompts("it", budget=3)
# What models write: nothing, half a character, control characters, a quote, what is beyond 16 bits.
TEXTS = ("", "citt\ufffd \x1b[31m\x00", 'L’"uomo" 🏳️‍🌈 \u2028')
PROBLEM = ModelError("the components do not add up", "mend the entry")


def _contributions(steps: int, seed: int) -> Contributions:
    draw = np.random.default_rng(seed)
    shapes: list[Any] = [(steps, 2, 3), (steps, 2), steps, steps, steps]
    return Contributions(*(draw.normal(size=shape).astype(np.float32) for shape in shapes))


def _responses() -> tuple[Response, ...]:
    reasons = ("stop", "length", "stop")
    return tuple(
        # The last of them begins within a thought.
        Response(prompt, tuple(range(at)), text, reason, at == 2, at // 2)
        for at, (prompt, text, reason) in enumerate(zip(PROMPTS, TEXTS, reasons, strict=True))
    )


def _traces() -> tuple[Trace, ...]:
    return tuple(Trace(_contributions(at + 1, at), _contributions(at + 1, 9 + at)) for at in range(3))


def _adherences() -> tuple[Adherence, ...]:
    thoughts = ((), (), (True, False, False))
    return tuple(
        Adherence((0,) * (at + 1), (False,) * at + (True,), ended=at != 1, thought=thoughts[at])
        for at in range(3)
    )


def _assert_same(one: Contributions, other: Contributions) -> None:
    for name in Contributions.names():
        found, wanted = getattr(one, name), getattr(other, name)
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        assert np.array_equal(found, wanted, equal_nan=True)


def test_responses() -> None:
    """Responses come back as they were, whatever was written; no attribution is made up."""
    made = Answers.from_bytes(Answers(_responses(), pieces=2).to_bytes(), PROMPTS)
    assert (made.responses, made.pieces, made.traces, made.adherences) == (_responses(), 2, (), ())
    assert (made.gap, made.problem) == (0.0, None)


def test_responses_are_text() -> None:
    """Without attributions the bytes are JSON."""
    content = json.loads(Answers(_responses(), pieces=1).to_bytes())
    assert [one[1] for one in content["responses"]] == list(TEXTS)


def test_attributions() -> None:
    """Every array of both targets comes back bit by bit, beside the adherence of each token."""
    answers = Answers(_responses(), 1, _traces(), _adherences(), gap=1.25e-6)
    made = Answers.from_bytes(answers.to_bytes(), PROMPTS)
    assert (made.responses, made.adherences, made.gap) == (_responses(), _adherences(), 1.25e-6)
    for one, other in zip(made.traces, _traces(), strict=True):
        _assert_same(one.token, other.token)
        _assert_same(one.stop, other.stop)


def test_attributions_that_are_not_numbers() -> None:
    """NaN and infinity come back, for the message that names the component."""
    trace = _traces()[0]
    trace.token.heads[0, 1, 2], trace.token.mlps[0, 0] = np.nan, np.inf
    answers = Answers(_responses()[:1], 1, (trace,), _adherences()[:1], gap=float("nan"))
    made = Answers.from_bytes(answers.to_bytes(), PROMPTS[:1])
    _assert_same(made.traces[0].token, trace.token)
    assert np.isnan(made.gap)


@pytest.mark.parametrize("traces", [(), _traces()], ids=["without", "with"])
def test_problem(traces: tuple[Trace, ...]) -> None:
    """Why attributions cannot be used comes back as the same error, with its fix."""
    answers = Answers(_responses(), 1, traces, _adherences() if traces else (), problem=PROBLEM)
    problem = Answers.from_bytes(answers.to_bytes(), PROMPTS).problem
    assert problem is not None
    assert (problem.problem, problem.fix) == (PROBLEM.problem, PROBLEM.fix)


def test_problem_without_attributions() -> None:
    """Where there are none, each response tells why."""
    every = Answers(_responses(), 1, problem=PROBLEM).each()
    assert [(one.response, one.trace, one.problem) for one in every] == [
        (response, None, PROBLEM) for response in _responses()
    ]


def test_one_by_one() -> None:
    """Each response goes with its own attribution and adherence, and with the batch's problem."""
    answers = Answers(_responses(), 1, _traces(), _adherences(), problem=PROBLEM)
    every = answers.each()
    assert [one.response for one in every] == list(_responses())
    assert [one.trace for one in every] == list(answers.traces)
    assert [one.adherence for one in every] == list(_adherences())
    assert {one.problem for one in every} == {PROBLEM}


def test_one_by_one_without_attributions() -> None:
    """Where none was asked for there is none, and no problem."""
    every = Answers(_responses(), 1).each()
    assert [(one.response, one.trace, one.adherence, one.problem) for one in every] == [
        (response, None, None, None) for response in _responses()
    ]
    assert all(isinstance(one, Traced) for one in every)


def test_other_prompts() -> None:
    """Bytes of three prompts are no answer to two."""
    with pytest.raises(ValueError, match="zip"):
        Answers.from_bytes(Answers(_responses(), 1).to_bytes(), PROMPTS[:2])


def test_arrays_are_told_from_text() -> None:
    """A safetensors file starts with the length of its header, a multiple of 8: never with a brace."""
    assert ord("{") % 8 != 0
    for length in range(20):
        trace = ForcedTrace(_contributions(length, 1), None)
        assert pack_forced([trace] * length)[:1] != b"{" or not length


def test_forced() -> None:
    """Forced texts come back in order, with adherence where every step was asked about."""
    last_only = ForcedTrace(_contributions(1, 5), None)
    every_step = ForcedTrace(_contributions(3, 6), _adherences()[2])
    # A text of no token, cut off, has no step.
    no_step = ForcedTrace(_contributions(0, 7), Adherence((), (), ended=False))
    given = [last_only, every_step, no_step]
    made = unpack_forced(pack_forced(given))
    assert [one.adherence for one in made] == [None, _adherences()[2], Adherence((), (), ended=False)]
    for one, other in zip(made, given, strict=True):
        _assert_same(one.contributions, other.contributions)


def test_no_forced_texts() -> None:
    """No text gives nothing."""
    assert unpack_forced(pack_forced([])) == []


def test_components() -> None:
    """What is known of the components comes back."""
    made = Proof.from_bytes(Proof("llama", 5, 4, 1.5e-7).to_bytes())
    assert (made.architecture, made.n_layers, made.n_heads, made.gap, made.problem) == (
        "llama",
        5,
        4,
        1.5e-7,
        None,
    )


def test_components_that_are_not_known() -> None:
    """Why they are not comes back as the same error."""
    made = Proof.from_bytes(Proof(problem=PROBLEM).to_bytes())
    assert made.problem is not None
    assert (made.architecture, made.problem.problem, made.problem.fix) == ("", PROBLEM.problem, PROBLEM.fix)
