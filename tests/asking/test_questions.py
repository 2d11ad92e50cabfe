"""What one checkpoint is asked, in whatever block, is asked once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.asking.respondent import Respondent
from lengthprobe.attribution.forced import Forced
from lengthprobe.components.names import Ablation, Component
from lengthprobe.errors import SettingsError
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts
from tests.test_probe import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
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
    assert ablated.forced(texts, target="token") is known[1]
    assert ablated.losses(["The sea is calm."], Ablation()) is known[2]
    for ask in (
        lambda: ablated.under(rows[:1]),
        lambda: ablated.forced(texts, target="stop_margin"),
        lambda: ablated.losses(["The moon."], Ablation()),
    ):
        with pytest.raises(SettingsError, match="its block has ended"):
            ask()


def test_an_answer_hangs_on_no_other_question(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where batches round otherwise, what is asked again is answered as it was, whatever came between."""
    answers, batch = Respondent.answers, 0

    def rounded(self: Respondent, batches: Any, **how: Any) -> Any:
        nonlocal batch
        found = []
        for one in answers(self, batches, **how):
            batch += 1
            found.append(
                replace(one, responses=tuple(replace(each, text=f"batch {batch}") for each in one.responses))
            )
        return found

    monkeypatch.setattr(Respondent, "answers", rounded)
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
        assert ablated.responses("en") is first
        with ablated.ablated("L1H0") as inner:
            assert inner.responses("en") is first
    assert len(exchange.asked) == n
    with probe.ablated("L1H0", mode="resample") as ablated:
        assert ablated.responses("en") is not probe.responses("en")
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
    answers = Respondent.answers

    def in_pieces(self: Respondent, batches: Any, **how: Any) -> Any:
        return [replace(one, pieces=2) for one in answers(self, batches, **how)]

    monkeypatch.setattr(Respondent, "answers", in_pieces)
    with probe.ablated("L1H0") as ablated:
        ablated.responses("en")
    assert probe.split_batches == probe.identity().split_batches == 3
