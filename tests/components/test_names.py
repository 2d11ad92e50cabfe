"""Components by name, and what is said of them."""

from __future__ import annotations

import pytest

from lengthprobe.components.names import (
    MODES,
    Ablation,
    Component,
    every_component,
    find_components,
)
from lengthprobe.errors import SettingsError

L0H1, L1H0, L2H0, L10H3 = (Component(*place) for place in ((0, 1), (1, 0), (2, 0), (10, 3)))
MLP1, MLP2 = Component(1), Component(2)


def _find(wanted: object) -> tuple[str, ...]:
    """The names of what is found in a model of 12 layers of 4 heads."""
    found = find_components(wanted, n_layers=12, n_heads=4, model="a-model")  # type: ignore[arg-type]
    return tuple(one.name for one in found)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("L3H1", ("L3H1",)),
        ("MLP3", ("MLP3",)),
        ("L11H3", ("L11H3",)),
        ("L3H*", ("L3H0", "L3H1", "L3H2", "L3H3")),
        ("L3", ("L3H0", "L3H1", "L3H2", "L3H3", "MLP3")),
        ("L3H1,MLP3", ("L3H1", "MLP3")),
        (" L3H1 , MLP3, ", ("L3H1", "MLP3")),
        (["L3H1", "MLP3"], ("L3H1", "MLP3")),
        (["L3H1,L0H0", "MLP3"], ("L0H0", "L3H1", "MLP3")),
        (Component(3, 1), ("L3H1",)),
        (Component(3), ("MLP3",)),
        ([Component(3), "L3H1"], ("L3H1", "MLP3")),
        pytest.param(iter(["L3H1", "L2H0"]), ("L2H0", "L3H1"), id="an iterator"),
        ("L10H0,L2H0,MLP1", ("MLP1", "L2H0", "L10H0")),
        ("L3H1,L3H1,L3H*,MLP3,L3", ("L3H0", "L3H1", "L3H2", "L3H3", "MLP3")),
    ],
    ids=str,
)
def test_names(wanted: object, expected: tuple[str, ...]) -> None:
    """Names, alone or several, in whatever order, mean components, each once, layer by layer."""
    assert _find(wanted) == expected


@pytest.mark.parametrize("component", every_component(3, 2), ids=str)
def test_a_component_has_the_name_that_finds_it(component: Component) -> None:
    """Every component is found by its own name."""
    assert find_components(component.name, n_layers=3, n_heads=2, model="a-model") == (component,)


def test_kinds() -> None:
    """A component is a head or an MLP."""
    assert (L0H1.kind, MLP1.kind) == ("head", "mlp")
    assert (str(L0H1), str(MLP1)) == ("L0H1", "MLP1")


def test_every_component() -> None:
    """All of a model are its heads and MLPs, layer by layer."""
    names = [one.name for one in every_component(2, 3)]
    assert names == ["L0H0", "L0H1", "L0H2", "MLP0", "L1H0", "L1H1", "L1H2", "MLP1"]


@pytest.mark.parametrize("name", ["L12H0", "L3H4", "MLP12", "L12", "L12H*", Component(12), Component(3, 4)])
def test_out_of_range(name: object) -> None:
    """A component that the model does not have is refused with the model, its size and its ranges."""
    with pytest.raises(SettingsError, match="is not in a-model, which has 12 layers of 4 heads") as told:
        _find(name)
    assert str(name) in told.value.problem
    assert told.value.fix == "heads are L0H0 to L11H3, MLPs MLP0 to MLP11"


@pytest.mark.parametrize(
    "name",
    [
        *("l3h1", "H1", "L3H", "L3H1H2", "MLP", "MLP3H1", "embedding", "3.1", "L-1H0", "L3H-1", "*", "L*"),
        *("L3H1 L3H2", Component(-1, 0), Component(-1)),
    ],
)
def test_not_a_name(name: object) -> None:
    """What is no name of a component is refused with the forms that are."""
    with pytest.raises(SettingsError, match="is not a name of one") as told:
        _find(name)
    assert told.value.fix == "a head is L3H1, a layer's heads L3H*, an MLP MLP3, a whole layer L3"


