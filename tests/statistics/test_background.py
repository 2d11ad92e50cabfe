"""What a reader of a claim that failed is told of the components and the controls behind it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict

from lengthprobe.statistics.background import Background, Fact, background_facts, means_in_words


def _background(
    name: str = "late(tiny-it, en)", controls: Mapping[str, float] | None = None, **parts: float
) -> Background:
    return Background(name, parts, lambda: controls or {})


def _lines(*backgrounds: Background) -> list[str]:
    return [one.line() for one in background_facts(backgrounds)]


def test_largest_parts_first() -> None:
    """The five that are largest, whatever their sign; of equal ones the first by name."""
    background = _background(L0H0=1, L0H1=-7, L1H0=3, L1H1=-3, MLP0=0.12345, MLP1=40, MLP2=2)
    assert _lines(background) == ["largest components: MLP1 +40, L0H1 -7, L1H0 +3, L1H1 -3, MLP2 +2"]


def test_controls() -> None:
    """Each control's mean follows the components."""
    assert _lines(_background(controls={"shuffled": -0.5, "all-plus": 12.3456}, MLP0=1)) == [
        "largest components: MLP0 +1",
        "controls: shuffled -0.5, all-plus +12.3",
    ]


def test_controls_are_asked_when_told_and_once() -> None:
    """A claim that holds pays for no control, one that fails for each of them once."""
    asked: list[str] = []
    background = Background("late", {}, lambda: asked.append("asked") or {})  # type: ignore[func-returns-value]
    assert asked == []
    background_facts([background])
    background_facts([background])
    assert asked == ["asked"]


def test_nothing_to_tell() -> None:
    """Without components or controls there is no line."""
    assert background_facts([_background()]) == []
    assert background_facts([]) == []


def test_two_models_that_differ() -> None:
    """Of a candidate and its reference, the components that moved most are named, the others not."""
    candidate = _background("late(ckpt, en)", L0H0=1, L0H1=2, MLP0=5)
    reference = _background("late(ref, en)", L0H0=1, L0H1=-4, MLP0=6)
    assert _lines(candidate, reference) == [
        "late(ckpt, en): largest components: MLP0 +5, L0H1 +2, L0H0 +1",
        "differ most: L0H1 +2 against -4, MLP0 +5 against +6",
    ]


def test_two_parts_of_one_model() -> None:
    """Late less early heads of one model: the components behind both are told once, other controls apart."""
    late = _background("late", {"shuffled": 3.0}, MLP0=1)
    early = _background("early", {"shuffled": 2.0}, MLP0=1)
    assert _lines(late, early) == [
        "largest components: MLP0 +1",
        "late: controls: shuffled +3",
        "early: controls: shuffled +2",
    ]


def test_figures_of_answers_have_no_sign() -> None:
    """Beside the components of an attribution, whose controls are told apart from them."""
    exact = Background("control", {"L0H0": 1.0}, lambda: {"mean |error|": 0.5}, what="answers")
    late = _background("late", {"shuffled": 3.0}, L0H0=1)
    assert _lines(exact, late) == [
        "largest components: L0H0 +1",
        "control: answers: mean |error| 0.5",
        "late: controls: shuffled +3",
    ]


def test_equal_controls_are_told_once() -> None:
    """Those of an estimate and of its own control."""
    own = _background("late", {"shuffled": 3.0}, MLP0=1)
    shuffled = _background("late[shuffled]", {"shuffled": 3.0}, MLP0=2)
    assert _lines(own, shuffled)[-1] == "controls: shuffled +3"


def test_models_of_other_shapes() -> None:
    """Components that only one of them has are not compared: the largest of each are told."""
    one, other = _background("one", L0H0=1), _background("other", L0H0=2, L1H0=3)
    assert _lines(one, other) == [
        "one: largest components: L0H0 +1",
        "other: largest components: L1H0 +3, L0H0 +2",
    ]


def test_one_of_two_has_nothing() -> None:
    """What the other has is told by its name."""
    assert _lines(_background("one"), _background("other", MLP0=1)) == ["other: largest components: MLP0 +1"]


def test_one_estimate_twice() -> None:
    """What stands in an expression twice is told once."""
    assert len(background_facts([_background(MLP0=1), _background(MLP0=1)])) == 1


def test_in_a_report() -> None:
    """As JSON takes it, which has no number for NaN; a page tells it in the same words."""
    moved = Fact("differ most", "", {"MLP0": (5.0, 0.25), "L0H0": (math.nan, 1.0)})
    found = json.loads(json.dumps(asdict(moved.finite()), allow_nan=False))
    assert found == {"what": "differ most", "of": "", "values": {"MLP0": [5.0, 0.25], "L0H0": [None, 1.0]}}
    assert (
        means_in_words(found["what"], found["values"]) == "MLP0 +5 against +0.25, L0H0 not known against +1"
    )
    assert Fact.from_dict(found) == moved.finite()
