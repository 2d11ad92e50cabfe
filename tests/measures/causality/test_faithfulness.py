"""Faithfulness: equal to Spearman's correlation by scipy, of effects taken from edited weights."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from fixtures.mechanism import cut
from lengthprobe import load
from lengthprobe.components.names import every_component as every
from lengthprobe.generation.transformers_engine import respond
from lengthprobe.measures import faithfulness
from lengthprobe.measures.attribution.cwa import cwa_by_component
from lengthprobe.measures.causality.exact_answers import test_prompts as prompts_on_test_topics
from lengthprobe.task.words import count_words


@pytest.fixture(scope="module")
def probe():
    """tiny-it, after 100 prompts in English."""
    made = load("tiny-it", budget=100, cap=40, languages=("en",), device_map="cpu")
    made.prepare(["en"], traces=True)
    return made


def mean_error(probe, prompts):
    """The mean |error|, winsorised at 3."""
    answers = respond(probe.checkpoint, prompts, probe.settings, batch_size=40)
    return np.mean(
        [min(abs(count_words(one.text, language="en") - one.prompt.n_words), 3) for one in answers]
    )


def test_equal_to_scipy(probe, monkeypatch):
    """Over heads and MLPs: CWA against the rise of |error| in a model whose weights were cut."""
    prompts = prompts_on_test_topics(probe, "en")
    names = [f"L{layer}H{head}" for layer in (3, 4) for head in range(4)]
    # What the test's own way of cutting reaches: late heads, and the last MLP.
    monkeypatch.setattr(
        sys.modules["lengthprobe.measures.causality.faithfulness"],
        "every_component",
        lambda *shape: [one for one in every(*shape) if one.name in (*names, "MLP4")],
    )
    cwa = cwa_by_component(probe, "en").by_name
    whole = mean_error(probe, prompts)
    effects = []
    for name in names:
        with cut(probe.checkpoint.model, [(int(name[1]), int(name[3]))]):
            effects.append(mean_error(probe, prompts) - whole)
    with cut(probe.checkpoint.model, mlp=True):
        effects.append(mean_error(probe, prompts) - whole)
    expected = spearmanr([cwa[name] for name in (*names, "MLP4")], effects).statistic
    found = faithfulness(probe, language="en")
    notes = {one.prompt_id: one.note for one in found.observations}
    assert notes["L4H0"] == f"L4H0: CWA {cwa['L4H0']:+.3g}, |error| {effects[4]:+.2f} words without it"
    # The jackknife's mean is the correlation less its estimate of its bias.
    n = len(effects)
    left_out = [correlation_without(names, cwa, effects, at) for at in range(n)]
    assert found.mean == pytest.approx(n * expected - (n - 1) * np.mean(left_out))
    assert (found.n, found.clusters) == (n, n)


def correlation_without(names, cwa, effects, at):
    """The correlation of the ranks that all of them have, without one of them."""
    xs = np.delete(rankdata([cwa[name] for name in (*names, "MLP4")]), at)
    ys = np.delete(rankdata(effects), at)
    return np.corrcoef(xs, ys)[0, 1]
