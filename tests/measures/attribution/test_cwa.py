"""Cumulative Weighted Attribution of made-up attributions: plain loops, and every control."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lengthprobe import load
from lengthprobe.attribution.cumulative import shuffled_lengths
from lengthprobe.attribution.trace import Trace
from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.margins import AlphaShares
from lengthprobe.measures import cwa, leading_components, share
from lengthprobe.measures.attribution.component_groups import (
    early_heads,
    early_mlps,
    final_mlp,
    late_heads,
    rise_of_heads,
)
from lengthprobe.measures.attribution.cwa import cwa_by_component
from lengthprobe.settings import Settings
from tests.measures.attributed import attributed, late_heads_by_hand, signs_by_hand

# Exact, too long, too short, cut off while too long, cut off while short enough.
PAIRS = [(3, 3), (3, 5), (4, 2), (3, 6), (9, 4), (4, 4), (3, 3)]
CUT_OFF = (3, 4)


@pytest.fixture
def probe():
    """A probe with made-up attributions."""
    return attributed(*PAIRS, cut_off=CUT_OFF)


def test_tokens_that_do_not_adhere_count_against(probe, values):
    """Responses that are too long, too short, and cut off."""
    expected = [
        late_heads_by_hand(one, signs_by_hand(one, one.response.prompt.n_words, one.adherence.counts))
        for one in probe.every
    ]
    assert values(cwa(probe, component="late heads", language="en")) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("component", "group"),
    [
        ("late heads", late_heads),
        ("early heads", early_heads),
        ("rise of heads", rise_of_heads),
        ("final MLP", final_mlp),
        ("early MLPs", early_mlps),
    ],
)
@pytest.mark.parametrize("signs", ["adherence", "shuffled", "all-plus"])
def test_every_group(probe, values, component, group, signs):
    """Each group is a part of the same sums, under each of the signs."""
    expected = group(cwa_by_component(probe, "en", signs=signs))
    found = cwa(probe, component=component, language="en", signs=signs)
    assert values(found) == pytest.approx(expected)


def test_heads_of_one_layer_rise_from_nowhere(probe):
    """There is no mean over no layers; what else is measured of such a model is defined."""

    def first_layer(one):
        return replace(one, heads=one.heads[:, :1], mlps=one.mlps[:, :1])

    shallow = tuple(
        replace(one, trace=Trace(first_layer(one.trace.token), first_layer(one.trace.stop)))
        for one in probe.every
    )
    probe = replace(probe, every=shallow, name="shallow")
    with pytest.raises(ModelError, match="shallow has one layer, which is a late one"):
        cwa(probe, component="rise of heads", language="en")
    assert (
        cwa(probe, component="late heads", language="en").mean
        == cwa(probe, component="early heads", language="en").mean
    )


def test_mlps_are_summed_as_heads_are(probe):
    """Σ_t s_t · DLA of an MLP."""
    one = probe.every[1]
    signs = signs_by_hand(one, 3, one.adherence.counts)
    by_hand = sum(sign * float(one.trace.token.mlps[step, 4]) for step, sign in enumerate(signs))
    assert cwa_by_component(probe, "en").mlps[1, 4] == pytest.approx(by_hand)


def test_all_plus(probe, values):
    """The control in which every token counts for."""
    expected = [late_heads_by_hand(one, [1] * len(one.adherence.counts)) for one in probe.every]
    assert values(cwa(probe, component="late heads", language="en", signs="all-plus")) == pytest.approx(
        expected
    )


def test_shuffled(probe, values):
    """The control in which every response is held to another prompt's N."""
    others = shuffled_lengths([n_words for n_words, _ in PAIRS])
    expected = [
        late_heads_by_hand(one, signs_by_hand(one, other, one.adherence.counts))
        for one, other in zip(probe.every, others, strict=True)
    ]
    assert values(cwa(probe, component="late heads", language="en", signs="shuffled")) == pytest.approx(
        expected
    )


def test_unknown_signs(probe):
    """A control that nobody knows is refused with those that are known."""
    with pytest.raises(ValueError, match="'minus' is none of adherence, shuffled, all-plus"):
        cwa(probe, component="late heads", language="en", signs="minus")


def test_per_step(probe, values):
    """The mean over a response's steps, the end token's with them."""
    sums = values(cwa(probe, component="late heads", language="en"))
    steps = [2 * words + (place not in CUT_OFF) for place, (_, words) in enumerate(PAIRS)]
    expected = [total / count for total, count in zip(sums, steps, strict=True)]
    assert values(cwa(probe, component="late heads", language="en", per_step=True)) == pytest.approx(expected)


