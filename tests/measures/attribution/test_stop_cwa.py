"""The stop margin where a response could end: equal to plain loops over a probe's traces."""

from __future__ import annotations

import numpy as np
import pytest

from lengthprobe.measures import share, stop_cwa
from lengthprobe.statistics.halves import cross_fitted_size
from lengthprobe.task.words import count_words
from tests.measures.attributed import attributed

# Exact, too long, too short, too long and cut off; one word that is asked for is never early.
PAIRS = [(3, 3), (3, 5), (4, 2), (3, 6), (1, 2)]


@pytest.fixture
def probe():
    """A probe with made-up attributions; its last response is cut off."""
    return attributed(*PAIRS, cut_off=[3])


def summed(one, weights, of_layer):
    """Σ_t weight_t · Σ over heads and layers, in a plain loop."""
    total = 0.0
    for step, weight in enumerate(weights):
        for layer, factor in enumerate(of_layer):
            total += sum(weight * factor * float(value) for value in one.trace.stop.heads[step, layer])
    return total


def weights_by_hand(n_words, words_before):
    """The mean where ending is due less the mean where it is early, from the complete words at each step."""
    due = [words is not None and words >= n_words for words in words_before]
    early = [words is not None and words < n_words for words in words_before]
    weights = []
    for is_due, is_early in zip(due, early, strict=True):
        weights.append(1 / sum(due) if is_due else -1 / sum(early) if is_early else 0)
    return weights


def complete_words(words, ended):
    """Two tokens a word: it could end before each new word, and at the end."""
    return [step // 2 if step and step % 2 == 0 else None for step in range(2 * words + ended)]


def test_weights_by_hand():
    """Three words of two tokens for three that were asked for: early after one and two, due after three."""
    assert weights_by_hand(3, complete_words(3, ended=True)) == [0, 0, -1 / 2, 0, -1 / 2, 0, 1]
    # Five words: early after one and two, due after three, four and five.
    assert weights_by_hand(3, complete_words(5, ended=True)) == pytest.approx(
        [0, 0, -1 / 2, 0, -1 / 2, 0, 1 / 3, 0, 1 / 3, 0, 1 / 3]
    )


def by_hand(probe):
    """The responses with an early and a due step, and their weights."""
    chosen = [(probe.every[place], PAIRS[place]) for place in (0, 1, 3)]
    return [
        (one, weights_by_hand(n_words, complete_words(words, one.adherence.ended)))
        for one, (n_words, words) in chosen
    ]


@pytest.mark.parametrize(
    ("component", "of_layer"),
    [("late heads", [0, 0, 0, 1, 1]), ("early heads", [2, 0, 0, 0, 0])],
)
def test_heads(probe, values, component, of_layer):
    """What a component gives to the stop where that is due, less what it gives where it is early."""
    expected = [summed(one, weights, of_layer) for one, weights in by_hand(probe)]
    assert values(stop_cwa(probe, component=component, language="en")) == pytest.approx(expected)


@pytest.mark.parametrize(("component", "layer"), [("final MLP", 4), ("early MLPs", 0)])
def test_mlps(probe, values, component, layer):
    """The same of MLPs."""
    expected = [
        sum(weight * float(one.trace.stop.mlps[step, layer]) for step, weight in enumerate(weights))
        for one, weights in by_hand(probe)
    ]
    assert values(stop_cwa(probe, component=component, language="en")) == pytest.approx(expected)


def test_a_model_that_is_run(tiny_it, values):
    """On a real model: where a word is complete is read off the text, in plain loops."""
    expected = []
    for one in tiny_it.traces("en"):
        ids, n_words = one.response.token_ids, one.response.prompt.n_words
        texts = [tiny_it.checkpoint.decode(ids[:step]) for step in range(len(ids) + 1)]
        complete = []
        for step, text in enumerate(texts):
            words = count_words(text, language="en")
            # tiny-it writes words with single spaces between, and nothing else.
            whole = words > 0 and (step == len(ids) or " " in texts[step + 1][len(text) - 1 : len(text) + 1])
            if whole and words in complete:
                # A space that is a token of its own: it could still end after that.
                complete[complete.index(words)] = None
            complete.append(words if whole else None)
        expected.append(summed(one, weights_by_hand(n_words, complete), [0, 0, 0, 1, 1]))
    found = stop_cwa(tiny_it, component="late heads", language="en")
    assert values(found) == pytest.approx(expected, rel=1e-5)
    assert (share(found) > 0.02).status == "holds"


def test_share_is_of_the_same_sums(probe):
    """What the stop's components are a share of is the stop's own whole, so that late and early compare."""
    late = stop_cwa(probe, component="late heads", language="en")
    early = stop_cwa(probe, component="early heads", language="en")
    assert share(late - early).mean == pytest.approx(share(late).mean - share(early).mean)


def test_responses_without_an_early_or_a_due_step_are_left_out(probe):
    """Ended before its N words, none is due; asked for a single word, none is early."""
    found = stop_cwa(probe, component="late heads", language="en")
    assert [one.prompt_id for one in found.observations] == ["p0", "p1", "p3"]
    assert found.observations[1].note.startswith("asked 3, wrote 5: ")


def test_share_is_of_what_is_said_where_the_end_is_due(probe):
    """The whole is the size of all components over the due steps alone, with their weights."""
    due = [(one, [max(0, weight) for weight in weights]) for one, weights in by_hand(probe)]
    by_prompt = [
        [
            value
            for parts in (one.trace.stop.heads, one.trace.stop.mlps)
            for value in np.tensordot(weights, parts, 1).ravel()
        ]
        for one, weights in due
    ]
    topics = [one.response.prompt.topic for one, _ in due]
    late = stop_cwa(probe, component="late heads", language="en")
    whole = cross_fitted_size(np.array(by_prompt), topics).mean()
    assert share(late).mean == pytest.approx(late.mean / whole)


@pytest.mark.parametrize(("short", "flawed"), [(1, False), (2, True)])
def test_few_responses_with_such_steps_decide_nothing(short, flawed):
    """Where more than one in five never reaches N words, the others would be a choice among them."""
    probe = attributed(*[(3, 2)] * short, *[(3, 3)] * (7 - short))
    reason = (stop_cwa(probe, component="late heads", language="en") > 0).reason
    assert ("only 5 of 7 responses have the place that is measured" in reason) is flawed


def test_lengths(values):
    """Prompts that ask for some lengths only, and the name says so."""
    probe = attributed((3, 3), (4, 5), (3, 4))
    every = values(stop_cwa(probe, component="late heads", language="en"))
    four = stop_cwa(probe, component="late heads", language="en", lengths=[4])
    assert (values(four), four.name) == ([every[1]], "stop_cwa[late heads](model, en, N=4)")


def test_no_prompt_of_a_length(probe):
    """A length that no prompt asks for decides nothing."""
    none = stop_cwa(probe, component="late heads", language="en", lengths=[12])
    assert (none.n, (share(none) > 0.02).status) == (0, "undecided")
