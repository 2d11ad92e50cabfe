"""Cumulative Weighted Attribution of models that are run: the fixture model, edits of it, texts of others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fixtures.derived import derive
from fixtures.recipe import MODELS
from lengthprobe import load
from lengthprobe.attribution.trace import ForcedTrace
from lengthprobe.measures import cwa, share
from lengthprobe.measures.attribution.cwa import cwa_by_component
from lengthprobe.task.words import count_words
from tests.measures.attributed import (
    attributed,
    contributions,
    late_heads_by_hand,
    signs_by_hand,
    two_token_words,
)


@pytest.mark.parametrize("language", ["en", "it"])
def test_a_model_that_is_run(tiny_it, values, language):
    """On a real model: words counted anew after each token, signs and sums in plain loops."""
    expected = []
    for one in tiny_it.traces(language):
        ids = one.response.token_ids
        texts = [tiny_it.checkpoint.decode(ids[: step + 1]) for step in range(len(ids))]
        counts = [count_words(text, language=language) for text in texts]
        counts += counts[-1:] if one.response.finish_reason == "stop" else []
        signs = signs_by_hand(one, one.response.prompt.n_words, counts)
        expected.append(late_heads_by_hand(one, signs))
    assert values(cwa(tiny_it, component="late heads", language=language)) == pytest.approx(
        expected, rel=1e-5
    )


def test_text_of_another_model(values):
    """The other model's responses are forced, end tokens and all, and its own tokens' adherence counts."""

    def answer(text):
        steps = len(text.token_ids) + text.ended
        return ForcedTrace(contributions(steps, 77), two_token_words(len(text.token_ids) // 2, text.ended))

    writer = attributed((3, 3), (3, 5), cut_off=[1], name="writer")
    reader = attributed((3, 9), (3, 9), answer=answer)
    found = cwa(reader, component="late heads", language="en", text_of=writer)

    expected = []
    for one in writer.every:
        counts = one.adherence.counts
        forced = replace(one, trace=replace(one.trace, token=contributions(len(counts), 77)))
        expected.append(late_heads_by_hand(forced, signs_by_hand(forced, 3, counts)))
    assert values(found) == pytest.approx(expected)
    assert found.name == "cwa[late heads, on writer's text, cap 100](model, en)"
    ((target, texts), *_) = reader.asked
    assert target == "token"
    assert [(one.prompt, one.token_ids, one.text, one.ended, one.last_only) for one in texts] == [
        (one.response.prompt, one.response.token_ids, one.response.text, ended, False)
        for one, ended in zip(writer.every, (True, False), strict=True)
    ]


def test_text_that_has_no_token_here(values):
    """A text of nothing, cut off, has no step: it gives 0, per step too."""
    writer = attributed((3, 3), name="writer")
    nothing = ForcedTrace(contributions(0, 1), two_token_words(0, ended=False))
    reader = attributed((3, 3), answer=lambda _text: nothing)
    found = cwa(reader, component="late heads", language="en", text_of=writer, per_step=True)
    assert values(found) == [0]
    assert "asked 3, wrote 0" in found.observations[0].note


def test_own_text(tiny_it, values):
    """A model forced on its own responses gives what was captured while it wrote them."""
    for component in ("late heads", "final MLP"):
        own = values(cwa(tiny_it, component=component, language="en"))
        forced = values(cwa(tiny_it, component=component, language="en", text_of=tiny_it))
        assert forced == pytest.approx(own, rel=1e-4, abs=1e-4)


def test_text_of_a_model_with_another_tokenizer(tiny_it, checkpoints):
    """The same words in other tokens: every prompt counts, with as many words as were written."""
    # With random weights there is no control, which is none of what is asked here.
    reader = load(str(checkpoints("llama")), budget=20, device_map="cpu").in_role("base")
    found = cwa(reader, component="late heads", language="en", text_of=tiny_it)
    assert [one.note for one in found.observations] == [
        one.note for one in cwa(tiny_it, component="late heads", language="en").observations
    ]


@pytest.fixture
def edited(tmp_path):
    """Return a function that makes a probe of tiny-it with an edit."""

    def probe(edit, **settings):
        path = derive(edit, MODELS / "tiny-it", tmp_path / edit)
        return load(str(path), **{"budget": 20, "device_map": "cpu", **settings})

    return probe


def test_shifted_unembedding(tiny_it, edited, values):
    """One vector added to every row of the unembedding moves no probability, and no CWA."""
    shifted = edited("shifted-unembedding")
    assert [one.text for one in shifted.responses("en")] == [one.text for one in tiny_it.responses("en")]
    for component in ("late heads", "early heads", "final MLP"):
        expected = values(cwa(tiny_it, component=component, language="en"))
        found = values(cwa(shifted, component=component, language="en"))
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_a_component_that_is_cut_is_nothing(edited, values):
    """Heads without output have a CWA of exactly 0, which a claim on their share calls broken."""
    cut = cwa(edited("late-heads-cut", cap=40).in_role("base"), component="late heads", language="en")
    assert set(values(cut)) == {0}
    assert (share(cut) > 0.02).status == "broken"


def test_sum_over_components_is_the_signed_logits(tiny_it):
    """Completeness of the sums: heads, MLPs and the rest make up Σ_t s_t · logit."""
    one = tiny_it.traces("en")[0]
    token = one.trace.token
    rest = token.embedding + token.biases
    total = token.heads.sum((1, 2)) + token.mlps.sum(1) + rest
    assert total == pytest.approx(token.logits, rel=1e-4, abs=1e-4)
    signs = np.array(one.adherence.signs(one.response.prompt.n_words))
    parts = cwa_by_component(tiny_it, "en")
    by_components = parts.heads[0].sum() + parts.mlps[0].sum() + (signs * rest).sum()
    assert by_components == pytest.approx((signs * token.logits).sum(), rel=1e-4)
