"""A checkpoint's portrait: the numbers of the measures, as the figures and JSON take them."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from lengthprobe import load
from lengthprobe.asking.answers import Proof, Traced
from lengthprobe.attribution.trace import Trace
from lengthprobe.measures import cwa, number_swap, share
from lengthprobe.measures.attribution.cwa import cwa_by_component
from lengthprobe.measures.attribution.number_swap import number_swap_by_component
from lengthprobe.portraits.attribution import portrait, swap_portrait
from lengthprobe.statistics.sample import LEAST_TOPICS
from lengthprobe.task.adherence import adherence
from lengthprobe.task.prompts import Prompt, Response
from tests.measures.attributed import HEADS, LAYERS, Attributed, contributions


@pytest.fixture(scope="module")
def drawn(tiny_it):
    """The portrait of the fixture model."""
    return portrait(tiny_it, ["en", "it"])


def test_it_says_whose_it_is(drawn, tiny_it):
    """Name, architecture, shape, late layers, cap, and how well the components add up."""
    assert {name: value for name, value in drawn.items() if name != "languages"} == {
        "name": "tiny-it",
        "architecture": "llama",
        "n_layers": 5,
        "n_heads": 4,
        "late_layers": [3, 4],
        "cap": 100,
        "completeness_gap": tiny_it.proof.gap,
    }
    assert list(drawn["languages"]) == ["en", "it"]


def test_it_is_json(drawn):
    """It travels as JSON, without NaN or infinity."""
    assert json.loads(json.dumps(drawn, allow_nan=False)) == drawn


def test_it_says_on_how_much_it_rests(drawn, tiny_it):
    """Prompts and topics."""
    topics = {one.prompt.topic for one in tiny_it.responses("en")}
    english = drawn["languages"]["en"]
    assert (english["n"], english["clusters"]) == (20, len(topics))


@pytest.mark.parametrize("language", ["en", "it"])
def test_layers(drawn, tiny_it, language):
    """The mean CWA of each layer's heads together and of its MLP, each within its interval."""
    found = drawn["languages"][language]
    parts = cwa_by_component(tiny_it, language)
    for name, values in (("heads_by_layer", parts.heads.sum(2)), ("mlps_by_layer", parts.mlps)):
        assert [mean for mean, _, _ in found[name]] == pytest.approx(values.mean(0))
        assert all(low <= mean <= high for mean, low, high in found[name])
    assert found["head_map"] == pytest.approx(parts.heads.mean(0))


@pytest.mark.parametrize(
    ("name", "component"),
    [("final_mlp_by_length", "final MLP"), ("late_heads_by_length", "late heads")],
)
def test_lengths(drawn, tiny_it, name, component):
    """The measure's own mean at each length that was asked for, with its interval where topics allow one."""
    found = drawn["languages"]["it"][name]
    assert list(found) == [str(n) for n in range(3, 10)]
    for n, interval in found.items():
        expected = cwa(tiny_it, component=component, language="it", lengths=[int(n)])
        limits = [expected.low, expected.high] if expected.clusters >= LEAST_TOPICS else [None, None]
        assert interval == pytest.approx([expected.mean, *limits])


def test_no_interval():
    """One prompt shows no spread: its limits are not known."""
    probe = load("tiny-it", budget=1, device_map="cpu", languages=("en",))
    found = portrait(probe, ["en"])["languages"]["en"]
    assert [interval[1:] for interval in found["heads_by_layer"]] == [[None, None]] * 5


def test_example(drawn, tiny_it):
    """The first response of the exact length among those of the middle length, word by word."""
    every = tiny_it.responses("en")
    lengths = sorted(one.prompt.n_words for one in every)
    found = drawn["languages"]["en"]["example"]
    one = next(one for one in every if one.prompt.n_words == lengths[10])
    assert (found["prompt"], found["response"], found["n_words"]) == (
        one.prompt.text,
        one.text,
        one.prompt.n_words,
    )
    assert [word["text"] for word in found["words"]] == [*one.text.split(), ""]
    assert [word["ends"] for word in found["words"]] == [False] * lengths[10] + [True]


@pytest.mark.parametrize("language", ["en", "it"])
def test_words_share_out_the_logits(drawn, tiny_it, language):
    """A word has what its tokens were given: all words together have the sum of the logits."""
    found = drawn["languages"][language]["example"]
    one = next(one for one in tiny_it.traces(language) if one.response.prompt.text == found["prompt"])
    token = one.trace.token
    for name, values in (
        ("late_heads", token.heads[:, 3:].sum((1, 2))),
        ("final_mlp", token.mlps[:, 4]),
    ):
        assert sum(word[name] for word in found["words"]) == pytest.approx(values.sum(), rel=1e-4)
    total = sum(word["late_heads"] + word["final_mlp"] + word["other"] for word in found["words"])
    assert total == pytest.approx(token.logits.sum(), rel=1e-5)


