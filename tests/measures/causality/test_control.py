"""Control under ablation: equal to a count over models whose weights were cut."""

from __future__ import annotations

import math
import sys
from collections import Counter
from dataclasses import replace

import pytest

from fixtures.mechanism import cut
from lengthprobe import load
from lengthprobe.errors import SettingsError
from lengthprobe.generation.transformers_engine import respond
from lengthprobe.measures import control, control_with_only, control_without, control_without_random
from lengthprobe.measures.causality.control import control_by_number
from lengthprobe.measures.causality.exact_answers import test_prompts as prompts_on_test_topics
from lengthprobe.measures.causality.leading import leading_components, similar_sets
from lengthprobe.probe import Probe
from lengthprobe.statistics.once_more import lasting_interval
from lengthprobe.task.prompts import split_of
from lengthprobe.task.words import count_words

# The package has the function of this name.
control_module = sys.modules["lengthprobe.measures.causality.control"]
answers_module = sys.modules["lengthprobe.measures.causality.exact_answers"]
LATE_HEADS = [(layer, head) for layer in (3, 4) for head in range(4)]


@pytest.fixture(scope="module")
def probe():
    """tiny-it, after 40 prompts a language."""
    made = load("tiny-it", budget=40, cap=30, device_map="cpu")
    made.prepare(traces=True)
    return made


def exact_by_hand(probe, prompts, heads=(), *, mlp=False):
    """Whether each prompt is answered exactly, by a model whose weights were cut."""
    with cut(probe.checkpoint.model, heads, mlp=mlp):
        answers = respond(probe.checkpoint, prompts, probe.settings, batch_size=40)
    return [
        float(
            one.finish_reason == "stop"
            and count_words(one.text, language=one.prompt.language) == one.prompt.n_words
        )
        for one in answers
    ]


@pytest.mark.parametrize("language", ["en", "it"])
def test_one_prompt_a_test_topic(probe, language):
    """The prompts are on test topics, each topic once, in the order of the stream."""
    found = prompts_on_test_topics(probe, language)
    topics = [one.prompt.topic for one in probe.responses(language) if split_of(one.prompt) == "test"]
    assert [one.topic for one in found] == list(dict.fromkeys(topics))


@pytest.mark.parametrize("language", ["en", "it"])
def test_whole(probe, values, language):
    """Without any ablation it is the share of exact answers."""
    prompts = prompts_on_test_topics(probe, language)
    assert values(control(probe, language=language)) == exact_by_hand(probe, prompts)


def test_without_heads(probe, values):
    """Without the leading heads: the same answers as from a model whose output projections were cut."""
    prompts = prompts_on_test_topics(probe, "en")
    chosen = [(one.layer, one.head) for one in leading_components(probe, language="en")]
    assert values(control_without(probe, language="en")) == exact_by_hand(probe, prompts, chosen)


def test_without_several_numbers_of_heads(probe, values, monkeypatch):
    """For a figure: asked together, of the first prompts alone, and cut off sooner, each exact as by hand."""
    monkeypatch.setattr("lengthprobe.measures.causality.control.FIGURE_PROMPTS", 12)
    prompts = prompts_on_test_topics(probe, "en")[:12]
    leading = leading_components(probe, language="en", k=8)
    asked = []
    under = Probe.under
    monkeypatch.setattr(
        Probe, "under", lambda self, rows, **how: asked.append(len(rows)) or under(self, rows, **how)
    )

    found = control_by_number(probe, language="en", kind="heads", sizes=(1, 8))

    # The check of the preconditions cuts nothing.
    assert [n for n in asked if n] == [24]
    for k, estimate in found.items():
        chosen = [(one.layer, one.head) for one in leading[:k]]
        assert estimate.name == f"control_by_number[{k} heads](tiny-it, en)"
        assert values(estimate) == exact_by_hand(probe, prompts, chosen)
    assert values(found[1]) != values(found[8])


def test_without_the_mlp_of_another_language(probe, values):
    """What leads in Italian can be cut in English, which does without it."""
    prompts = prompts_on_test_topics(probe, "en")
    found = control_without(probe, language="en", kind="mlps", found_in="it")
    assert found.name == "control_without[mlps, found in it](tiny-it, en)"
    assert values(found) == exact_by_hand(probe, prompts, mlp=True)


def test_with_only_the_mlp(probe, values):
    """With every other component of the late layers cut: late heads, and the MLP before the last."""
    prompts = prompts_on_test_topics(probe, "it")
    state = probe.checkpoint.model.model.layers[3].mlp.down_proj.weight
    saved = state.detach().clone()
    try:
        state.data.zero_()
        expected = exact_by_hand(probe, prompts, LATE_HEADS)
    finally:
        state.data.copy_(saved)
    assert values(control_with_only(probe, language="it", kind="mlps")) == expected


def rows_asked(monkeypatch):
    """A list that fills with the rows that any probe is asked for under ablations."""
    asked, under = [], Probe.under
    monkeypatch.setattr(
        Probe, "under", lambda one, rows, **how: asked.extend(rows) or under(one, rows, **how)
    )
    return asked


def test_random_sets_take_turns(probe, monkeypatch):
    """Each prompt is answered under five sets, and every set on as many prompts as another, or one more."""
    asked = rows_asked(monkeypatch)
    found = control_without_random(probe, language="en")
    n = len(prompts_on_test_topics(probe, "en"))
    assert found.n == n
    assert set(Counter(prompt.id for prompt, _ in asked).values()) == {5}
    often = Counter(ablation for _, ablation in asked).values()
    assert len(often) == 20
    assert max(often) - min(often) <= 1


