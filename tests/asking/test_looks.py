"""Looks of a probe: few prompts first, more prompts later, and no prompt asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lengthprobe.attribution.forced_text import Forced
from lengthprobe.components.names import Ablation, Component
from lengthprobe.errors import SettingsError
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.statistics.looks import PlannedLook, looks, planned_looks
from lengthprobe.task.prompts import with_n_words

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 9, "cap": 12, "batch_size": 4, "early_looks": (3, 5)}
CUT = Ablation(zero=(Component(1, 0),))


@pytest.fixture(scope="module")
def probe() -> Probe:
    """tiny-it, with looks at 3, 5 and 9 prompts and batches of 4."""
    return Probe("tiny-it", Settings(**SMALL))


@pytest.fixture
def asked(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of rows of each new question."""
    rows: list[int] = []
    engine = probe.subject.memory._engine
    answer = engine.answer

    def counted(questions: list[Any]) -> Iterator[Any]:
        rows.extend(question.size for question in questions)
        return iter(answer(questions))

    monkeypatch.setattr(engine, "answer", counted)
    return rows


def at(probe: Probe, prompts: int, part: float = 0.5) -> Probe:
    """The probe at a look."""
    return probe.at_look(PlannedLook(prompts, part))


def test_a_look_has_the_first_prompts_and_its_part_of_alpha(probe: Probe) -> None:
    """The settings of the whole stay."""
    early = at(probe, 5, 0.2)

    assert early.responses("en") == probe.responses("en")[:5]
    assert (early.settings.budget, early.settings.early_looks) == (5, (3,))
    assert early.settings.alpha == pytest.approx(0.01)
    assert (probe.settings.budget, probe.settings.alpha) == (9, 0.05)


def test_a_later_look_asks_new_prompts_alone(probe: Probe, asked: list[int]) -> None:
    """A batch ends where a look ends."""
    for prompts in (3, 5, 9):
        at(probe, prompts).responses("it")

    assert asked == [3, 2, 4]
    probe.responses("it")
    assert sum(asked) == 9


def test_attributions_and_ablations_too(probe: Probe, asked: list[int]) -> None:
    """The rows of an ablation at a later look are in batches of their own; the order of answers stays."""
    probe.prepare(["en"], traces=True)
    prompts = [response.prompt for response in probe.responses("en")]
    early = at(probe, 3).under([(prompt, CUT) for prompt in prompts[:3]])
    asked.clear()
    late = probe.under([(prompt, CUT) for prompt in prompts])

    assert late[:3] == early
    assert [response.prompt for response in late] == prompts
    assert sum(asked) == 6


def test_forced_texts_keep_their_order(probe: Probe) -> None:
    """Texts of several looks, in any order, have their own attributions."""
    probe.prepare(["en"], traces=True)
    texts = [Forced(one.prompt, one.token_ids, None, ended=False) for one in probe.responses("en")]
    straight = probe.forced(texts, target="token")
    turned = probe.forced(texts[::-1], target="token")

    assert [len(trace.contributions.heads) for trace in straight] == [len(text.token_ids) for text in texts]
    for one, other in zip(straight, turned[::-1], strict=True):
        assert np.allclose(one.contributions.heads, other.contributions.heads, atol=1e-4)


def test_a_prompt_with_another_number_goes_with_its_topic(probe: Probe) -> None:
    """So that the batches of an early look do not change."""
    prompts = probe.subject.prompts("en")
    others = [with_n_words(prompt, 10) for prompt in prompts]

    assert (
        probe.subject.by_look(others) == probe.subject.by_look(prompts) == [[0, 1, 2], [3, 4], [5, 6, 7, 8]]
    )


def test_languages_asked_at_a_look() -> None:
    """A language counts as asked once all prompts of the look have an answer."""
    fresh = Probe("tiny-it", Settings(**SMALL))
    at(fresh, 3).responses("en")

    assert at(fresh, 3).asked == ("en",)
    assert at(fresh, 5).asked == ()


def test_reference_outputs_are_those_of_the_first_look(probe: Probe) -> None:
    """Mean ablation has the same means at every look."""
    assert at(probe, 3).outputs(["en"]) is probe.outputs(["en"])


@pytest.mark.parametrize("early", ["100", (3, 3), (5, 3), (9,), (0, 3), (2.5,), (True, 3)])
def test_looks_that_cannot_be_are_refused(early: Any) -> None:
    """They rise, and end below the budget."""
    with pytest.raises(SettingsError, match="early looks"):
        Settings(budget=9, early_looks=early)


@pytest.mark.parametrize("budget", [1, 14, 100, 101, 150, 300, 301, 450, 10_000])
def test_looks_end_at_the_budget_and_spend_alpha(budget: int) -> None:
    """The parts add up to the whole."""
    planned = looks(budget)
    prompts = [look.prompts for look in planned]

    assert prompts == sorted({*prompts})
    assert prompts[-1] == budget
    assert sum(look.part for look in planned) == pytest.approx(1)
    assert all(look.part > 0 for look in planned)


def test_settings_without_early_looks_have_one() -> None:
    """As in Python, where nobody plans looks."""
    assert planned_looks(Settings(budget=300)) == (PlannedLook(300, 1.0),)
    assert planned_looks(Settings(budget=450, early_looks=(100, 150, 300))) == looks(450)
