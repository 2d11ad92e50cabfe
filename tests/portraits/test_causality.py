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
from lengthprobe.measures.causality.control import control_by_number
from lengthprobe.measures.causality.exact_answers import exact_by_set
from lengthprobe.measures.per_response import key_with_arguments
from lengthprobe.portraits.causality import causes, curve_of
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.statistics.measure_key import MeasureKey


@pytest.fixture(scope="module")
def probe():
    """tiny-it, after 40 prompts a language."""
    made = load("tiny-it", budget=40, cap=40, device_map="cpu")
    made.prepare(traces=True)
    return made


def keys(*estimates):
    """The keys of what a claim has compared, each estimate with the control of the whole model."""
    return {key for one in estimates for key in one.measures} | {MeasureKey("control").of("m", "en", None)}


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
    measured = {
        MeasureKey("control_without", ("heads",)).of("tiny-it", "it", None),
        MeasureKey("control_without", ("2 heads",)).of("tiny-it", "en", None),
        MeasureKey("control_without", ("heads",)).of("tiny-it", "en", [3]),
        MeasureKey("control_without", ("heads",)).of("tiny-base", "en", None),
        MeasureKey("unfaithfulness").of("tiny-it", "en", None),
        MeasureKey("control").of("tiny-it", "en", None),
    }

    assert causes(probe, "en", measured) == {}
    assert list(causes(probe, "it", measured)) == [("causes", "it", "heads", "without")]


@pytest.mark.parametrize(
    "compare",
    [
        lambda less, whole: whole - less > 0.1,
        lambda less, whole: abs(0.5 * whole - less) < whole,
        lambda less, whole: whole > 0.1 * less,
        lambda less, _: -less < -0.5,
    ],
    ids=["difference", "magnitude", "right side", "negative"],
)
def test_measure_is_drawn_wherever_it_stands_in_a_claim(probe, compare):
    """A difference, a multiple and either side of a comparison are of all that they are made of."""
    verdict = compare(control_without(probe, language="en"), control(probe, language="en"))

    assert list(causes(probe, "en", verdict.as_check().measures)) == [("causes", "en", "heads", "without")]


def test_measure_is_drawn_under_any_display_name():
    """Also under one that reads like another measure of another checkpoint."""
    name = "faithfulness(tiny-it, en) - (a, en) > 0.5"
    odd = Probe("tiny-it", Settings(languages=("en",)), display_name=name)
    key = key_with_arguments("control_without", "heads", None, None).of(name, "en", None)

    assert list(causes(odd, "en", {key})) == [("causes", "en", "heads", "without")]
    assert causes(odd, "en", {key.of("tiny-it", "en", None)}) == {}


def test_curve(probe):
    """Control without the first k, for each k; the names of those that are cut."""
    (draw,) = causes(probe, "en", keys(control_without(probe, language="en"))).values()

    found = draw()

    whole = control(probe, language="en")
    assert {name: found[name] for name in ("k", "n", "clusters")} == {
        "k": 4,
        "n": whole.n,
        "clusters": whole.clusters,
    }
    assert found["whole"] == numbers(whole)
    assert list(found["by_k"]) == ["1", "2", "4", "8"]
    assert found["by_k"]["4"] == numbers(control_without(probe, language="en", k=4))
    beside = control_by_number(probe, language="en", kind="heads", sizes=(1, 2, 8))
    for k in (1, 2, 8):
        assert found["by_k"][str(k)] == numbers(beside[k])
    assert found["leading"] == [one.name for one in leading_components(probe, language="en", k=8)]


def test_beside_the_curve(probe):
    """Random sets, the leading MLP alone, and English without it, each as its measure gives it."""
    measured = (
        control_without_random(probe, language="it", kind="mlps"),
        control_with_only(probe, language="it", kind="mlps"),
        control_without(probe, language="en", kind="mlps", found_in="it"),
    )
    every = causes(probe, "it", keys(*measured))
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
    (draw,) = causes(probe, "en", keys(estimate)).values()

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
    key = MeasureKey("control_without_random", ("heads",)).of("tiny-it", "en", None)
    assert causes(probe, "en", {key})["causes", "en", "heads", "random"]() == {}
