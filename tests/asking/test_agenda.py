"""Agenda: code is run to learn what it would ask, and asks nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lengthprobe.asking.agenda import Agenda, Lacking, note_only
from lengthprobe.asking.questions import Prove, Score, Write
from lengthprobe.components.names import Ablation, Component
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from tests.test_probe import Recorder

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 8, "cap": 12, "batch_size": 8}
CUT = Ablation(zero=(Component(1, 0),))


@pytest.fixture
def exchange() -> Recorder:
    """What is asked of the checkpoint."""
    return Recorder()


@pytest.fixture
def probe(checkpoints: Callable[..., Path], exchange: Recorder) -> Probe:
    """A probe of the random Llama."""
    return Probe(str(checkpoints("llama")), Settings(**SMALL), exchange=exchange)


def test_what_is_not_answered_ends_the_code_and_is_noted(probe: Probe, exchange: Recorder) -> None:
    """No `except Exception` on the way takes it for a failure."""
    agenda = Agenda()

    def code() -> None:
        with suppress(Exception):
            probe.losses(["The sea is calm."], Ablation())

    with note_only(agenda), pytest.raises(Lacking) as lacking:
        code()

    assert lacking.value.noted
    assert exchange.asked == []
    assert agenda.questions == {probe.subject.memory: {Score(("The sea is calm.",), Ablation()): None}}


def test_what_is_answered_is_there(probe: Probe, exchange: Recorder) -> None:
    """And asked no more."""
    losses = probe.losses(["The sea is calm."], Ablation())
    n = len(exchange.asked)
    agenda = Agenda()

    with note_only(agenda):
        assert probe.losses(["The sea is calm."], Ablation()) == losses

    assert (agenda.questions, len(exchange.asked)) == ({}, n)


def test_a_plan_asks_what_it_notes_and_the_code_comes_further(probe: Probe, exchange: Recorder) -> None:
    """Question by question to the end: the proof, responses, and those of an ablation."""

    def code() -> list[str]:
        with probe.ablated("L1H0") as ablated:
            return [one.text for one in ablated.responses("en")]

    kinds = []
    for _ in range(5):
        agenda = Agenda()
        try:
            with note_only(agenda):
                found = code()
        except Lacking:
            kinds += [type(one) for noted in agenda.questions.values() for one in noted]
            for memory, questions in agenda.groups():
                memory.answer(questions)
        else:
            break

    assert kinds == [Prove, Write]
    n = len(exchange.asked)
    assert found == code()
    assert len(exchange.asked) == n


def test_one_manner_is_asked_together(probe: Probe) -> None:
    """Two languages at once, losses apart from them."""
    memory, agenda = probe.subject.memory, Agenda()
    (english,), (italian,) = (probe.subject.batches(code, 4) for code in ("en", "it"))
    score = Score(("The sea is calm.",), Ablation())
    for one in (english, score, italian):
        with pytest.raises(Lacking):
            agenda.lack(memory, [one])

    assert list(agenda.groups()) == [(memory, [english, italian]), (memory, [score])]


def test_what_would_not_be_kept_is_not_planned(probe: Probe) -> None:
    """Attributions of a block, which only its own probe keeps; the code asks them when it is run."""
    probe.prepare(["en"], traces=True)
    agenda = Agenda()
    with probe.ablated("L1H0") as ablated, note_only(agenda), pytest.raises(Lacking) as lacking:
        ablated.traces("en")

    assert not lacking.value.noted
    assert agenda.questions == {}


def test_attributions_that_nobody_announced_are_not_planned(probe: Probe) -> None:
    """So that the code which asks for them late is told of the prompts answered twice."""
    probe.prepare(["en"])
    assert probe.proof.problem is None
    agenda = Agenda()
    with note_only(agenda), pytest.raises(Lacking) as lacking:
        probe.traces("en")
    assert (lacking.value.noted, agenda.questions) == (False, {})

    probe.traces("en")

    assert [language for _, language in probe.asked_again] == ["en"]


def test_another_thread_asks_for_itself(probe: Probe, exchange: Recorder) -> None:
    """What is planned in one thread hinders no other."""
    found: list[Any] = []
    with note_only(Agenda()):
        thread = threading.Thread(target=lambda: found.append(probe.losses(["The sea is calm."], Ablation())))
        thread.start()
        thread.join()

    assert len(found[0]) == 1
    assert exchange.asked
