"""Component groups: which heads and MLPs belong together under a name, and names that no group has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.measures import cwa, number_swap, stop_cwa
from lengthprobe.measures.attribution.by_component import ByComponent
from lengthprobe.measures.attribution.component_groups import COMPONENT_GROUPS, group_of
from tests.measures.attributed import Attributed, attributed
from tests.measures.attribution.test_by_component import HEADS, LAYERS, some


def values_of(component, by_component):
    """The values of a group under its name."""
    return group_of(component, Attributed(()))(by_component)


@pytest.mark.parametrize(
    ("component", "of_layer"),
    # Of five layers the last ⌈5/4⌉ = 2 are late, the first ⌊5/4⌋ = 1 is early.
    [
        ("late heads", [0, 0, 0, 1, 1]),
        ("early heads", [2, 0, 0, 0, 0]),  # as if there were as many of them as late ones
        ("rise of heads", [-2 / 3, -2 / 3, -2 / 3, 1, 1]),
    ],
)
def test_heads(component, of_layer):
    """The heads of some layers, each layer's added up, with the weights of METHODS §3."""
    by_component = some()
    found = values_of(component, by_component)
    for at in range(3):
        by_hand = sum(
            of_layer[layer] * by_component.heads[at, layer, head]
            for layer in range(LAYERS)
            for head in range(HEADS)
        )
        assert found[at] == pytest.approx(by_hand)


@pytest.mark.parametrize(("component", "layer"), [("final MLP", 4), ("early MLPs", 0)])
def test_mlps(component, layer):
    """The last layer's MLP, and those of the early layers, of which there is one here."""
    by_component = some()
    assert values_of(component, by_component).tolist() == by_component.mlps[:, layer].tolist()


def test_early_components_of_eight_layers():
    """Of eight layers two are late and two early: as many heads, and an MLP on average over two."""
    by_component = ByComponent(
        [], [], np.arange(8.0)[None, :, None] * np.ones((1, 8, 3)), np.arange(8.0)[None]
    )
    assert values_of("late heads", by_component).tolist() == [(6 + 7) * 3]
    assert values_of("early heads", by_component).tolist() == [(0 + 1) * 3]
    assert values_of("early MLPs", by_component).tolist() == [0.5]


def test_names():
    """The groups of the paper, and their controls."""
    assert list(COMPONENT_GROUPS) == ["late heads", "early heads", "rise of heads", "final MLP", "early MLPs"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("late_heads", "late heads"), ("early mlps", "early MLPs"), ("final MLPs", "final MLP")],
)
def test_unknown_name_is_refused_with_the_nearest(typed, meant):
    """Nothing is asked; the fix is a line to type, with the other names after it."""
    with pytest.raises(SettingsError, match=f'component="{typed}" is no group of components') as raised:
        group_of(typed, Attributed(()))
    assert raised.value.fix.startswith(f'component="{meant}", or "')
    assert all(f'"{name}"' in raised.value.fix for name in COMPONENT_GROUPS)


@pytest.mark.parametrize("component", [None, 3, ["late heads"]])
def test_name_that_is_no_text_is_refused(component):
    """As any name that no group has."""
    with pytest.raises(SettingsError, match="is no group of components"):
        group_of(component, Attributed(()))


@pytest.mark.parametrize("measure", [cwa, stop_cwa, number_swap])
def test_each_measure_refuses_an_unknown_name(measure):
    """Before any response is asked for: this probe has none to give."""
    with pytest.raises(SettingsError, match='component="late head"'):
        measure(None, component="late head", language="en")


@pytest.mark.parametrize("measure", [cwa, stop_cwa])
@pytest.mark.parametrize("component", COMPONENT_GROUPS)
def test_expression_names_the_group(measure, component):
    """So that a group reads differently from any other."""
    found = measure(attributed((3, 3), (4, 4)), component=component, language="en")
    assert found.name == f"{measure.__name__}[{component}](model, en)"


def test_rise_of_heads_presupposes_a_layer_before_the_late_ones():
    """A checkpoint of one layer is named."""
    by_component = some()
    shallow = replace(by_component, heads=by_component.heads[:, :1], mlps=by_component.mlps[:, :1])
    with pytest.raises(ModelError, match="model has one layer, which is a late one"):
        values_of("rise of heads", shallow)
    assert values_of("late heads", shallow).tolist() == values_of("early heads", shallow).tolist()
