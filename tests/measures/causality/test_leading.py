"""Leading components, found on discovery topics alone; and random ones beside them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import pytest
import torch

from lengthprobe import load
from lengthprobe.components.names import Component
from lengthprobe.errors import SettingsError
from lengthprobe.measures import leading_components
from lengthprobe.measures.causality.leading import relative_length, similar_sets
from lengthprobe.task.prompts import split_of

PLANTED = {"L3H0", "L3H2", "L4H0", "L4H2"}


@pytest.fixture(scope="module")
def probe():
    """tiny-it, after 40 prompts a language."""
    made = load("tiny-it", budget=40, device_map="cpu")
    made.prepare(traces=True)
    return made


class Spoiled:
    """A probe whose attributions on the topics of one half are turned round."""

    def __init__(self, probe, split):
        self._probe, self._split = probe, split

    def __getattr__(self, name):
        return getattr(self._probe, name)

    def traces(self, language):
        """The traces, those of the half with every head's contribution turned round."""
        return tuple(map(self._turned, self._probe.traces(language)))

    def _turned(self, one):
        if split_of(one.response.prompt) != self._split:
            return one
        token = replace(one.trace.token, heads=-one.trace.token.heads)
        return replace(one, trace=replace(one.trace, token=token))


def test_planted_heads_lead(probe):
    """By default as many heads as one layer has: in tiny-it's English, those that were trained to."""
    assert {one.name for one in leading_components(probe, language="en")} == PLANTED


def test_planted_mlp_leads(probe):
    """By default one MLP: in tiny-it's Italian, the last, though another writes more of the words."""
    assert leading_components(probe, language="it", kind="mlps") == (Component(4),)


def test_the_highest_first(probe):
    """Fewer of them are the first of more."""
    more = leading_components(probe, language="en", k=6)
    assert leading_components(probe, language="en", k=2) == more[:2]
    assert len(set(more)) == 6


def test_test_topics_do_not_choose(probe):
    """What the components do on test topics has no say in which of them lead."""
    assert leading_components(Spoiled(probe, "test"), language="en") == leading_components(
        probe, language="en"
    )
    assert leading_components(Spoiled(probe, "discovery"), language="en") != leading_components(
        probe, language="en"
    )


@pytest.mark.parametrize(("kind", "k"), [("heads", 0), ("heads", 21), ("mlps", 6), ("layers", 1)])
def test_what_cannot_be_chosen(probe, kind, k):
    """A kind that is none, or more than there are, is refused with what there is."""
    with pytest.raises(SettingsError, match=r"cannot be chosen|is not known"):
        leading_components(probe, language="en", kind=kind, k=k)


def sized(heads, mlps):
    """A probe of which only the sizes of its components are known."""
    outputs = SimpleNamespace(heads=torch.tensor(heads), mlps=torch.tensor(mlps))
    proof = SimpleNamespace(n_layers=len(heads), n_heads=len(heads[0]))
    return SimpleNamespace(outputs=lambda _languages: outputs, proof=proof, settings=SimpleNamespace(seed=0))


def test_sets_of_similar_size():
    """Of four others each, together from half to twice as long as the chosen, from any layer."""
    lengths = [[1.0, 2.0, 4.0, 8.0], [16.0, 32.0, 64.0, 128.0], [11.0, 0.5, 0.25, 0.125]]
    probe = sized(lengths, [1.0, 1.0, 1.0])
    chosen = [Component(2, 0), Component(0, 0), Component(0, 1), Component(0, 2)]
    found = similar_sets(probe, chosen, language="en")
    size = 11 + 1 + 2 + 4
    assert all(len(set(names)) == 4 and not set(names) & set(chosen) for names in found)
    every = [sum(lengths[one.layer][one.head] for one in names) for names in found]
    assert all(size / 2 <= one <= size * 2 for one in every)
    # Of 8 others: 16 or 8 with three of the rest that stay below 36, by hand.
    others = [8.0, 16.0, 32.0, 64.0, 128.0, 0.5, 0.25, 0.125]
    fit = [some for some in combinations(others, 4) if size / 2 <= sum(some) <= size * 2]
    assert len(found) == min(20, len(fit))