@pytest.mark.parametrize("signs", ["adherence", "shuffled"])
def test_lengths(probe, values, signs):
    """Prompts that ask for some lengths only; a shuffled length is any prompt's, selected or not."""
    every = values(cwa(probe, component="late heads", language="en", signs=signs))
    chosen = [every[place] for place, (n_words, _) in enumerate(PAIRS) if n_words in (3, 9)]
    assert values(
        cwa(probe, component="late heads", language="en", signs=signs, lengths=[3, 9])
    ) == pytest.approx(chosen)


def test_no_prompt_of_a_length(probe):
    """A length that no prompt asks for decides nothing."""
    three = cwa(probe, component="late heads", language="en", lengths=[12])
    assert (three.n, (share(three) > 0.02).status) == (0, "undecided")


def test_a_control_has_the_whole_of_what_it_controls(probe):
    """So that their difference is a share: of the whole of CWA with the signs of adherence."""
    own = cwa(probe, component="late heads", language="en")
    control = cwa(probe, component="late heads", language="en", signs="shuffled")
    whole = cwa_by_component(probe, "en").whole.mean()
    assert share(own - control).mean == pytest.approx((own.mean - control.mean) / whole)


def test_prompts_and_topics_are_those_asked(probe):
    """So that two models' estimates pair by prompt."""
    found = cwa(probe, component="late heads", language="en")
    assert [(one.prompt_id, one.topic) for one in found.observations] == [
        (f"p{place}", f"t{place}") for place in range(len(PAIRS))
    ]
    assert found.observations[3].note == (
        "asked 3, wrote 6, cut off: 'Write 3 words' → 'word word word word word word'"
    )


def test_alpha_and_its_shares_are_the_probes(probe):
    """An estimate knows how sure it must be."""
    strict = replace(probe, settings=Settings(alpha=0.01), alpha_shares=AlphaShares(33, 14))
    found = cwa(strict, component="late heads", language="en")
    assert (found.alpha, found.alpha_shares) == (0.01, 14)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "cwa[late heads](model, en)"),
        ({"signs": "shuffled"}, "cwa[late heads, shuffled](model, en)"),
        ({"per_step": True, "lengths": [3, 4]}, "cwa[late heads, per step](model, en, N=3–4)"),
    ],
)
def test_name_says_how_it_was_taken(options, name):
    """A control reads differently from what it controls."""
    probe = attributed((3, 3), (4, 4))
    assert cwa(probe, component="late heads", language="en", **options).name == name


def test_name_says_the_cap_that_decided(probe):
    """Where the cap ended a response it decides how far that ran on; where it ended none it is not named."""
    assert cwa(probe, component="late heads", language="en").name == "cwa[late heads, cap 100](model, en)"
    assert (
        cwa(probe, component="late heads", language="en", lengths=[4]).name
        == "cwa[late heads](model, en, N=4)"
    )


def test_controls_are_told_with_a_claim_that_failed(probe):
    """Their means, of the component that the claim is about, and of early components."""
    found = cwa(probe, component="late heads", language="en", lengths=[3, 4])
    (background,) = found.background
    parts = cwa_by_component(probe, "en", lengths=[3, 4])
    exact = [
        place
        for place, pair in enumerate([(3, 3), (3, 5), (4, 2), (3, 6), (4, 4), (3, 3)])
        if len({*pair}) == 1
    ]

    def mean(**options):
        return cwa(probe, component="late heads", language="en", lengths=[3, 4], **options).mean

    assert background.controls() == pytest.approx(
        {
            "shuffled": mean(signs="shuffled"),
            "all-plus": mean(signs="all-plus"),
            "exact answers only": late_heads(parts)[exact].mean(),
            "early layers' heads": early_heads(parts).mean(),
            "early layers' MLPs": early_mlps(parts).mean(),
        }
    )
    assert background.components == parts.by_name


def test_no_exact_answer():
    """The control of exact answers is left out where there is none; one that the cap ended is none."""
    probe = attributed((3, 5), (4, 4), cut_off=[1])
    (background,) = cwa(probe, component="late heads", language="en").background
    assert "exact answers only" not in background.controls()


def test_one_length_has_no_control():
    """Where all prompts ask for the same length there is no other to take: refused, and no zero shown."""
    one = load("tiny-it", budget=6, lengths=(5,), languages=("en",), device_map="cpu")
    for ask in (
        lambda: cwa(one, component="late heads", language="en", signs="shuffled"),
        lambda: leading_components(one, language="en"),
    ):
        with pytest.raises(SettingsError, match="all prompts in 'en' ask for 5 words") as raised:
            ask()
        assert raised.value.fix == "--lengthprobe-lengths=3-9, or any two lengths"
    plain = cwa(one, component="late heads", language="en")
    assert "shuffled" not in plain.background[0].controlled
