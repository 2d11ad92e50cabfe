"""Batches: the same responses in every one, and smaller ones where memory is out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lengthprobe.checkpoints.chat.template import render
from lengthprobe.checkpoints.loading import Checkpoint, load_checkpoint
from lengthprobe.checkpoints.placement import choose_batch_size, place
from lengthprobe.errors import ModelError
from lengthprobe.generation.batches import batches
from lengthprobe.generation.transformers_engine import respond, respond_to_batch
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import Prompt, Response, prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FIXTURE_MODELS = Path(__file__).parents[2] / "fixtures" / "models"
TRAINED = sorted(path.parent.name for path in FIXTURE_MODELS.glob("*/model.safetensors"))
CPU = Settings(device_map="cpu", cap=30)
NEAR_TIE = 1e-4


def _prompts(count: int = 12) -> tuple[Prompt, ...]:
    return prompts("en", budget=count) + prompts("it", budget=count)


def _one_by_one(checkpoint: Checkpoint, asked: Sequence[Prompt], settings: Settings) -> tuple[Response, ...]:
    return tuple(respond_to_batch(checkpoint, [prompt], settings).responses[0] for prompt in asked)


def _near_ties(
    checkpoint: Checkpoint,
    settings: Settings,
    expected: Sequence[Response],
    actual: Sequence[Response],
) -> int:
    """How many responses differ, each from a step on whose two best logits are nearly equal."""
    differing = [pair for pair in zip(expected, actual, strict=True) if pair[0] != pair[1]]
    for one, batched in differing:
        assert one.prompt == batched.prompt
        pairs = list(zip(one.token_ids, batched.token_ids, strict=False))
        same = next((at for at, (a, b) in enumerate(pairs) if a != b), len(pairs))
        ids = torch.tensor([[*render(checkpoint, one.prompt, settings), *one.token_ids[:same]]])
        with torch.inference_mode():
            best, second = checkpoint.model(ids).logits[0, -1].topk(2).values.tolist()
        assert best - second < NEAR_TIE, (one.text, batched.text)
    return len(differing)


@pytest.mark.parametrize("shape", ["llama", "qwen3", "gemma2", "gemma3", "gpt2"])
def test_batched_equals_one_by_one(checkpoints: Callable[..., Path], shape: str) -> None:
    """In float32 a response is the same token for token in a batch of any size, near ties apart."""
    settings = replace(CPU, cap=16)
    checkpoint = load_checkpoint(str(checkpoints(shape)), settings)
    asked = _prompts(5)
    expected = _one_by_one(checkpoint, asked, settings)
    assert len({response.token_ids for response in expected}) > len(asked) // 2, "they hang on the prompt"
    ties = sum(
        _near_ties(checkpoint, settings, expected, respond(checkpoint, asked, settings, batch_size=size))
        for size in (2, 3, 4, 5)
    )
    assert ties <= 1


@pytest.mark.parametrize("name", TRAINED)
def test_batched_equals_one_by_one_on_fixture_models(name: str) -> None:
    """On every fixture model, too, a response is the same in small batches, near ties apart."""
    checkpoint = load_checkpoint(name, CPU)
    asked = _prompts(4)
    expected = _one_by_one(checkpoint, asked, CPU)
    ties = sum(
        _near_ties(checkpoint, CPU, expected, respond(checkpoint, asked, CPU, batch_size=size))
        for size in (2, 4)
    )
    assert ties <= 1


# A full batch of the default size; the base model writes up to the cap, so its cap is smaller.
@pytest.mark.parametrize(("name", "cap"), [("tiny-it", 30), ("tiny-base", 6)])
def test_default_batch_equals_one_by_one(name: str, cap: int) -> None:
    """At the default batch size each of 100 prompts is answered as it is alone, near ties apart."""
    settings = replace(CPU, cap=cap)
    checkpoint = load_checkpoint(name, settings)
    asked = prompts("en", budget=100)
    size = choose_batch_size(checkpoint.files, settings, place(checkpoint.files, settings))
    assert [len(batch) for batch in batches(asked, size)] == [100]
    expected = _one_by_one(checkpoint, asked, settings)
    assert (
        _near_ties(checkpoint, settings, expected, respond(checkpoint, asked, settings, batch_size=size)) <= 1
    )


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_attention_implementations_agree(llama: Checkpoint, attention: str) -> None:
    """Left padding is masked by either attention implementation."""
    asked = _prompts(4)
    expected = _one_by_one(llama, asked, CPU)
    llama.model.set_attn_implementation(attention)
    try:
        actual = respond(llama, asked, CPU, batch_size=4)
    finally:
        llama.model.set_attn_implementation("sdpa")
    assert _near_ties(llama, CPU, expected, actual) <= 1


def test_batches() -> None:
    """Batches are nearly equal, of one language each, by requested length, and hang on nothing else."""
    asked = _prompts(25)
    found = batches(asked, 10)
    assert [len(batch) for batch in found] == [9, 9, 7, 9, 9, 7]
    assert all(len({prompt.language for prompt in batch}) == 1 for batch in found)
    english = [prompt.n_words for batch in found[:3] for prompt in batch]
    assert english == sorted(english)
    assert batches(asked[::-1], 10) == found
    assert batches((), 10) == ()


def test_progress(llama: Checkpoint) -> None:
    """Progress counts the prompts answered after each batch."""
    told: list[tuple[int, int]] = []
    respond(llama, _prompts(6), CPU, batch_size=4, progress=lambda *now: told.append(now))
    assert told == [(3, 12), (6, 12), (9, 12), (12, 12)]


def test_batch_runs_as_long_as_its_longest_response(
    own: Checkpoint, forward_hook: Callable[..., None]
) -> None:
    """Any of the end tokens lets a row rest, and a batch whose rows all rest is over."""
    found = respond(own, _prompts(), CPU, batch_size=24)
    ended = [response for response in found if response.finish_reason == "stop"][:6]
    steps: list[int] = []
    forward_hook(lambda *_: steps.append(1))
    respond_to_batch(own, [response.prompt for response in ended], CPU)
    # One step for each token, and one for the end token.
    assert len(steps) == max(len(response.token_ids) for response in ended) + 1 < CPU.cap


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:30],
)
def test_memory_is_out_for_a_batch(
    own: Checkpoint, forward_hook: Callable[..., None], error: Exception
) -> None:
    """A batch that does not fit is halved until it does, and says into how many pieces."""
    asked, short = prompts("en", budget=10), replace(CPU, cap=8)
    expected = _one_by_one(own, asked, short)

    def full(_module: object, _inputs: object, output: Any) -> None:
        if output.logits.shape[0] > 3:
            raise error

    forward_hook(full)
    answered = respond_to_batch(own, asked, short)
    assert _near_ties(own, short, expected, answered.responses) <= 1
    # 10 → 5 + 5 → 3 + 2 and 3 + 2.
    assert answered.pieces == 4


def test_memory_is_out_for_one_prompt(own: Checkpoint, forward_hook: Callable[..., None]) -> None:
    """One prompt that does not fit is an error that says what would make it fit."""

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    forward_hook(full)
    with pytest.raises(ModelError, match="out of memory on cpu with a single prompt of") as raised:
        respond(own, _prompts(2), CPU, batch_size=4)
    assert "--lengthprobe-cap" in raised.value.fix


def test_other_errors_pass(own: Checkpoint, forward_hook: Callable[..., None]) -> None:
    """An error that is not about memory is not taken for one."""

    def broken(*_: object) -> None:
        raise RuntimeError("shapes cannot be multiplied")

    forward_hook(broken)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        respond(own, _prompts(2), CPU, batch_size=4)


def test_interrupt_passes(own: Checkpoint, forward_hook: Callable[..., None]) -> None:
    """Ctrl-C ends a generation at once."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        respond(own, _prompts(2), CPU, batch_size=4)
