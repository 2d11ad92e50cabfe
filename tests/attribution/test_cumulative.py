"""CWA of single responses: the sums of a plain loop, the signs of METHODS §3, the weights of its controls."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lengthprobe.attribution.cumulative import (
    SIGNS,
    cumulative,
    shuffled_lengths,
    stop_weights,
    token_weights,
)
from lengthprobe.attribution.trace import Contributions
from lengthprobe.task.adherence import Adherence
from lengthprobe.task.prompts import prompts

LAYERS, HEADS = 3, 2
# Numbers of steps of some responses; one cut off before its first token has none.
STEPS = st.lists(st.integers(0, 6), min_size=1, max_size=5)


def contributions(steps: int, seed: int) -> Contributions:
    """Random contributions that add up to the logit at each step."""
    draw = np.random.default_rng([seed, steps])
    heads = draw.normal(size=(steps, LAYERS, HEADS)).astype(np.float32)
    mlps = draw.normal(size=(steps, LAYERS)).astype(np.float32)
    embedding, biases = draw.normal(size=(2, steps)).astype(np.float32)
    return Contributions(heads, mlps, embedding, biases, heads.sum((1, 2)) + mlps.sum(1) + embedding + biases)


def some(steps: list[int]) -> tuple[list[Contributions], list[list[float]]]:
    """Contributions of responses with so many steps, and weights of −1, 0 and 1."""
    draw = np.random.default_rng(steps)
    return (
        [contributions(count, seed) for seed, count in enumerate(steps)],
        [draw.integers(-1, 2, count).astype(float).tolist() for count in steps],
    )


def adherences(*counts: tuple[int, ...]) -> list[Adherence]:
    """Responses that the model ended, with so many words after each step, each step ending a word."""
    return [Adherence(some, (False,) + (True,) * (len(some) - 1), ended=True) for some in counts]


@given(steps=STEPS)
def test_it_is_the_weighted_sum_over_steps(steps: list[int]) -> None:
    """Σ_t s_t · DLA(c, t) of every component c, as a plain loop adds it up, in float64."""
    given_contributions, weights = some(steps)

    found = cumulative(given_contributions, weights)

    n = len(steps)
    assert found.heads.shape == (n, LAYERS, HEADS)
    assert found.mlps.shape == (n, LAYERS)
    assert found.steps.tolist() == steps
    for row, (one, weight) in enumerate(zip(given_contributions, weights, strict=True)):
        for layer in range(LAYERS):
            for head in range(HEADS):
                expected = sum(s * float(one.heads[t, layer, head]) for t, s in enumerate(weight))
                assert found.heads[row, layer, head] == pytest.approx(expected, abs=1e-12)
            expected = sum(s * float(one.mlps[t, layer]) for t, s in enumerate(weight))
            assert found.mlps[row, layer] == pytest.approx(expected, abs=1e-12)


@given(steps=STEPS)
def test_its_components_add_up_to_the_weighted_logits(steps: list[int]) -> None:
    """Σ_c CWA(c) = Σ_t s_t · logit(y_t): the confound that METHODS §3 names."""
    given_contributions, weights = some(steps)
    rest = [
        float(np.dot(weight, one.embedding + one.biases))
        for one, weight in zip(given_contributions, weights, strict=True)
    ]

    found = cumulative(given_contributions, weights)

    total = found.heads.sum((1, 2)) + found.mlps.sum(1) + rest
    logits = [
        float(np.dot(weight, one.logits)) for one, weight in zip(given_contributions, weights, strict=True)
    ]
    assert total == pytest.approx(logits, abs=1e-4)  # the logits are sums in float32


@given(steps=STEPS)
def test_a_response_has_its_own_sum(steps: list[int]) -> None:
    """What else is summed with it, and in which order, does not matter."""
    given_contributions, weights = some(steps)

    together = cumulative(given_contributions, weights)

    for row, (one, weight) in enumerate(zip(given_contributions, weights, strict=True)):
        alone = cumulative([one], [weight])
        assert (alone.heads[0] == together.heads[row]).all()
        assert (alone.mlps[0] == together.mlps[row]).all()


def test_long_responses_are_summed_in_float64() -> None:
    """One large step and its opposite leave what is between them: in float32 it would be lost."""
    values = np.array([1e8, 1.0, -1e8], np.float32)
    one = Contributions(values[:, None, None], values[:, None], values, values, values)

    found = cumulative([one], [[1.0, 1.0, 1.0]])

    assert found.heads.dtype == found.mlps.dtype == np.float64
    assert found.heads.item() == found.mlps.item() == 1.0


def test_weights_for_other_steps_are_refused() -> None:
    """A sum over some of the steps would pass for one over all."""
    one = contributions(3, seed=0)

    with pytest.raises(ValueError, match="mismatch"):
        cumulative([one], [[1.0, 1.0]])
    with pytest.raises(ValueError, match="shorter"):
        cumulative([one, one], [[1.0, 1.0, 1.0]])


def test_signs_are_those_of_each_request() -> None:
    """METHODS §3: +1 up to N words and for an end at N, −1 beyond and for an end elsewhere."""
    assert token_weights(adherences((1, 2, 2), (1, 2, 2), (1, 2, 2)), [1, 2, 3]) == [
        (1.0, -1.0, -1.0),
        (1.0, 1.0, 1.0),
        (1.0, 1.0, -1.0),
    ]


def test_all_plus_counts_every_step_alike() -> None:
    """The control for large logits: no step counts against a component."""
    assert token_weights(adherences((1, 2, 2), (0,)), [1, 3], signs="all-plus") == [(1.0,) * 3, (1.0,)]


def test_shuffled_signs_are_those_of_another_request() -> None:
    """With two lengths asked for, each prompt is judged by the other."""
    assert token_weights(adherences((1, 2, 2), (1, 2, 2)), [1, 2], signs="shuffled") == [
        (1.0, 1.0, 1.0),
        (1.0, -1.0, -1.0),
    ]


def test_unknown_signs_are_refused() -> None:
    """The message says which there are."""
    with pytest.raises(ValueError, match="signs='random' is none of adherence, shuffled, all-plus"):
        token_weights([], [], signs="random")


@pytest.mark.parametrize("signs", SIGNS)
def test_weights_have_the_steps_of_their_responses(signs: str) -> None:
    """One weight a step, so that they fit the contributions."""
    responses = adherences((0,), (1, 1), (1, 2, 3, 3))

    assert [len(weights) for weights in token_weights(responses, [1, 2, 3], signs=signs)] == [1, 2, 4]


@given(n_words=st.lists(st.integers(1, 9), max_size=30))
def test_a_shuffled_length_is_another_prompts(n_words: list[int]) -> None:
    """It differs from the prompt's own wherever any does, and is the same at every call."""
    found = shuffled_lengths(n_words)

    assert found == shuffled_lengths(n_words)
    assert len(found) == len(n_words)
    for own, other in zip(n_words, found, strict=True):
        assert other in n_words
        assert (other != own) == (len(set(n_words)) > 1)