def test_end_has_the_last_step(drawn, tiny_it):
    """The end token is a word without a text, and has what its own step was given."""
    found = drawn["languages"]["en"]["example"]
    one = next(one for one in tiny_it.traces("en") if one.response.prompt.text == found["prompt"])
    assert found["words"][-1]["late_heads"] == pytest.approx(one.trace.token.heads[-1, 3:].sum(), rel=1e-5)


def test_words_are_those_counted(drawn):
    """As many as were asked for in an exact response, be they of several tokens or elided."""
    found = drawn["languages"]["it"]["example"]
    assert len(found["words"]) == found["n_words"] + 1
    assert "".join(word["text"] for word in found["words"]) == found["response"].replace(" ", "")


@dataclass(frozen=True)
class Sitter(Attributed):
    """A made-up probe of which a portrait can be drawn."""

    pieces: tuple[str, ...] = ()

    @property
    def proof(self):
        """What is known of its components."""
        return Proof("llama", LAYERS, HEADS)

    def texts(self, rows):
        """Its tokens are pieces of text."""
        return ["".join(self.pieces[at] for at in row) for row in rows]


def test_marks_go_with_the_words_before_them():
    """What stands before the first word goes with it, what stands after a word with that one."""
    pieces = ('"', "One", " ", "two", "-", "th", "ree", '"', ".")
    prompt = Prompt("p0", "en", 3, "t0", "imperative", "Write 3 words")
    response = Response(prompt, tuple(range(9)), "".join(pieces), "stop")
    counts = adherence(
        range(9), lambda ids: "".join(pieces[at] for at in ids), ended=True, language="en", counter="uax29"
    )
    traced = Traced(response, Trace(contributions(10, 0), contributions(10, 1)), counts)
    found = portrait(Sitter((traced,), pieces=pieces), ["en"])["languages"]["en"]["example"]["words"]
    assert [(word["text"], word["ends"]) for word in found] == [
        ('"One', False),
        ("two-", False),
        ('three".', False),
        ("", True),
    ]
    final = traced.trace.token.mlps[:, 4]
    # Tokens 0 to 2, 3 and 4, 5 to 8, and the end token.
    expected = [final[:3].sum(), final[3:5].sum(), final[5:9].sum(), final[9]]
    assert [word["final_mlp"] for word in found] == pytest.approx(expected)


def test_example_of_a_model_that_is_never_exact():
    """The first response; one that was cut off has no end."""
    probe = load("tiny-base", budget=3, device_map="cpu", languages=("en",), lengths=(3,), cap=24)
    found = portrait(probe, ["en"])["languages"]["en"]["example"]
    first = probe.responses("en")[0]
    assert (first.finish_reason, found["response"]) == ("length", first.text)
    assert not any(word["ends"] for word in found["words"])


def test_number_swap_is_not_measured_for_a_figure():
    """There is none where no claim has asked for it, and in another language than that of the claim."""
    probe = load("tiny-it", budget=8, device_map="cpu", languages=("en", "it"))
    assert swap_portrait(probe, "en") is None
    number_swap(probe, component="late heads", language="it")
    assert swap_portrait(probe, "en") is None
    assert swap_portrait(probe, "it") is not None
    assert probe.has_forced("stop_margin")


@pytest.mark.parametrize("language", ["en", "it"])
def test_number_swap_has_the_shares_of_the_claims(tiny_it, language):
    """The late heads' and the final MLP's share of the stop and of the CWA, each with its interval."""
    expected = {
        (kind, part): share(measure(tiny_it, component=component, language=language))
        for kind, measure in (("number_swap", number_swap), ("cwa", cwa))
        for part, component in (("late_heads", "late heads"), ("final_mlp", "final MLP"))
    }
    found = swap_portrait(tiny_it, language)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    for (kind, part), one in expected.items():
        assert found[kind][part] == pytest.approx([one.mean, one.low, one.high])


def test_number_swap_by_layer(tiny_it):
    """What each layer's heads and its MLP give under the own number less the other, of all under the own."""
    number_swap(tiny_it, component="late heads", language="en")
    found = swap_portrait(tiny_it, "en")
    own, less_other = number_swap_by_component(tiny_it, "en")
    whole = own.whole.mean()
    for name, values in (("heads_by_layer", less_other.heads.sum(2)), ("mlps_by_layer", less_other.mlps)):
        assert [mean for mean, _, _ in found["number_swap"][name]] == pytest.approx(values.mean(0) / whole)
    topics = {prompt.topic for prompt in own.prompts}
    assert (found["n"], found["clusters"]) == (len(own.prompts), len(topics))
