"""The figures of a report."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from importlib import import_module
from itertools import combinations

import matplotlib as mpl
import pytest
from matplotlib.text import Text

from lengthprobe.reporting.figures import NAMES, by_layer, plates
from lengthprobe.reporting.svg import draw_svg, style

SVG = "{http://www.w3.org/2000/svg}"


def drawn(name, portraits):
    """One of the figures as SVG, None where there is nothing to draw."""
    room = import_module(f"lengthprobe.reporting.figures.{name.removeprefix('cwa_')}")
    with style():
        figure = room.figure(portraits)
        return figure and draw_svg(figure, "figure", "a figure").file


def texts(name, portraits):
    """All that stands in one of the figures, in order."""
    root = ET.fromstring(drawn(name, portraits).encode())
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_there_are_seven(portrait):
    """In the order of the page, each with a title and how it is read."""
    made = plates({"model": portrait()})

    assert [plate.name for plate in made] == list(NAMES)
    assert all(plate.title and plate.caption.endswith(".") for plate in made)


@pytest.mark.parametrize("portraits", [{}, {"model": {"name": "m", "languages": {}}}])
def test_nothing_measured_draws_nothing(portraits):
    """And needs no library."""
    assert plates(portraits) == ()


def test_checkpoints_are_named_with_their_roles(portrait):
    """The one under test goes without saying."""
    portraits = {"model": portrait(), "base": portrait("tiny-base"), "reference": portrait("approved")}

    legend = [text for text in texts("cwa_by_layer", portraits) if "tiny" in text or "approved" in text]
    assert legend == ["tiny-it", "tiny-base (base)", "approved (reference)"]


def test_role_measured_in_fewer_languages_is_drawn_where_it_was(portrait):
    """The other panel has the model alone."""
    shown = texts("head_map", {"model": portrait(), "base": portrait("tiny-base", languages=("it",))})

    assert (shown.count("English"), shown.count("Italian")) == (1, 2)


def test_base_says_the_cap(portrait):
    """Since the cap decides how far below zero a model that runs on comes."""
    assert "cap" not in by_layer.caption({"model": portrait()})
    assert "40 tokens" in by_layer.caption({"model": portrait(), "base": portrait(cap=40)})


def test_small_map_has_its_numbers_and_a_large_one_its_strongest_heads(portrait):
    """Nobody counts to head 31."""
    small, large = (texts("head_map", {"model": portrait("m", n, n, size=8.0)}) for n in (4, 32))

    assert {"+8.0", "+2.7", "strongest L3H0 +8.0, L2H0 +4.0, L3H1 +4.0"} <= set(small)
    assert "strongest L31H0 +8.0, L30H0 +4.0, L31H1 +4.0" in large
    assert len(large) < 60


def test_maps_share_one_scale_with_zero_in_the_middle(portrait):
    """The largest value of any panel ends it on both sides."""
    shown = texts("head_map", {"model": portrait(), "base": portrait(size=-46.0)})

    assert shown[-6:] == ["−40", "−10", "0", "+10", "+40", "CWA, logits"]


def test_number_swap_stands_beside_cwa(portrait):
    """Above each panel the share of the late heads together, or of the final MLP; a row a language.

    The portrait's shares are 8 / 40 and -0.0004 of the CWA, and 0.001 and -8 / 20 of the swap.
    """
    shown = texts("number_swap", {"model": portrait()})

    names = ["heads: CWA", "heads: number swap", "MLP: CWA", "MLP: number swap"]
    shares = ["late heads 20.0 %", "late heads 0.1 %", "final MLP 0.0 %", "final MLP −40.0 %"]
    assert [text for text in shown if text in names] == 2 * names
    assert [text for text in shown if text in shares] == 2 * shares
    assert shown.count("299 prompts, 150 topics") == 2


@pytest.mark.parametrize("name", ["number_swap", "causes", "faithfulness"])
@pytest.mark.parametrize(("n_layers", "n_heads"), [(30, 9), (80, 64)])
def test_no_text_stands_on_another(portrait, name, n_layers, n_heads):
    """Neither a name beside a share, nor a long name, nor numbers of components, at real models' shapes.

    Names of points are left out, which keep their distance by themselves, and the numbers of a scale.
    """
    long = "Meta-Llama-3.1-8B-Instruct + checkpoint-4000-dpo"
    portraits = {role: portrait(long, n_layers, n_heads) for role in ("model", "base")}
    for one in portraits.values():
        heads = one["causes"]["en"]["heads"]
        heads["without"] |= {"k": 154, "by_k": {str(k): [0.5, 0.4, 0.6] for k in (1, 2, 128, 154, 256, 2048)}}

    assert overlapping(name, portraits) == []


def overlapping(name, portraits):
    """The pairs of texts of a figure that stand on each other."""
    room = import_module(f"lengthprobe.reporting.figures.{name}")
    with style():
        figure = room.figure(portraits)
        figure.draw_without_rendering()
        points = {
            one
            for axes in figure.axes
            for one in axes.texts
            if re.fullmatch(r"L\d+H\d+|MLP\d+", one.get_text())
        }
        scales = {one for axes in figure.axes for one in axes.get_yticklabels()}
        if name != "causes":
            scales |= {one for axes in figure.axes for one in axes.get_xticklabels()}
        places = [
            (one.get_text(), one.get_window_extent())
            for one in figure.findobj(Text)
            if one.get_visible() and one.get_text().strip() and one not in points | scales and is_seen(one)
        ]
    return [
        (one, other)
        for (one, place), (other, beside) in combinations(places, 2)
        if place.padded(-1).overlaps(beside.padded(-1))
    ]


def is_seen(text):
    """Whether a text is in a panel that is drawn."""
    return text.axes is None or text.axes.get_visible()


@pytest.mark.parametrize("name", NAMES)
def test_captions_are_short_sentences(portrait, name):
    """A reader gets each at first reading: none has more than 26 words, or is a chain of clauses."""
    room = import_module(f"lengthprobe.reporting.figures.{name.removeprefix('cwa_')}")
    sentences = re.split(r"(?<=[.:])\s", room.caption({"model": portrait(), "base": portrait()}))

    assert max(len(one.split()) for one in sentences) <= 26
    assert not any(one.count(",") > 4 for one in sentences)


def test_number_swap_is_drawn_where_it_was_measured(portrait):
    """Of the checkpoints and in the languages that a claim has measured it; of none, there is no figure."""
    without = portrait(number_swap={})
    half = portrait("approved")
    half["number_swap"] = {"it": half["number_swap"]["it"]}

    assert drawn("number_swap", {"model": without}) is None
    shown = texts("number_swap", {"model": without, "reference": half})
    assert {"approved (reference)", "Italian"} <= set(shown)
    assert not {"tiny-it", "English"} & set(shown)


def test_causes_say_which_components_lead(portrait):
    """As many as the claim cuts, on how much it rests, and at which numbers of them it was measured."""
    shown = texts("causes", {"model": portrait(languages=("en",))})

    assert {
        "English: heads",
        "75 prompts, 75 topics; leading: L4H0, L4H2; output norm of the random sets: 75 % of theirs",
    } <= set(shown)
    assert [text for text in shown if text in ("1", "2", "4", "8")] == ["1", "2", "4"]
    assert {"only these", "left late", "whole model"} <= set(shown)


def test_causes_without_anything_of_similar_size(portrait):
    """Where no random set is there to compare with, the curve stands alone."""
    alone = portrait(languages=("en",))
    alone["causes"]["en"]["heads"]["random"] = {}

    assert "75 prompts, 75 topics; leading: L4H0, L4H2" in texts("causes", {"model": alone})


@pytest.mark.parametrize(
    ("left_out", "missing"),
    [
        ("without", "leading"),
        ("random", None),
        ("only", "only these"),
        ("elsewhere", "without these"),
    ],
)
def test_causes_are_drawn_where_they_were_measured(portrait, left_out, missing):
    """What no claim measured is not there, and the rest is."""
    some = portrait(languages=("en", "it"))
    some["causes"] = {"en": {"heads": {**some["causes"]["en"]["heads"]}}}
    del some["causes"]["en"]["heads"][left_out]

    shown = texts("causes", {"model": some})

    assert "English: heads" in shown
    assert "Italian: heads" not in shown
    assert missing is None or not any(text.endswith(f"{missing}") or f"; {missing}" in text for text in shown)


@pytest.mark.parametrize("name", ["causes", "faithfulness"])
def test_no_causes_draw_nothing(portrait, name):
    """Where no claim has measured any, be the portrait an old one."""
    old = portrait()
    del old["causes"], old["faithfulness"]

    assert drawn(name, {"model": portrait(causes={}, faithfulness={})}) is None
    assert drawn(name, {"model": old}) is None


@pytest.mark.parametrize("name", ["causes", "faithfulness"])
def test_causes_of_several_checkpoints_are_told_apart(portrait, name):
    """Each has panels of its own, headed with its name."""
    shown = texts(name, {"model": portrait(), "reference": portrait("approved")})

    heads = [text for text in shown if text.partition(",")[0] in ("tiny-it", "approved (reference)")]
    assert len(heads) == 4


def test_faithfulness_names_what_stands_out(portrait):
    """The correlation with its interval, heads and MLPs; a name that would cover a point is left out."""
    shown = texts("faithfulness", {"model": portrait(languages=("en",))})

    assert {"rank correlation 0.45 (0.19 to 0.70)", "L4H0", "MLP3", "MLP4"} <= set(shown)
    crowd = {f"L0H{at}": [0.001 * at, 1.0] for at in range(30)}
    crowded = {"en": {"correlation": [None, None, None], "components": crowd}}
    shown = texts("faithfulness", {"model": portrait(languages=("en",), faithfulness=crowded)})
    assert "30 components" in shown
    assert len([text for text in shown if text.startswith("L0H")]) < 30


@pytest.mark.parametrize("n_words", [1, 9, 80])
def test_response_is_shown_word_by_word(portrait, n_words):
    """The end is marked; of a runaway the first 24 words and how many more there are."""
    words = tuple(f"word{n}" for n in range(n_words))

    shown = texts("one_response", {"model": portrait(words=words, languages=("en",))})

    assert [text for text in shown if text in words] == [*words[:24]]
    assert ("■" in shown) == (n_words < 24)
    assert ("… and 56 more words" in shown) == (n_words == 80)


def test_empty_response_has_its_end(portrait):
    """There is a step that wrote it."""
    assert "■" in texts("one_response", {"model": portrait(words=())})


def test_checkpoint_without_examples_has_no_such_figure(portrait):
    """There is nothing to draw."""
    without = portrait()
    for language in without["languages"].values():
        language["example"] = {}

    assert drawn("one_response", {"model": without}) is None


@pytest.mark.parametrize("name", NAMES[:6])
def test_unknown_numbers_leave_gaps(portrait, name):
    """None and infinities come from intervals that nothing is known of."""
    patchy = portrait(languages=("en",))
    measured = patchy["languages"]["en"]
    measured["heads_by_layer"][1] = [None, None, None]
    measured["mlps_by_layer"][0] = [1.0, -math.inf, math.inf]
    measured["final_mlp_by_length"]["3"] = [2.0, None, None]
    measured["head_map"][0][0] = None
    swap = patchy["number_swap"]["en"]["cwa"]
    swap["heads_by_layer"][1] = swap["late_heads"] = [None, None, None]
    causes = patchy["causes"]["en"]["heads"]
    causes["without"]["by_k"]["2"] = causes["only"]["with_only"] = [0.5, None, None]
    patchy["faithfulness"]["en"]["components"]["MLP3"] = [None, 1.0]

    assert "nan" not in drawn(name, {"model": patchy})


def test_map_of_zeros_is_drawn(portrait):
    """A component that was cut is no fault of the drawing."""
    assert "0" in texts("head_map", {"model": portrait(size=0.0)})


def test_hostile_words_are_words(portrait, hostile):
    """They are found in the text as they were, what cannot be seen as escapes, long ones cut."""
    shown = texts("one_response", {"model": portrait(words=hostile, languages=("en",))})

    for text in ("<svg onload=alert(1)>", r"\x1b[31mred\x00\x0b", "w" * 21 + "…", r"$\frac{1}$", "שלום"):
        assert shown.count(text) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(5, 4), (32, 32)])
def test_bytes_are_the_same_each_time(portrait, name, size):
    """Whatever was drawn in between, and never so many that they would weigh on a page."""
    portraits = {"model": portrait("m", *size), "base": portrait("b", *size, size=-40.0)}

    first, second = drawn(name, portraits), drawn(name, portraits)

    assert first == second
    assert len(first) < 100_000


def test_settings_of_matplotlib_are_left_alone(portrait):
    """The user's own figures look as before."""
    before = dict(mpl.rcParams)

    drawn("cwa_by_length", {"model": portrait()})

    assert dict(mpl.rcParams) == before