def test_shuffled_lengths_are_spread_as_those_asked_for() -> None:
    """Of 300 prompts at 7 lengths each is drawn 43 times on average, within 4 standard deviations of 6.1."""
    drawn = Counter(shuffled_lengths([prompt.n_words for prompt in prompts("en")]))

    assert sorted(drawn) == [3, 4, 5, 6, 7, 8, 9]
    assert all(abs(times - 300 / 7) < 4 * (300 * 1 / 7 * 6 / 7) ** 0.5 for times in drawn.values())


def test_the_stop_counts_for_where_it_is_due_and_against_where_it_is_early() -> None:
    """At each step by the words before it: the mean from N words on, less the mean below N, 0 in a word."""
    # Hel|lo| wor|ld| again|end: places to end are before " wor", " again" and the end token.
    response = Adherence((1, 1, 2, 2, 3, 3), (False, False, True, False, True, True), ended=True)

    assert stop_weights([response] * 4, [1, 2, 3, 4]) == [
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),  # no place is early
        (0.0, 0.0, -1.0, 0.0, 0.5, 0.5),
        (0.0, 0.0, -0.5, 0.0, -0.5, 1.0),
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),  # none is due
    ]


def test_an_empty_response_says_nothing_about_the_stop() -> None:
    """There is no word that could be complete."""
    assert stop_weights([Adherence((0,), (False,), ended=True)], [3]) == [(0.0,)]
    assert stop_weights([Adherence((), (), ended=False)], [3]) == [()]


def test_it_needs_no_torch() -> None:
    """What was kept of an earlier run is read without loading a model's library."""
    code = "import sys, lengthprobe.attribution.cumulative; print('torch' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
