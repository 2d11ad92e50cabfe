"""Greedy responses: what they are, how they end, and logits that are usable or refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers

from lengthprobe.checkpoints.chat.template import render
from lengthprobe.checkpoints.loading import Checkpoint, load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.generation.transformers_engine import check_logits, respond
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import Prompt, prompts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu", cap=30)


def _prompts(count: int = 12) -> tuple[Prompt, ...]:
    return prompts("en", budget=count) + prompts("it", budget=count)


def test_responses(llama: Checkpoint) -> None:
    """A response comes to each prompt in order, holds no end token, and says why it ended."""
    asked = _prompts()
    responses = respond(llama, asked, CPU, batch_size=5)
    assert tuple(response.prompt for response in responses) == asked
    assert not any(set(response.token_ids) & set(llama.end_token_ids) for response in responses)
    reasons = {(response.finish_reason, len(response.token_ids) == CPU.cap) for response in responses}
    assert reasons == {("stop", False), ("length", True)}


def test_text_is_the_tokens_without_special_ones(llama: Checkpoint) -> None:
    """The text of a response is its ordinary tokens, decoded and otherwise untouched."""
    ordinary = [
        response
        for response in respond(llama, _prompts(), CPU, batch_size=50)
        if all(token > 4 for token in response.token_ids)
    ]
    assert ordinary
    for response in ordinary:
        text = llama.tokenizer.decode(response.token_ids, clean_up_tokenization_spaces=False)
        assert response.text == text


def test_greedy_is_the_best_token_at_each_step(llama: Checkpoint) -> None:
    """Each token of a response is the argmax of a plain forward pass."""
    for response in respond(llama, prompts("en", budget=4), CPU, batch_size=4):
        start = render(llama, response.prompt, CPU)
        with torch.inference_mode():
            logits = llama.model(torch.tensor([[*start, *response.token_ids]])).logits[0]
        best = logits.argmax(-1)[len(start) - 1 :].tolist()
        assert best[: len(response.token_ids)] == list(response.token_ids)
        assert response.finish_reason == "length" or best[-1] in llama.end_token_ids


def test_every_end_token_ends(llama: Checkpoint) -> None:
    """Taking the token that a response begins with for an end token ends it there."""
    asked = prompts("en", budget=20)
    first = respond(llama, asked, CPU, batch_size=20)
    token = Counter(response.token_ids[0] for response in first if response.token_ids).most_common(1)[0][0]
    ended = respond(replace(llama, end_token_ids=(1, token)), asked, CPU, batch_size=20)
    for before, after in zip(first, ended, strict=True):
        if before.token_ids[:1] == (token,):
            assert (after.token_ids, after.text, after.finish_reason) == ((), "", "stop")


@pytest.mark.parametrize(
    "asked_for",
    [
        {"do_sample": True, "temperature": 5.0},
        {"repetition_penalty": 50.0},
        {"min_new_tokens": 25},
        {"num_beams": 3},
        {"bad_words_ids": [[token] for token in range(72, 200)]},
        {"forced_eos_token_id": 300},
        {"suppress_tokens": list(range(72, 200))},
        {"max_new_tokens": 2},
    ],
    ids=lambda asked_for: next(iter(asked_for)),
)
def test_generation_config_has_no_say(
    llama: Checkpoint, copy_of: Callable[..., Path], asked_for: dict[str, Any]
) -> None:
    """A checkpoint that asks for sampling, penalties, beams or forced tokens is decoded greedily."""
    directory = copy_of()
    stated = transformers.GenerationConfig.from_pretrained(directory)
    stated.update(**asked_for)
    stated.save_pretrained(directory)
    other = load_checkpoint(str(directory), CPU)
    asked = _prompts(5)
    assert respond(other, asked, CPU, batch_size=10) == respond(llama, asked, CPU, batch_size=10)


def test_cap(llama: Checkpoint) -> None:
    """No response is longer than the cap, and one that reaches it is cut off."""
    short = replace(CPU, cap=3)
    for cut, whole in zip(
        respond(llama, _prompts(), short, batch_size=9),
        respond(llama, _prompts(), CPU, batch_size=9),
        strict=True,
    ):
        assert cut.token_ids == whole.token_ids[:3]
        assert cut.finish_reason == ("length" if len(whole.token_ids) >= 3 else "stop")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_on_a_cpu(checkpoints: Callable[..., Path], dtype: str) -> None:
    """A CPU answers in bfloat16 and float16 when it is asked to, though by itself it takes float32."""
    settings = replace(CPU, dtype=dtype, cap=4)
    checkpoint = load_checkpoint(str(checkpoints("llama")), settings)
    check_logits(checkpoint, _prompts(1)[0], settings)
    assert len(respond(checkpoint, _prompts(2), settings, batch_size=4)) == 4


def test_context_is_too_short(own: Checkpoint) -> None:
    """A prompt and a cap that do not fit are answered with the numbers and the cap that fits."""
    prompt = prompts("en", budget=1)[0]
    length = len(render(own, prompt, CPU))
    narrow = replace(own, context=length + 10)
    message = rf"at most {length + 10} tokens: a prompt of {length} and a cap of 30 make {length + 30}"
    with pytest.raises(ModelError, match=message) as raised:
        respond(narrow, [prompt], CPU, batch_size=1)
    assert raised.value.fix == "--lengthprobe-cap=10 (or less)"
    assert respond(narrow, [prompt], replace(CPU, cap=10), batch_size=1)


def test_prompt_alone_is_too_long(own: Checkpoint) -> None:
    """A prompt that fills the context by itself is answered without a cap."""
    with pytest.raises(ModelError) as raised:
        respond(replace(own, context=5), _prompts(1), CPU, batch_size=1)
    assert raised.value.fix == "a shorter system prompt, or a longer context"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_not_finite(own: Checkpoint, forward_hook: Callable[..., None], value: float) -> None:
    """NaN or infinite logits of any row at any step are an error, found before a batch or in it."""
    steps = iter(range(1000))

    def spoil(_module: object, _inputs: object, output: Any) -> None:
        if next(steps) == 2:
            output.logits[-1, -1, 7] = value

    forward_hook(spoil)
    with pytest.raises(ModelError, match="logits that are NaN or infinite") as raised:
        respond(own, _prompts(2), CPU, batch_size=4)
    assert "the checkpoint is broken" in raised.value.fix


def test_logits_too_large_for_float16(copy_of: Callable[..., Path]) -> None:
    """A model that overflows float16 is answered with a wider format."""
    directory = copy_of()
    model = transformers.AutoModelForCausalLM.from_pretrained(directory)
    model.model.norm.weight.data.fill_(60000.0)
    model.lm_head.weight.data.mul_(10)
    model.save_pretrained(directory)
    checkpoint = load_checkpoint(str(directory), replace(CPU, dtype="float16"))
    with pytest.raises(ModelError, match="NaN or infinite") as raised:
        check_logits(checkpoint, prompts("en", budget=1)[0], CPU)
    assert "--lengthprobe-dtype=bfloat16" in raised.value.fix


def test_logits_that_are_all_equal(own: Checkpoint) -> None:
    """A model whose output layer is empty is an error, found by one pass or in a batch."""
    own.model.lm_head.weight.data.zero_()
    with pytest.raises(ModelError, match="every token the same logit"):
        check_logits(own, prompts("en", budget=1)[0], CPU)
    with pytest.raises(ModelError, match="every token the same logit"):
        respond(own, _prompts(2), CPU, batch_size=4)


def test_masked_logits_are_usable(own: Checkpoint, forward_hook: Callable[..., None]) -> None:
    """A token that is never to be written may have a logit of minus infinity."""

    def mask(_module: object, _inputs: object, output: Any) -> None:
        output.logits[..., 390:] = -torch.inf

    forward_hook(mask)
    check_logits(own, prompts("en", budget=1)[0], CPU)
    assert respond(own, _prompts(2), CPU, batch_size=4)


def test_one_word_for_ever(own: Checkpoint, forward_hook: Callable[..., None]) -> None:
    """A model that always writes the same word is no error: its claims are broken."""

    def repeat(_module: object, _inputs: object, output: Any) -> None:
        output.logits[..., 100] = 1000.0

    forward_hook(repeat)
    check_logits(own, prompts("en", budget=1)[0], CPU)
    assert {response.token_ids for response in respond(own, _prompts(2), CPU, batch_size=4)} == {(100,) * 30}


def test_good_logits_pass(llama: Checkpoint) -> None:
    """A model with a distribution over tokens passes the check."""
    check_logits(llama, prompts("it", budget=1)[0], CPU)
