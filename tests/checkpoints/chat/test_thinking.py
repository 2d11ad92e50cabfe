"""A checkpoint that really thinks: what stands after its thought is judged, and the thought has room."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lengthprobe import load, measures
from lengthprobe.checkpoints.chat.template import opens_thought
from lengthprobe.components.names import Ablation
from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.generation.runaways import Limits
from lengthprobe.generation.transformers_engine import respond
from lengthprobe.task.prompts import prompts
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
    """Return the checkpoint whose template opens a thought, allowed to think."""
    return load(folders(OPENED), **ASKED, thinking="allow")


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


@pytest.mark.parametrize("prompt_end", [OPENED, SWITCHED])
def test_row_of_a_batch_equals_the_row_alone(folders, prompt_end):
    """Where a thought ends, and how much room is left after it, hangs on the row alone."""
    probe = load(folders(prompt_end), **ASKED, thinking="allow")
    every = probe.responses("en")
    asked = [one.prompt for one in every]

    for cap in (30, 5):
        settings = replace(probe.settings, cap=cap)
        together, alone = (respond(probe.checkpoint, asked, settings, batch_size=n) for n in (12, 1))
        assert together == alone
    assert {one.finish_reason for one in every} == {"stop"}


def test_ordinary_checkpoint_answers_alike():
    """Where a checkpoint thinks nothing, room for a thought changes no token, whatever the cap."""
    off, allowed = (load("tiny-it", **ASKED, thinking=how) for how in ("off", "allow"))
    asked = [one.prompt for one in off.responses("en")]

    assert allowed.responses("en") == off.responses("en")
    for cap in (1, 5, 8, 13):
        one, other = (
            respond(probe.checkpoint, asked, replace(probe.settings, cap=cap), batch_size=12)
            for probe in (off, allowed)
        )
        assert one == other
    assert (off.responses("en")[0].opened, off.responses("en")[0].thought_tokens) == (False, 0)


def test_request_that_speaks_of_a_mark_opens_no_thought():
    """Only what the template writes after the request does, be the request trimmed or not."""
    probe = load("tiny-it", **ASKED)
    asked = [replace(one, text=" Write <think> and three words ") for one in prompts("en", budget=2)]
    trims = str(probe.checkpoint.chat_template)
    keeps = trims.replace(" | trim", "")
    assert keeps != trims
    for template in (trims, keeps):
        checkpoint = replace(probe.checkpoint, chat_template=template)
        assert not opens_thought(checkpoint, asked[0], probe.settings)


def test_endless_thought_has_a_limit_of_its_own(folders):
    """Half of what the context has beside the cap; each answer is an unfinished thought, and none runs on."""
    probe = load(folders(OPENED, endless=True), **ASKED, thinking="allow")

    assert {len(one.token_ids) for one in probe.responses("en")} == {(512 - 30) // 2}
    assert all(one.is_unfinished_thought for one in probe.responses("en"))
    assert measures.unfinished_thoughts(probe, language="en").mean == 1
    with pytest.raises(ModelError, match="12 of 12 answers in 'en' are an unfinished thought"):
        measures.runaways(probe, language="en")


def test_runaway_is_seen_after_a_thought(opened):
    """Words of the thought are none above N, those after it are; and an ordinary answer stays whole."""
    every = opened.responses("en")
    limits = Limits(opened.checkpoint, (every[0].prompt,), 0, "uax29", opened=True)
    tokenizer = opened.checkpoint.tokenizer
    long = tokenizer("waves sing and " * 10, add_special_tokens=False)["input_ids"]
    closing = tokenizer.convert_tokens_to_ids("</think>")

    assert not limits.is_past(0, long)
    assert not limits.is_past(0, [*long, closing, *long[:2]])
    assert limits.is_past(0, [*long, closing, *long])
    followed = opened.under([(one.prompt, Ablation()) for one in every], beyond=10)
    assert [one.text for one in followed] == [one.text for one in every]


def test_words_of_one_kind_leave_no_thought(folders):
    """Who may write some words alone cannot think first."""
    probe = load(folders(OPENED), **(ASKED | {"budget": 60}), thinking="allow")
    probe.responses("en")

    with probe.writing("one-token") as constrained, pytest.raises(SettingsError, match="cannot think first"):
        constrained.responses("en")