def test_a_set_has_no_length_of_its_own(probe, monkeypatch):
    """Lengths come in turns in the stream; the prompts of a set ask for many of them all the same."""
    asked = rows_asked(monkeypatch)
    monkeypatch.setattr(answers_module, "test_prompts", lambda *_: in_turns)
    # Of four lengths in turn, and four groups of five sets in turn, each group would have one.
    in_turns = [
        replace(one, n_words=3 + at % 4) for at, one in enumerate(prompts_on_test_topics(probe, "en"))
    ]
    control_without_random(probe, language="en")
    lengths = {}
    for prompt, ablation in asked:
        lengths.setdefault(ablation, set()).add(prompt.n_words)
    assert all(len(some) > 1 for some in lengths.values())


def test_nothing_of_similar_size_decides_nothing(probe, monkeypatch):
    """Where no others are of the leading ones' size, what they cost is not known, and it is said why."""
    monkeypatch.setattr(control_module, "similar_sets", lambda *_, **__: ())
    random = control_without_random(probe, language="en")
    assert random.n == 0
    verdict = random - control_without(probe, language="en") > 0.1
    assert verdict.status == "undecided"
    assert "no random set of other heads has outputs from 0.5 to 2 times as long" in str(verdict)


@pytest.mark.parametrize("n_sets", [1, 2, 9])
def test_fewer_than_ten_random_sets_decide_nothing(probe, monkeypatch, n_sets):
    """What random sets cost is not known from so few; how many there are is said, and none is asked."""
    sets = similar_sets(probe, leading_components(probe, language="en"), language="en")[:n_sets]
    monkeypatch.setattr(control_module, "similar_sets", lambda *_, **__: sets)
    asked = rows_asked(monkeypatch)

    random = control_without_random(probe, language="en")

    assert (random.n, asked) == (0, [])
    for claim in (random - control_without(probe, language="en") > 0.1, random < 0.99):
        assert claim.status == "undecided"
        assert f"only {n_sets} random set" in claim.reason
        assert "not known from fewer than 10 sets" in claim.reason


def test_ten_random_sets_decide(probe, monkeypatch):
    """As the claim of necessity does on a healthy model."""
    sets = similar_sets(probe, leading_components(probe, language="en"), language="en")[:10]
    monkeypatch.setattr(control_module, "similar_sets", lambda *_, **__: sets)

    assert control_without_random(probe, language="en") - control_without(probe, language="en") > 0.1


def test_few_of_which_some_are_left_out_decide_nothing(probe, monkeypatch):
    """Of four other MLPs three are of similar size: they are a choice, and not all there are."""
    sets = similar_sets(probe, leading_components(probe, language="it", kind="mlps"), language="it")
    monkeypatch.setattr(control_module, "similar_sets", lambda *_, **__: sets[:3])

    random = control_without_random(probe, language="it", kind="mlps")

    assert "only 3 random sets of other MLPs have outputs from 0.5 to 2 times" in (random < 0.99).reason


def test_interval_leaves_room_for_other_sets(probe):
    """Its reach is the root of the squares of that over prompts and that of the sets' own limits."""
    found = control_without_random(probe, language="en")
    prompts, sets = found.samples
    alone = replace(found, samples=(prompts,))
    shares = [one.value for one in sets.observations]

    assert len(shares) == 20
    assert sum(shares) == pytest.approx(0)
    below, above = lasting_interval(shares, [1] * 20, 0.05)
    assert found.mean == pytest.approx(alone.mean)
    assert found.mean - found.low == pytest.approx(math.hypot(alone.mean - alone.low, below))
    assert found.high - found.mean == pytest.approx(math.hypot(alone.high - alone.mean, above))
    # More topics would not bring more sets.
    low, high = found.interval(0.05, copies=1e9)
    assert high - low > above - below


def test_sets_that_are_all_there_are_leave_nothing_to_draw(probe):
    """Every other MLP was cut: how far they lie apart is no chance."""
    assert len(control_without_random(probe, language="it", kind="mlps").samples) == 1


def test_a_share_is_the_mean_over_the_sets(probe, values):
    """Of four sets, which are fewer than five, a prompt's value is the mean over all: quarters."""
    found = control_without_random(probe, language="it", kind="mlps")
    assert len(similar_sets(probe, leading_components(probe, language="it", kind="mlps"), language="it")) == 4
    assert {4 * value for value in values(found)} <= {0.0, 1.0, 2.0, 3.0, 4.0}


def test_what_stands_behind_it(probe):
    """A reader of a failed claim is told the components' CWA, the mean |error|, and how far sets differ."""
    (background,) = control_without_random(probe, language="en").background
    assert set(background.controls()) == {"mean |error|", "% exact under the worst set", "under the best"}
    (background,) = control_without(probe, language="en").background
    assert set(background.components) == {"L3H0", "L3H2", "L4H0", "L4H2"}
    # Without them it runs on; an error counts as three words at the most.
    assert background.controls()["mean |error|"] == pytest.approx(3, abs=0.2)


def test_mode_in_the_name(probe):
    """Another mode than zero is a measure of another name."""
    found = control_without(probe, language="en", mode="mean", k=1)
    assert found.name == "control_without[1 heads, mean](tiny-it, en)"


def test_no_test_topic():
    """With no prompt on a test topic there is nothing to measure: the option that gives some is named."""
    for seed in range(20):
        probe = load("tiny-it", budget=1, seed=seed, device_map="cpu")
        if split_of(probe.responses("en")[0].prompt) != "test":
            break
    with pytest.raises(SettingsError, match="about a test topic") as raised:
        control(probe, language="en")
    assert raised.value.fix == "--lengthprobe-budget=300"
