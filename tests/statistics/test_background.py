"""What a reader of a claim that failed is told of the parts and the controls behind it."""

from __future__ import annotations

from collections.abc import Mapping

from lengthprobe.statistics.background import Background, background_lines


def _background(
    name: str = "late(tiny-it, en)", controls: Mapping[str, float] | None = None, **parts: float
) -> Background:
    return Background(name, parts, lambda: controls or {})


def test_largest_parts_first() -> None:
    """The five that are largest, whatever their sign; of equal ones the first by name."""
    background = _background(L0H0=1, L0H1=-7, L1H0=3, L1H1=-3, MLP0=0.12345, MLP1=40, MLP2=2)
    assert background.lines() == [
        "late(tiny-it, en): largest parts: MLP1 +40, L0H1 -7, L1H0 +3, L1H1 -3, MLP2 +2"
    ]


def test_controls() -> None:
    """Each control's mean follows the parts."""
    lines = _background(controls={"shuffled": -0.5, "all-plus": 12.3456}, MLP0=1).lines()
    assert lines == [
        "late(tiny-it, en): largest parts: MLP0 +1",
        "late(tiny-it, en): controls: shuffled -0.5, all-plus +12.3",
    ]


def test_controls_are_asked_when_shown() -> None:
    """A claim that holds pays for no control."""
    asked: list[str] = []
    background = Background("late", {}, lambda: asked.append("asked") or {})  # type: ignore[func-returns-value]
    assert asked == []
    background.lines()
    assert asked == ["asked"]


def test_nothing_to_tell() -> None:
    """Without parts or controls there is no line."""
    assert _background().lines() == []
    assert background_lines([]) == []


def test_two_models_that_differ() -> None:
    """Of a candidate and its reference, the parts that moved most are named, the others not."""
    candidate = _background("late(ckpt, en)", L0H0=1, L0H1=2, MLP0=5)
    reference = _background("late(ref, en)", L0H0=1, L0H1=-4, MLP0=6)
    assert background_lines([candidate, reference]) == [
        "late(ckpt, en): largest parts: MLP0 +5, L0H1 +2, L0H0 +1",
        "late(ref, en): largest parts: MLP0 +6, L0H1 -4, L0H0 +1",
        "differ most: L0H1 +2 against -4, MLP0 +5 against +6",
    ]


def test_two_parts_of_one_model() -> None:
    """Late less early heads of one model: the same parts behind both, none of which differs."""
    late, early = _background("late", MLP0=1), _background("early", MLP0=1)
    assert background_lines([late, early]) == [
        "late: largest parts: MLP0 +1",
        "early: largest parts: MLP0 +1",
    ]


def test_models_of_other_shapes() -> None:
    """Parts that only one of them has are not compared."""
    one, other = _background("one", L0H0=1), _background("other", L0H0=2, L1H0=3)
    assert not any("differ" in line for line in background_lines([one, other]))


def test_one_estimate_twice() -> None:
    """What stands in an expression twice is told once."""
    assert len(background_lines([_background(MLP0=1), _background(MLP0=1)])) == 1
