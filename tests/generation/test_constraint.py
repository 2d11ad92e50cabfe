"""Responses written with a vocabulary: only its words, whole, and ended where the model itself would end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import regex
import torch

from lengthprobe.checkpoints.chat.template import render
from lengthprobe.checkpoints.loading import Checkpoint
from lengthprobe.generation.constraint import Automaton, Constraint
from lengthprobe.generation.transformers_engine import respond_to_batch
from lengthprobe.generation.vocabulary import Vocabulary
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from collections.abc import Sequence

CPU = Settings(device_map="cpu", cap=12)
# One word begins another, as " sun" does " sunny"; one is an opening and a word; none has an end token in it.
FIRST = Vocabulary(
    openings=((10,), (11, 12)), words=((20,), (21, 22), (21, 22, 23), (24, 25), (10,)), marks=(30, 31)
)
SECOND = Vocabulary(openings=((40, 41), (42, 43)), words=((44, 45), (46, 47, 48)), marks=())


def _allowed(vocabulary: Vocabulary, text: Sequence[int]) -> tuple[set[int], bool]:
    """The tokens that go on from here to some response, and whether this is one, by a regex."""

    def written(tokens: Sequence[int]) -> str:
        return "".join(chr(0x4E00 + token) for token in tokens)

    openings, words = ("|".join(map(written, some)) for some in (vocabulary.openings, vocabulary.words))
    mark = f"[{written(vocabulary.marks)}]?" if vocabulary.marks else ""
    response = regex.compile(f"(?:{openings}){mark}(?:(?:{words}){mark})*")
    tokens = {
        token
        for token in range(10, 50)
        if response.fullmatch(written((*text, token)), partial=True) is not None
    }
    return tokens, response.fullmatch(written(text)) is not None


@pytest.mark.parametrize("vocabulary", [FIRST, SECOND])
def test_automaton_allows_what_leads_to_a_response(vocabulary: Vocabulary) -> None:
    """After every beginning of up to four tokens, exactly that; it may end where a word is whole."""
    automaton = Automaton(vocabulary, ends=(1, 2))
    states: dict[tuple[int, ...], int] = {(): 0}
    for _ in range(5):
        for beginning, state in list(states.items()):
            tokens = set(automaton.allowed(state, torch.device("cpu")).tolist())
            assert (tokens, automaton.may_end(state)) == _allowed(vocabulary, beginning), beginning
            states |= {(*beginning, token): automaton.step(state, token) for token in tokens}


def test_a_token_that_is_not_allowed_is_an_error() -> None:
    """An end within a word, or before one, too."""
    automaton = Automaton(FIRST, ends=(1,))
    for text in ((1,), (20,), (11, 1), (10, 11), (10, 30, 31)):
        with pytest.raises(KeyError):
            _run(automaton, text)


def _run(automaton: Automaton, text: Sequence[int]) -> int:
    state = 0
    for token in text:
        state = automaton.step(state, token)
    return state


def test_responses_hold_nothing_else(llama: Checkpoint) -> None:
    """Each is written as its row's vocabulary says, step by step the best of what that allows."""
    some = prompts("en", budget=10)
    rows = tuple([FIRST, SECOND][at % 2] for at in range(10))
    constraint = Constraint(rows, llama.end_token_ids)

    answered = respond_to_batch(llama, some, CPU, constraint=constraint)

    for vocabulary, response in zip(rows, answered.responses, strict=True):
        start = render(llama, response.prompt, CPU)
        with torch.inference_mode():
            logits = llama.model(torch.tensor([[*start, *response.token_ids]])).logits[0, len(start) - 1 :]
        for step in range(len(response.token_ids) + (response.finish_reason == "stop")):
            tokens, may_end = _allowed(vocabulary, response.token_ids[:step])
            best = int(logits[step].argmax())
            if may_end and best in llama.end_token_ids:
                assert (step, response.finish_reason) == (len(response.token_ids), "stop")
            else:
                ordered = sorted(tokens, key=lambda token: -float(logits[step, token]))
                assert response.token_ids[step] == ordered[0]
                assert best not in tokens or response.token_ids[step] == best


def _scores(best: int, second: int, n: int = 1) -> Any:
    """Scores of 60 tokens, n rows alike, with these two at the top."""
    scores = torch.zeros(n, 60)
    scores[:, best], scores[:, second] = 2.0, 1.0
    return scores


def _step(text: Sequence[int], scores: Any, vocabulary: Vocabulary = FIRST) -> Any:
    """The scores after the step that follows a text."""
    processor = Constraint((vocabulary,), ends=(1, 2)).processor(width=3)
    for length in range(len(text)):
        processor(torch.tensor([[5, 5, 5, *text[:length]]]), torch.zeros(1, 60))
    return processor(torch.tensor([[5, 5, 5, *text]]), scores)[0]


@pytest.mark.parametrize(
    ("text", "best", "second", "written"),
    [
        ((10,), 20, 1, 20),
        ((10,), 2, 20, 2),
        ((10, 30), 1, 20, 1),
        ((10,), 50, 1, 10),
        ((10,), 50, 24, 24),
        ((10, 21), 1, 20, 22),
        ((), 1, 11, 11),
    ],
    ids=[
        "the model's own choice, where it is allowed",
        "an end, any of them, where it is the best of all",
        "after a mark too",
        "no end where the model would go on, if with another word",
        "but the best word",
        "no end within a word, and no other word",
        "no end before the first word",
    ],
)
def test_what_is_written(text: tuple[int, ...], best: int, second: int, written: int) -> None:
    """The best of what is allowed; scores are otherwise as they were."""
    scores = _scores(best, second)
    scores[0, 10] = max(float(scores[0, 10]), 0.5)
    found = _step(text, scores)
    assert int(found.argmax()) == written
    kept = found > -torch.inf
    assert torch.equal(found[kept], scores[0][kept])


def test_rows_that_have_ended_and_donors_are_left_alone() -> None:
    """What is written after an end is padding, and rows after the batch's own have no vocabulary."""
    processor = Constraint((FIRST, FIRST), ends=(1,)).processor(width=2)
    written = [[10, 1, 5, 5], [10, 20, 20, 20], [3, 3, 3, 3]]
    for length in range(4):
        ids = torch.tensor([[0, 0, *row[:length]] for row in written])
        scores = torch.rand(3, 60)
        scores[0, 1] = 2.0  # the first row wants to end
        found = processor(ids, scores)
        assert torch.equal(found[2], scores[2])
        assert bool((found[1] == -torch.inf).any())
        assert torch.equal(found[0], scores[0]) == (length >= 2)


def test_some_of_the_rows() -> None:
    """Where a batch is halved, each half keeps its own vocabularies."""
    constraint = Constraint((FIRST, SECOND, FIRST), ends=(1,))
    assert constraint.of([1, 2]).rows == (SECOND, FIRST)


def test_halves_are_written_as_the_whole(llama: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that was split for want of memory is answered as constrained."""
    some = prompts("en", budget=4)
    constraint = Constraint((FIRST, SECOND, SECOND, FIRST), llama.end_token_ids)
    whole = respond_to_batch(llama, some, CPU, constraint=constraint)
    generate = llama.model.generate

    def scarce(ids: Any, **options: Any) -> Any:
        if len(ids) > 2:
            raise MemoryError
        return generate(ids, **options)

    monkeypatch.setattr(llama.model, "generate", scarce)
    halved = respond_to_batch(llama, some, replace(CPU), constraint=constraint)
    assert halved.pieces == 2
    assert [one.token_ids for one in halved.responses] == [one.token_ids for one in whole.responses]
