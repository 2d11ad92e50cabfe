"""Scanning: what is found, what it costs, and that it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lengthprobe.components.names import Ablation, Component
from lengthprobe.errors import ModelError
from lengthprobe.probe import Probe
from lengthprobe.scan.command import scan
from lengthprobe.scan.partial_scan import PartialScan, read_partial_scan
from lengthprobe.scan.plan import Plan
from lengthprobe.scan.scanning import Scan
from tests.scan.conftest import SETTINGS
from tests.thinkers import SWITCHED, thinker

Scanned = Callable[..., Any]


def test_finds_the_planted_head(scanned: Scanned, plan: Plan) -> None:
    """tiny-it stops by one late head in English, and reads words in its first MLP."""
    found, _ = scanned(plan)

    assert {one.component for one in found.top} == {"L4H0", "MLP0"}
    assert all(one.fall.mean > 0.8 for one in found.top)
    assert (found.exact, found.others, len(found.sample)) == (1.0, 23, 2)


def test_effects_are_those_of_ablated_probes(probe: Probe, scanned: Scanned, plan: Plan) -> None:
    """A component's effect is what ablating it alone does to the same prompts."""
    found, kept = scanned(replace(plan, top=3))

    prompts = plan.asked(probe.settings)
    for one in found.top:
        layer, _, head = one.component.removeprefix("L").partition("H")
        cut = (
            Component(int(one.component.removeprefix("MLP")))
            if one.component.startswith("MLP")
            else Component(int(layer), int(head))
        )
        responses = probe.under([(prompt, Ablation(zero=(cut,))) for prompt in prompts])
        answers = kept.answers[one.component]
        assert [answers[each.prompt.id][2] for each in responses] == [
            len(each.token_ids) + 1 for each in responses
        ]


def test_full_ablates_everything(scanned: Scanned, plan: Plan) -> None:
    """Every component, on every prompt; the top are the first of all."""
    found, kept = scanned(replace(plan, prompts=4, full=True, sample=0))

    assert len(found.every) == 25
    assert all(len(answers) == 4 for answers in kept.answers.values())
    assert found.top == found.every[:2]
    strengths = [one.strength for one in found.every]
    assert strengths == sorted(strengths, reverse=True)
    # Nothing is left to be found: no answer is forced, none is drawn by chance.
    assert (kept.foretold, found.sample, found.others) == ({}, (), 0)
    assert set(kept.cost) == {"attribution", "gradient", "finding", "measuring"}


def test_most_components_never_write(scanned: Scanned, plan: Plan) -> None:
    """Those that neither estimates nor chance chose have no answer."""
    found, kept = scanned(plan)

    assert len(kept.answers) < 10
    assert set(kept.foretold) == {f"L{at}H{head}" for at in range(5) for head in range(4)} | {
        f"MLP{at}" for at in range(5)
    }
    assert {one.component for one in found.every} <= set(kept.answers)


def test_strong_component_that_was_drawn_is_found(
    scanned: Scanned, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the estimates miss, chance may find: it is measured, ranked, and said."""
    blind = Scan._likely
    monkeypatch.setattr(Scan, "_likely", lambda self: [*blind(self), Component(3, 1)][-1:])

    found, _ = scanned(replace(plan, top=1, sample=24))

    assert {one.name for one in found.strong} >= {"L4H0", "MLP0"}
    assert found.top[0].component in ("L4H0", "MLP0")


def test_draw_hangs_on_the_seed(scanned: Scanned, plan: Plan) -> None:
    """The same seed draws the same."""
    first, kept = scanned(plan)
    again, _ = scanned(plan, kept)
    assert first.sample == again.sample


class TestInterrupted:
    """A scan that stops goes on where it was."""

    def test_is_the_same_and_asks_nothing_twice(self, probe: Probe, plan: Plan, tmp_path: Path) -> None:
        """Stopped after any step, it costs what it would have cost and finds what it would have found."""
        path = tmp_path / "answers.json"
        whole = PartialScan({})
        expected = Scan(probe, plan, whole, lambda *_: None).run()
        steps = 0

        def stop(_what: str, done: int, total: int) -> None:
            nonlocal steps
            steps += 1
            if done < total and steps % 3 == 0:
                raise KeyboardInterrupt

        for _ in range(40):
            kept = read_partial_scan(path, {})
            try:
                found = Scan(probe, plan, kept, stop).run()
                break
            except KeyboardInterrupt:
                continue

        assert [one.as_dict() for one in found.top] == [one.as_dict() for one in expected.top]
        assert (found.sample, found.strong) == (expected.sample, expected.strong)
        assert (kept.answers, kept.foretold, kept.cost) == (whole.answers, whole.foretold, whole.cost)

    def test_finished_scan_asks_nothing(self, probe: Probe, plan: Plan, tmp_path: Path) -> None:
        """Its report is made again from what was kept."""
        first = scan(probe, plan, tmp_path)
        told: list[str] = []
        again = scan(probe, plan, tmp_path, lambda what, _done, _total: told.append(what))
        assert (again, told) == (first, [])

    def test_more_prompts_go_on_from_fewer(self, probe: Probe, plan: Plan, tmp_path: Path) -> None:
        """The prompts are the first of the same stream, and their answers stay."""
        scan(probe, replace(plan, prompts=4), tmp_path)
        kept = read_partial_scan(tmp_path / "scan.answers.json", _asked(tmp_path))
        before = {(name, one) for name, some in kept.answers.items() for one in some}
        told: dict[str, int] = {}
        scan(probe, plan, tmp_path, lambda what, _done, total: told.update({what: total}))
        after = read_partial_scan(tmp_path / "scan.answers.json", _asked(tmp_path)).answers
        assert before <= {(name, one) for name, some in after.items() for one in some}
        assert told["whole model"] == 2


def test_model_that_is_never_exact_is_refused(plan: Plan) -> None:
    """There is nothing to lose: its base runs on."""
    with pytest.raises(ModelError, match="none of 6 prompts in 'en' exactly"):
        scan(Probe("tiny-base", SETTINGS), plan)


def test_model_of_unknown_parts_is_refused(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """As wherever components are measured."""
    monkeypatch.setattr("lengthprobe.components.anatomy.ARCHITECTURES", {})
    with pytest.raises(ModelError, match="where it keeps its components is not known"):
        scan(Probe("tiny-it", SETTINGS), plan)


def test_unfinished_thoughts_are_told_apart_from_wrong_lengths(plan: Plan, tmp_path: Path) -> None:
    """Allowed, an endless thought is named; off, the same checkpoint answers."""
    directory = thinker(tmp_path / "thinker", SWITCHED, endless=True)

    with pytest.raises(ModelError, match="answers in 'en' are an unfinished thought") as raised:
        scan(Probe(str(directory), replace(SETTINGS, thinking="allow")), plan)

    assert raised.value.fix.startswith("--lengthprobe-thinking=off")
    assert scan(Probe(str(directory), SETTINGS), plan)["top"]


def _asked(folder: Path) -> Any:
    import json

    return json.loads((folder / "scan.answers.json").read_text())["asked"]
