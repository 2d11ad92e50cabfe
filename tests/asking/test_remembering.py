"""Remembering: what one checkpoint is asked, in whatever block, is asked once."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.asking.answers import Answers
from lengthprobe.asking.transformers_engine import TransformersEngine
from lengthprobe.attribution.forced_text import Forced
from lengthprobe.components.names import Ablation, Component
from lengthprobe.errors import SettingsError
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts
from tests.test_probe import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 8, "cap": 12, "batch_size": 3}
CUT = Ablation(zero=(Component(1, 0),))


@pytest.fixture
def exchange() -> Recorder:
    """What is asked of the checkpoint."""
    return Recorder()


@pytest.fixture
def probe(checkpoints: Callable[..., Path], exchange: Recorder) -> Probe:
    """A probe of the random Llama, of 3 layers of 4 heads."""
    return Probe(str(checkpoints("llama")), Settings(**SMALL), exchange=exchange)


def test_a_block_entered_again_asks_nothing(probe: Probe, exchange: Recorder) -> None:
    """Answers and losses of an ablation are there; another ablation's are asked."""
    asked = prompts("en", budget=3)

    def ask(names: str) -> list[Any]:
        with probe.ablated(names) as ablated:
            return [
                ablated.under([(one, Ablation()) for one in asked]),
                ablated.losses(["The sea is calm."], Ablation()),
            ]

    first = ask("L1H0")
    n = len(exchange.asked)
    assert ask("L1H0") == first
    assert len(exchange.asked) == n
    assert ask("L2") != first
    assert len(exchange.asked) == n + 2


def test_a_block_that_has_ended_says_what_it_knows(probe: Probe) -> None:
    """What was measured within it can be read after it, and nothing new be asked."""
    asked = prompts("en", budget=2)
    texts = [Forced(asked[0], (5, 6, 7), None, ended=True)]
    rows = [(one, Ablation()) for one in asked]
    with probe.ablated("L1H0") as ablated:
        known = (
            ablated.under(rows),
            ablated.forced(texts, target="token"),
            ablated.losses(["The sea is calm."], Ablation()),
        )
    assert ablated.under(rows) == known[0]
    assert ablated.forced(texts, target="token")[0] is known[1][0]
    assert ablated.losses(["The sea is calm."], Ablation()) == known[2]
    for ask in (
        lambda: ablated.under(rows[:1]),
        lambda: ablated.forced(texts, target="stop_margin"),
        lambda: ablated.losses(["The moon."], Ablation()),
    ):
        with pytest.raises(SettingsError, match="its block has ended"):
            ask()


