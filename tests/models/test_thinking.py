"""A checkpoint that really thinks: what stands after its thought is judged, and the thought has room."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lengthprobe import load, measures
from lengthprobe.attribution.cumulative import cumulative, token_weights
from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.measures.cwa import cwa_by_part
from lengthprobe.measures.portrait import portrait
from lengthprobe.models.catalog import resolve
from lengthprobe.models.components import Ablation
from lengthprobe.models.generation import respond
from lengthprobe.runs.keys import question_key
from lengthprobe.settings import Settings
from tests.thinkers import CLOSED, OPENED, SWITCHED, thinker

ASKED = {"budget": 12, "device_map": "cpu", "languages": ("en",), "cap": 30}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return a function that makes a checkpoint that thinks, once for each way."""
    made = {}

    def folder(prompt_end, **how):
        key = (prompt_end, *how)
        if key not in made:
            made[key] = thinker(tmp_path_factory.mktemp("thinker"), prompt_end, **how)
        return str(made[key])

    return folder


@pytest.fixture(scope="module")
def opened(folders):
    """The checkpoint whose template opens a thought, allowed to think, with attributions."""
    probe = load(folders(OPENED), **ASKED, thinking="allow")
    probe.prepare(traces=True)
    return probe


def test_thought_that_the_template_opens_is_not_judged(opened):
    """Its tokens are known, and the answer after it is as exact as the model is."""
    first = opened.responses("en")[0]

    assert first.text.startswith("hmm</think>")
    assert (first.opened, first.thought_tokens, first.is_unfinished_thought) == (True, 2, False)
    assert first.answer == first.text.removeprefix("hmm</think>")
    assert measures.exact_match(opened, language="en").mean > 0.7


def test_without_a_switch_thinking_must_be_allowed(folders):
    """Off by default: the message names the template, and its fix works."""
    probe = load(folders(OPENED), **ASKED)

    with pytest.raises(
        ModelError, match=r"opens a thought \('<think>'\), and none of the switches"
    ) as raised:
        probe.responses("en")

    assert raised.value.fix.startswith("--lengthprobe-thinking=allow")


def test_template_is_told_to_switch_thoughts_off(folders):
    """By default nothing is thought; allowed, the same checkpoint thinks first."""
    off, allowed = (load(folders(SWITCHED), **ASKED, thinking=how) for how in ("off", "allow"))

    assert {one.thought_tokens for one in off.responses("en")} == {0}
    assert {one.thought_tokens for one in allowed.responses("en")} == {3}
    assert all(one.text.startswith("<think>hmm</think>") for one in allowed.responses("en"))
    assert [probe.form.thinking for probe in (off, allowed)] == ["off", "allow"]
    assert [probe.identity().thinking for probe in (off, allowed)] == ["off", "allow"]
    assert [probe.identity().template_arguments["enable_thinking"] for probe in (off, allowed)] == [0, 1]


def test_marks_that_are_special_tokens_are_kept(folders):
    """Decoding leaves special tokens out, and the thought would be a part of the answer."""
    probe = load(folders(SWITCHED, special=True), **ASKED, thinking="allow")
    first = probe.responses("en")[0]

    assert first.text.startswith("<think> </think>")
    assert (first.thought_tokens, "think" in first.answer) == (3, False)


def test_thought_that_the_template_closes_is_none(folders):
    """An empty thought in the prompt opens nothing."""
    probe = load(folders(CLOSED), **ASKED)

    assert {one.opened for one in probe.responses("en")} == {False}
    assert measures.exact_match(probe, language="en").mean > 0.7


def test_cap_counts_the_tokens_after_the_thought(folders):
    """A cap of three cuts every answer at three tokens, also one that ended before the next look."""
    probe = load(folders(OPENED), **ASKED, thinking="allow")
    asked = [one.prompt for one in probe.responses("en")]

    short = respond(probe.checkpoint, asked, replace(probe.settings, cap=3), batch_size=12)

    assert {len(one.token_ids) - one.thought_tokens for one in short} == {3}
    assert {one.finish_reason for one in short} == {"length"}
    assert all(
        one.token_ids == whole.token_ids[:5] for one, whole in zip(short, probe.responses("en"), strict=True)
    )


def test_endless_thought_has_a_limit_of_its_own(folders):
    """Half of what the context has beside the cap; each answer is an unfinished thought, and none runs on."""
    probe = load(folders(OPENED, endless=True), **ASKED, thinking="allow")

    assert {len(one.token_ids) for one in probe.responses("en")} == {(512 - 30) // 2}
    assert all(one.is_unfinished_thought for one in probe.responses("en"))
    assert measures.unfinished_thoughts(probe, language="en").mean == 1
    with pytest.raises(ModelError, match="12 of 12 answers in 'en' are an unfinished thought"):
        measures.runaways(probe, language="en")


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

    assert np.allclose(cwa_by_part(opened, "en").heads, heads)
    steps = [len(one.trace.token.logits) - one.response.thought_tokens for one in every]
    per_step = cwa_by_part(opened, "en", per_step=True).heads
    assert np.allclose(per_step, [one / n for one, n in zip(heads, steps, strict=True)])
    adherences = [one.adherence for one in every]
    plain = token_weights(adherences, [3] * len(every), signs="all-plus")
    assert all(weights[:2] == (0.0, 0.0) for weights in plain)
    assert cumulative([one.trace.token for one in every], plain).heads.shape[0] == len(every)


def test_traces_have_the_steps_of_the_response(folders):
    """Also where the limit ended it before the batch was over."""
    probe = load(folders(OPENED), **(ASKED | {"cap": 6, "lengths": (3,)}), thinking="allow")

    reasons = {one.finish_reason for one in probe.responses("en")}
    for one in probe.traces("en"):
        steps = len(one.response.token_ids) + (one.response.finish_reason == "stop")
        assert len(one.trace.token.logits) == len(one.trace.stop.logits) == len(one.adherence.counts) == steps
    assert reasons == {"stop", "length"}


def test_figure_shows_the_answer(opened):
    """Word by word, from the first word after the thought."""
    example = portrait(opened, ["en"])["languages"]["en"]["example"]

    assert "think" not in example["response"]
    assert " ".join(one["text"] for one in example["words"]).split() == example["response"].split()


def test_runaway_is_seen_after_a_thought(folders):
    """Words of the thought are none above N; the response stays the same up to where it is cut."""
    probe = load(folders(OPENED), **ASKED, thinking="allow")
    prompts = [one.prompt for one in probe.responses("en")]
    followed = probe.under([(prompt, Ablation()) for prompt in prompts], beyond=10)
    assert [one.text for one in followed] == [one.text for one in probe.responses("en")]


def test_words_of_one_kind_leave_no_thought(folders):
    """Who may write some words alone cannot think first."""
    probe = load(folders(OPENED), **(ASKED | {"budget": 60}), thinking="allow")
    probe.responses("en")

    with probe.writing("one-token") as constrained, pytest.raises(SettingsError, match="cannot think first"):
        constrained.responses("en")


def test_settings_are_told_apart():
    """Another setting has other answers, also where processes share them."""
    off = Settings()
    keys = {question_key(resolve("tiny-it"), one, 8, {}) for one in (off, replace(off, thinking="allow"))}
    assert len(keys) == 2
