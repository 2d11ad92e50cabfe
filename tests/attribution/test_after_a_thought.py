"""Attribution starts after a thought: on a checkpoint that really thinks, the answer's steps alone count."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lengthprobe import load
from lengthprobe.asking.answering import answer
from lengthprobe.attribution.cumulative import cumulative, stop_weights, token_weights
from lengthprobe.attribution.forced_text import Forced
from lengthprobe.attribution.readout import readout_of
from lengthprobe.checkpoints.chat.template import render
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.measures.attribution.attention_to_number import word_boundaries
from lengthprobe.measures.attribution.cwa import cwa_by_component
from lengthprobe.measures.attribution.number_swap import number_swap_texts
from lengthprobe.portraits.attribution import portrait
from lengthprobe.task.prompts import split_of
from lengthprobe.task.words import count_words
from tests.thinkers import OPENED, thinker

ASKED = {"budget": 12, "device_map": "cpu", "languages": ("en",), "cap": 30}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of a checkpoint whose template opens a thought."""
    return str(thinker(tmp_path_factory.mktemp("thinker"), OPENED))


@pytest.fixture(scope="module")
def opened(folder):
    """Return that checkpoint, allowed to think, with attributions."""
    probe = load(folder, **ASKED, thinking="allow")
    probe.prepare(traces=True)
    return probe


def test_attribution_starts_after_the_thought(opened):
    """CWA is the signed sum over the answer's steps alone, and a mean per step is over those."""
    every = opened.traces("en")
    heads = []
    for one in every:
        skip, counts = one.response.thought_tokens, one.adherence.counts
        signs = np.array(
            [1 if count <= one.response.prompt.n_words else -1 for count in counts[skip:]], float
        )
        if one.adherence.ended and counts[-1] != one.response.prompt.n_words:
            signs[-1] = -1
        heads.append(np.tensordot(signs, one.trace.token.heads[skip:], 1))

    assert np.allclose(cwa_by_component(opened, "en").heads, heads)
    steps = [len(one.trace.token.logits) - one.response.thought_tokens for one in every]
    per_step = cwa_by_component(opened, "en", per_step=True).heads
    assert np.allclose(per_step, [one / n for one, n in zip(heads, steps, strict=True)])
    adherences = [one.adherence for one in every]
    plain = token_weights(adherences, [3] * len(every), signs="all-plus")
    assert all(weights[:2] == (0.0, 0.0) for weights in plain)
    assert cumulative([one.trace.token for one in every], plain).heads.shape[0] == len(every)


def test_forced_text_has_the_thought_of_its_own(opened):
    """Forced again, by its tokens or as another tokenizer has them, a response has the same answer."""
    every = opened.traces("en")
    texts = [
        Forced(one.prompt, one.token_ids, None, one.finish_reason == "stop", opened=True)
        for one in (each.response for each in every)
    ]
    own = opened.forced(texts, target="token")
    assert [one.adherence for one in own] == [one.adherence for one in every]

    other = load("tiny-it", **ASKED)
    anew = other.forced(
        [replace(text, text=one.response.text) for text, one in zip(texts, every, strict=True)],
        target="token",
    )
    for one, its in zip(anew, every, strict=True):
        thought = one.adherence.thought
        n_thought = thought.index(False)
        # tiny-it has no tokens for the marks, and writes them with several.
        assert n_thought > its.response.thought_tokens
        assert not any(thought[n_thought:])
        assert (one.adherence.counts[n_thought - 1], one.adherence.counts[-1]) == (
            0,
            its.adherence.counts[-1],
        )


def test_cwa_on_another_text_starts_after_its_thought(opened):
    """The other checkpoint's components are weighed at the answer's steps alone."""
    other = load("tiny-it", **ASKED)
    found = cwa_by_component(other, "en", text_of=opened)
    texts = [
        Forced(one.prompt, one.token_ids, one.text, one.finish_reason == "stop", opened=True)
        for one in (each.response for each in opened.traces("en"))
    ]

    by_hand = []
    for one in other.forced(texts, target="token"):
        skip = one.adherence.thought.index(False)
        signs = np.array(one.adherence.signs(texts[len(by_hand)].prompt.n_words)[skip:], float)
        assert set(signs) <= {1, -1}
        by_hand.append(np.tensordot(signs, one.contributions.heads[skip:], 1))
    assert np.allclose(found.heads, by_hand)