@pytest.mark.parametrize(
    "none", ["", ",", [], (), iter(())], ids=["empty", "comma", "list", "tuple", "iterator"]
)
def test_none(none: object) -> None:
    """No component at all is refused: nothing would be ablated."""
    with pytest.raises(SettingsError, match="no component is named, so that nothing would be ablated"):
        _find(none)


def test_order_does_not_count() -> None:
    """Two ablations of the same components are one, in whatever order and however often they are named."""
    one, other = Ablation(zero=(L10H3, MLP2, L2H0)), Ablation(zero=(L2H0, L10H3, MLP2, L10H3))
    assert one == other
    assert hash(one) == hash(other)
    assert one.components == (L2H0, MLP2, L10H3)


def test_two_ways() -> None:
    """A component under two modes is refused: which of them counts is not said."""
    with pytest.raises(SettingsError, match="in two ways: zero L0H1; mean L0H1, L1H0") as told:
        Ablation(zero=(L0H1,), mean=(L0H1, L1H0))
    assert "and_also" in told.value.fix


def test_and_also() -> None:
    """What is added is replaced as it is said last; the rest stays."""
    first = Ablation(zero=(L0H1, L1H0), mean=(MLP1,))
    assert first.and_also([L2H0], "zero") == Ablation(zero=(L0H1, L1H0, L2H0), mean=(MLP1,))
    assert first.and_also([L0H1, MLP1], "resample") == Ablation(zero=(L1H0,), resample=(L0H1, MLP1))
    assert first.and_also([L0H1], "zero") == first
    assert first.and_also([], "mean") == first
    assert first == Ablation(zero=(L0H1, L1H0), mean=(MLP1,)), "the first is as it was"


def test_unknown_mode() -> None:
    """A mode that is not known is refused with those that are."""
    with pytest.raises(SettingsError, match="ablation mode 'noise' is not known") as told:
        Ablation().and_also([L0H1], "noise")
    assert told.value.fix == "mode is one of zero, mean, resample"


def test_with_all() -> None:
    """All that another ablation replaces is replaced as that one says."""
    first = Ablation(zero=(L0H1, L1H0), mean=(MLP1,))
    second = Ablation(mean=(L0H1,), resample=(MLP1, L2H0))
    assert first.with_all(second) == Ablation(zero=(L1H0,), mean=(L0H1,), resample=(MLP1, L2H0))
    assert first.with_all(Ablation()) == Ablation().with_all(first) == first


@pytest.mark.parametrize("mode", MODES)
def test_as_dict(mode: str) -> None:
    """The names by mode, layer by layer, without the modes that replace nothing."""
    assert Ablation(**{mode: (L10H3, MLP1, L2H0)}).as_dict() == {mode: ["MLP1", "L2H0", "L10H3"]}
    assert Ablation().as_dict() == {}


def test_label() -> None:
    """A label tells the modes, and the first components of each."""
    heads = find_components("L1H*,L2H*", n_layers=3, n_heads=4, model="a-model")
    assert Ablation(zero=(L10H3, L2H0)).label == "zero: L2H0, L10H3"
    assert Ablation(zero=heads[:4]).label == "zero: L1H0, L1H1, L1H2, L1H3"
    assert Ablation(zero=heads).label == "zero: L1H0, L1H1, L1H2, L1H3 and 4 more"
    assert Ablation(zero=(L0H1,), resample=(MLP1,)).label == "zero: L0H1; resample: MLP1"
    assert Ablation().label == ""


def test_str() -> None:
    """As text an ablation names every component, so that two that differ have two texts."""
    heads = find_components("L1", n_layers=3, n_heads=4, model="a-model")
    assert str(Ablation(mean=heads, zero=(L0H1,))) == "zero L0H1; mean L1H0, L1H1, L1H2, L1H3, MLP1"