def test_an_answer_hangs_on_no_other_question(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where batches round otherwise, what is asked again is answered as it was, whatever came between."""
    answer, batch = TransformersEngine.answer, 0

    def rounded(self: TransformersEngine, questions: Any) -> Any:
        nonlocal batch
        found = []
        for one in answer(self, questions):
            if isinstance(one, Answers):
                batch += 1
                texts = tuple(replace(each, text=f"batch {batch}") for each in one.responses)
                one = replace(one, responses=texts)
            found.append(one)
        return found

    monkeypatch.setattr(TransformersEngine, "answer", rounded)
    first, both = ([(one, CUT) for one in prompts("en", budget=n)] for n in (1, 2))
    before = probe.under(first)
    assert {one.text for one in probe.under(both)} == {"batch 2"}
    assert probe.under(first) == before


def test_responses_of_a_block_are_there_in_the_next(probe: Probe, exchange: Recorder) -> None:
    """And in nested ones that come to the same."""
    with probe.ablated("L1H0") as ablated:
        first = ablated.responses("en")
    n = len(exchange.asked)
    with probe.ablated("L1H0") as ablated:
        assert _same(ablated.responses("en"), first)
        with ablated.ablated("L1H0") as inner:
            assert _same(inner.responses("en"), first)
    assert len(exchange.asked) == n
    with probe.ablated("L1H0", mode="resample") as ablated:
        assert not _same(ablated.responses("en"), probe.responses("en"))
    assert len(exchange.asked) > n


def test_the_block_and_the_row_are_one_ablation(probe: Probe, exchange: Recorder) -> None:
    """What a row of the whole model's had ablated, a block that ablates it does not ask again."""
    asked = prompts("en", budget=3)
    found = probe.under([(one, CUT) for one in asked])
    n = len(exchange.asked)
    with probe.ablated("L1H0") as ablated:
        assert ablated.under([(one, Ablation()) for one in asked]) == found
    assert len(exchange.asked) == n


def test_how_far_an_answer_is_followed_is_another_question(probe: Probe, exchange: Recorder) -> None:
    """As are the words that it is written with."""
    asked = [(prompts("en", budget=1)[0], CUT)]
    probe.under(asked)
    n = len(exchange.asked)
    probe.under(asked, beyond=2)
    assert len(exchange.asked) == n + 1


def test_words_are_another_question() -> None:
    """A prompt answered with all words, and under the same ablation with words of one kind, differ."""
    probe = Probe("tiny-it", Settings(device_map="cpu", budget=60, cap=30, languages=("en",)))
    asked = [(one.prompt, Ablation(zero=(Component(1, 0),))) for one in probe.responses("en")[:8]]
    free = probe.under(asked)
    with probe.writing("one-token") as constrained:
        assert constrained.under(asked) != free
    assert probe.under(asked) == free


def test_split_batches_of_blocks_are_counted(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that was split under an ablation is told of the checkpoint."""
    answer = TransformersEngine.answer

    def in_pieces(self: TransformersEngine, questions: Any) -> Any:
        return [
            replace(one, pieces=2) if isinstance(one, Answers) else one for one in answer(self, questions)
        ]

    monkeypatch.setattr(TransformersEngine, "answer", in_pieces)
    with probe.ablated("L1H0") as ablated:
        ablated.responses("en")
    assert probe.split_batches == probe.identity().split_batches == 3


def test_a_second_answer_within_a_block_is_told(probe: Probe) -> None:
    """Prompts that were answered without attributions are answered again, and a warning may say so."""
    with probe.ablated("L1H0") as ablated:
        ablated.responses("en")
        assert not probe.asked_again
        ablated.traces("en")
        ablated.traces("en")
    assert probe.asked_again == ((ablated.name, "en"),)
    probe.prepare(["en"], traces=True)
    assert probe.traces("en")
    assert len(probe.asked_again) == 1


def test_responses_are_part_of_an_answer_with_attributions(probe: Probe, exchange: Recorder) -> None:
    """Capturing attributions changes no response: nobody asks for the responses alone afterwards."""
    traced = probe.traces("en")
    n = len(exchange.asked)
    assert _same(probe.responses("en"), [one.response for one in traced])
    assert len(exchange.asked) == n


def test_attributions_of_a_block_go_with_its_probe(probe: Probe, exchange: Recorder) -> None:
    """They are many megabytes: within the block they are there, and the next block asks for them anew."""
    with probe.ablated("L1H0") as ablated:
        first = ablated.traces("en")
        n = len(exchange.asked)
        assert all(one.trace is other.trace for one, other in zip(ablated.traces("en"), first, strict=True))
        assert len(exchange.asked) == n
    with probe.ablated("L1H0") as ablated:
        ablated.traces("en")
    assert len(exchange.asked) == n + 3


def test_a_probe_is_a_view(probe: Probe) -> None:
    """Nothing of it can be changed, so that no block leaves anything behind."""
    with probe.ablated("L1H0") as ablated, pytest.raises(FrozenInstanceError):
        ablated.role = "base"  # type: ignore[misc]


def _same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether the responses are the ones that were given before, and not written again."""
    return all(one is other for one, other in zip(some, others, strict=True))