def test_text_that_is_all_thought_weighs_nothing(opened):
    """Without its closing mark only the prompt tells that it is a thought: no step of it has a sign."""
    first, *others = opened.traces("en")
    cut = replace(first.response, token_ids=first.response.token_ids[:1], text="hmm", finish_reason="length")
    every = [replace(first, response=cut), *others]
    source = SimpleNamespace(name=opened.name, settings=opened.settings, traces=lambda _: every)

    found = cwa_by_component(load("tiny-it", **ASKED), "en", text_of=source)

    assert cut.is_unfinished_thought
    assert not found.heads[0].any()
    assert not found.mlps[0].any()
    assert found.heads[1].any()


def test_stop_margin_and_number_swap_start_after_the_thought(opened):
    """No step of a thought is a place to end, and what is forced is the thought with N words after it."""
    every = opened.traces("en")
    weights = stop_weights([one.adherence for one in every], [one.response.prompt.n_words for one in every])
    for one, weight in zip(every, weights, strict=True):
        skip = one.response.thought_tokens
        assert not any(weight[: skip + 1])
        assert min(word_boundaries(one.adherence)) > skip
    assert sum(map(any, weights)) > 6

    texts = number_swap_texts(opened, "en")
    assert len(texts) > 12
    for text in texts[: len(texts) // 2]:
        written = opened.checkpoint.decode(text.token_ids)
        assert written.startswith("hmm</think>")
        assert count_words(written) == text.prompt.n_words


def test_outputs_are_those_that_write_the_answer(opened):
    """The mean size of a component's output is over the answer's positions, and not over the thought's."""
    responses = [one for one in opened.responses("en") if split_of(one.prompt) == "discovery"]
    model = opened.checkpoint.model
    sums, n = torch.zeros(model.config.hidden_size), 0
    for one in responses:
        prompt = render(opened.checkpoint, one.prompt, opened.settings)
        seen = []
        handle = model.model.layers[2].mlp.register_forward_hook(
            lambda *call, seen=seen: seen.append(call[2])
        )
        with torch.inference_mode():
            model(torch.tensor([[*prompt, *one.token_ids]]))
        handle.remove()
        # The last token of the thought writes the first of the answer, the last of all the end.
        rows = seen[0][0, len(prompt) + one.thought_tokens - 1 :]
        assert len(rows) == len(one.token_ids) - one.thought_tokens + 1
        sums, n = sums + rows.sum(0), n + len(rows)

    assert torch.allclose(opened.outputs(["en"]).means.mlps[2], sums / n, atol=1e-4)


def test_traces_have_the_steps_of_the_response(opened):
    """Also where the cap came before the next look, and the row was written beyond."""
    asked = [one.prompt for one in opened.responses("en")]
    settings = replace(opened.settings, cap=3)

    found = answer(opened.checkpoint, asked, settings, readout_of(anatomy_of(opened.checkpoint.model)))

    assert {len(one.token_ids) for one in found.responses} == {2 + 3}
    for trace, one in zip(found.traces, found.adherences, strict=True):
        assert len(trace.token.logits) == len(trace.stop.logits) == len(one.counts) == 2 + 3


def test_figure_shows_the_answer(opened):
    """Word by word, from the first word after the thought."""
    example = portrait(opened, ["en"])["languages"]["en"]["example"]

    assert "think" not in example["response"]
    assert " ".join(one["text"] for one in example["words"]).split() == example["response"].split()
    one = next(one for one in opened.traces("en") if one.response.answer == example["response"])
    logits = one.trace.token.logits[one.response.thought_tokens :].sum()
    parts = ("late_heads", "final_mlp", "other")
    assert np.isclose(sum(word[part] for word in example["words"] for part in parts), logits, rtol=1e-4)
