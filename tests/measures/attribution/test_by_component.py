"""What each component gave to each prompt, and what the components are a share of."""

from __future__ import annotations

import numpy as np
import pytest

from lengthprobe.measures import share
from lengthprobe.measures.attribution.by_component import ByComponent, estimate_of
from lengthprobe.measures.attribution.component_groups import late_heads
from lengthprobe.statistics.halves import second_half
from lengthprobe.task.languages import load_language
from lengthprobe.task.prompts import Prompt
from tests.measures.attributed import Attributed

LAYERS, HEADS = 5, 2


def some(n=3):
    """Random contributions to n prompts, the first layers' negative on average."""
    draw = np.random.default_rng(4)
    lean = np.linspace(-3, 5, LAYERS)
    return ByComponent(
        prompts=[Prompt(f"p{at}", "en", 3, f"t{at}", "imperative", "Write") for at in range(n)],
        notes=[f"note {at}" for at in range(n)],
        heads=draw.normal(size=(n, LAYERS, HEADS)) + lean[None, :, None],
        mlps=draw.normal(size=(n, LAYERS)) + lean,
    )


def estimated(by_component, **options):
    """The estimate of the late heads."""
    probe = Attributed(())
    return estimate_of(probe, by_component, late_heads, name="late", language="en", lengths=None, **options)


def test_whole_is_the_cross_fitted_size_of_all_components():
    """Heads and MLPs, each with the sign of its mean on the other half of the topics (METHODS §3)."""
    by_component = some(12)
    second = second_half(f"t{at}" for at in range(12))
    for at in range(12):
        others = [i for i in range(12) if (f"t{i}" in second) is not (f"t{at}" in second)]
        by_hand = sum(
            np.sign(by_component.heads[others, layer, head].mean()) * by_component.heads[at, layer, head]
            for layer in range(LAYERS)
            for head in range(HEADS)
        )
        by_hand += sum(
            np.sign(by_component.mlps[others, layer].mean()) * by_component.mlps[at, layer]
            for layer in range(LAYERS)
        )
        assert by_component.whole[at] == pytest.approx(by_hand)


def test_components_by_name():
    """A head is called by its layer and its place in it, an MLP by its layer."""
    by_component = some()
    assert len(by_component.by_name) == LAYERS * HEADS + LAYERS
    assert by_component.by_name["L3H1"] == pytest.approx(by_component.heads[:, 3, 1].mean())
    assert by_component.by_name["MLP4"] == pytest.approx(by_component.mlps[:, 4].mean())


def test_estimate_is_over_prompts():
    """One value a prompt, with its topic and note, in logits; the smallest are the worst."""
    by_component = some()
    found = estimated(by_component)
    assert [one.value for one in found.observations] == pytest.approx(late_heads(by_component))
    assert [(one.prompt_id, one.topic, one.note) for one in found.observations] == [
        ("p0", "t0", "note 0"),
        ("p1", "t1", "note 1"),
        ("p2", "t2", "note 2"),
    ]
    assert (found.name, found.unit, found.worst) == ("late(model, en)", "logits", "far")


def test_share_is_of_all_components():
    """A share relates the mean to the whole."""
    by_component = some()
    assert share(estimated(by_component)).mean == pytest.approx(
        late_heads(by_component).mean() / by_component.whole.mean()
    )


def test_share_of_another_whole():
    """A control is related to the whole of what it controls, so that the two can be compared."""
    own, control = some(), some()
    control.heads[:] *= 0.5
    one, other = estimated(own), estimated(control, whole=own)
    expected = (late_heads(own).mean() - late_heads(control).mean()) / own.whole.mean()
    assert share(one - other).mean == pytest.approx(expected)


def test_no_prompts():
    """Where no prompt is left nothing is decided, as for every measure, and no warning is given."""
    found = estimated(some(0), controls=lambda: {"shuffled": 1 / 0})
    for claim in (found > 0, share(found) > 0.02):
        assert claim.status == "undecided"
        assert "no prompt was measured" in str(claim)


def test_background():
    """A reader of a claim that failed is told of the components, and of the controls when he asks."""
    told = []
    by_component = some()
    (background,) = estimated(
        by_component, controls=lambda: told.append("asked") or {"shuffled": 1.0}
    ).background
    assert (background.name, told) == ("late(model, en)", [])
    assert background.components == by_component.by_name
    assert background.controlled == {"shuffled": 1.0}
    assert told == ["asked"]


def test_topics():
    """As many as the language has: 150, and the wording that has none."""
    assert estimated(some()).topics == load_language("en").n_topics == 601