def test_sets_are_drawn_by_chance():
    """Not the largest ones alone, where the chosen are the largest: another seed draws others."""
    probe = sized([[8.0] * 4, [5.0, 6.0, 7.0, 5.5], [6.5, 7.5, 5.2, 6.1], [5.9, 6.3, 7.1, 6.6]], [1.0] * 4)
    chosen = [Component(0, head) for head in range(4)]
    first = similar_sets(probe, chosen, language="en")
    probe.settings.seed = 1
    assert len(first) == 20
    assert set(similar_sets(probe, chosen, language="en")) != set(first)
    often = Counter(one for names in first for one in names)
    assert set(often) == {Component(layer, head) for layer in (1, 2, 3) for head in range(4)}


@pytest.mark.parametrize("length", [0.49, 2.01])
def test_none_of_similar_size(length):
    """Where all others are smaller, or larger, there is no set."""
    probe = sized([[1.0] * 4, [length] * 4], [1.0, 1.0])
    assert similar_sets(probe, [Component(0, head) for head in range(4)], language="en") == ()


def test_a_set_that_is_not_of_similar_size_is_left_out():
    """Next to nothing costs nothing, whatever the mean over sets is."""
    probe = sized([[1.0]] * 5, [1.0, 0.05, 3.0, 0.6, 0.05])
    assert similar_sets(probe, [Component(0)], language="en") == ((Component(3),),)


def test_twenty_single_ones():
    """In place of one MLP of many stand twenty, the nearest in size."""
    probe = sized([[1.0]] * 32, [1.0 + 0.01 * layer for layer in range(32)])
    found = similar_sets(probe, [Component(31)], language="en")
    assert {one.layer for (one,) in found} == set(range(11, 31))


def test_all_there_are():
    """Where there are fewer than twenty sets, all of them; MLPs for MLPs."""
    probe = sized([[1.0, 1.0]] * 5, [1.0] * 5)
    found = similar_sets(probe, [Component(4)], language="en")
    assert set(found) == {(Component(layer),) for layer in range(4)}


def test_the_same_sets_again(probe):
    """The same seed draws the same sets."""
    chosen = leading_components(probe, language="en")
    found = similar_sets(probe, chosen, language="en")
    assert similar_sets(probe, chosen, language="en") == found


def test_each_is_replaced_by_one_of_its_size():
    """Where others of every size are there, a set has one of each chosen one's size: no sum of odd sizes."""
    sizes = [float(2**power) for power in range(6) for _ in range(12)]
    probe = sized([sizes[start : start + 12] for start in range(0, 72, 12)], [1.0] * 6)
    chosen = [Component(5, 0), Component(3, 0)]
    for names in similar_sets(probe, chosen, language="en"):
        assert sorted(one.layer for one in names) == [3, 5]


def test_how_long_the_sets_are():
    """The sets' outputs together, on average, as a share of those of the chosen ones."""
    probe = sized([[4.0, 2.0, 1.0, 3.0]], [1.0])
    sets = [(Component(0, 1),), (Component(0, 2),)]
    assert relative_length(probe, [Component(0, 0)], sets, language="en") == (2 + 1) / 2 / 4


def test_components_that_put_out_nothing():
    """Beside components that were cut, any are as large."""
    probe = sized([[0.0, 2.0]], [1.0])
    assert relative_length(probe, [Component(0, 0)], [(Component(0, 1),)], language="en") == 1.0


def test_sizes_are_of_the_language(probe):
    """The sets hang on how large outputs are in the language, and on no other that is asked in."""
    alone = load("tiny-it", budget=40, languages=("en",), device_map="cpu")
    chosen = leading_components(probe, language="en")
    assert similar_sets(alone, chosen, language="en") == similar_sets(probe, chosen, language="en")


def test_not_as_many_others():
    """Random sets are of as many components as were chosen, or there are none: what can be asked is said."""
    probe = SimpleNamespace(**vars(sized([[1.0, 2.0, 3.0]], [1.0])), name="one-layer")
    with pytest.raises(SettingsError, match="1 other heads, to be compared with 2") as raised:
        similar_sets(probe, [Component(0, 0), Component(0, 1)], language="en")
    assert raised.value.fix == "k=1 or fewer"
    with pytest.raises(SettingsError, match="0 other MLPs") as raised:
        similar_sets(probe, [Component(0)], language="en")
    assert raised.value.fix == "a model of more than one layer"
