"""What the figures show of causes: the numbers of the measures."""

from __future__ import annotations

import json
import sys

import pytest

from lengthprobe import load
from lengthprobe.components.names import Ablation, Component
from lengthprobe.measures import (
    control,
    control_with_only,
    control_without,
    control_without_random,
    faithfulness,
    leading_components,
)
from lengthprobe.measures.causality.exact_answers import exact_by_set
from lengthprobe.portraits.causality import causes, curve_of


@pytest.fixture(scope="module")
def probe():
    """tiny-it, after 40 prompts a language."""
    made = load("tiny-it", budget=40, cap=40, device_map="cpu")
    made.prepare(traces=True)
    return made


def names(*expressions):
    """What claims have compared, with another measure beside it."""
    return [f"1 - {one} > 0.1" for one in expressions]


def numbers(estimate):
    """What is drawn of an estimate."""
    return pytest.approx([estimate.mean, estimate.low, estimate.high])


@pytest.mark.parametrize(
    ("n", "k", "sizes"),
    [
        (20, 4, (1, 2, 4, 8)),
        (5, 1, (1, 2)),
        (1, 1, (1,)),
        (24, 12, (1, 2, 4, 8, 12)),
        (1024, 32, (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)),
    ],
)
def test_points_of_the_curve(n, k, sizes):
    """Doubling up to half of all components, and what the claim takes."""
    assert curve_of(n, k) == sizes


def test_nothing_is_drawn_that_no_claim_has_measured(probe):
    """Neither of other languages and kinds, nor of measures that are called alike."""
    said = names("control_without[heads](tiny-it, it)", "unfaithfulness(tiny-it, en)", "control(tiny-it, en)")

    assert causes(probe, "en", said) == {}
    assert list(causes(probe, "it", said)) == [("causes", "it", "heads", "without")]


def test_curve(probe):
    """Control without the first k, for each k; the names of those that are cut."""
    said = names(control_without(probe, language="en").name)
    (draw,) = causes(probe, "en", said).values()

    found = draw()

    whole = control(probe, language="en")
    assert {name: found[name] for name in ("k", "n", "clusters")} == {
        "k": 4,
        "n": whole.n,
        "clusters": whole.clusters,
    }
    assert found["whole"] == numbers(whole)
    for k in (1, 2, 4, 8):
        assert found["by_k"][str(k)] == numbers(control_without(probe, language="en", k=k))
    assert found["leading"] == [one.name for one in leading_components(probe, language="en", k=8)]


def test_beside_the_curve(probe):
    """Random sets, the leading MLP alone, and English without it, each as its measure gives it."""
    measured = (
        control_without_random(probe, language="it", kind="mlps"),
        control_with_only(probe, language="it", kind="mlps"),
        control_without(probe, language="en", kind="mlps", found_in="it"),
    )
    every = causes(probe, "it", names(*(one.name for one in measured)))
    place = ("causes", "it", "mlps")
    assert list(every) == [(*place, "random"), (*place, "only"), (*place, "elsewhere", "en")]
    random, only, elsewhere = (draw() for draw in every.values())
    assert random["without"] == numbers(measured[0])
    assert len(random["sets"]) == 4
    assert only["with_only"] == numbers(measured[1])
    assert elsewhere["without"] == numbers(measured[2])
    assert elsewhere["whole"] == numbers(control(probe, language="en"))
    assert random["k"] == only["k"] == elsewhere["k"] == 1
    assert json.loads(json.dumps([random, only, elsewhere], allow_nan=False)) == [random, only, elsewhere]


def test_faithfulness(probe):
    """The correlation, and each component's CWA and effect, as the estimate notes them."""
    estimate = faithfulness(probe, language="en")
    (draw,) = causes(probe, "en", names(estimate.name)).values()

    found = draw()

    assert found["correlation"] == numbers(estimate)
    assert [
        f"{name}: CWA {cwa:+.3g}, |error| {effect:+.2f} words without it"
        for name, (cwa, effect) in found["components"].items()
    ] == [one.note for one in estimate.observations]


def test_exact_answers_set_by_set(probe):
    """Of one set, the share that the measure gives; of several, each over its own prompts."""
    mlp, none = Ablation(zero=(Component(4),)), Ablation()
    without, whole = control_without(probe, language="it", kind="mlps"), control(probe, language="it")

    assert exact_by_set(probe, "it", [mlp]) == (pytest.approx(without.mean),)
    assert exact_by_set(probe, "it", [none, mlp]) == pytest.approx((whole.mean, without.mean))


def test_no_random_sets_of_similar_size(probe, monkeypatch):
    """Then there is nothing to draw beside the curve."""
    monkeypatch.setattr(sys.modules["lengthprobe.portraits.causality"], "similar_sets", lambda *_, **__: ())
    said = names("control_without_random[heads](tiny-it, en)")
    assert causes(probe, "en", said)["causes", "en", "heads", "random"]() == {}
