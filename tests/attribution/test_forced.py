"""Forced texts: the attribution of texts that a checkpoint was given, whoever wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from lengthprobe.attribution import direct_logit_attribution, forced
from lengthprobe.attribution.forced import attribute_forced
from lengthprobe.attribution.forced_text import Forced
from lengthprobe.checkpoints.chat.template import render
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings
from lengthprobe.task.adherence import adherence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lengthprobe.attribution.trace import Contributions, ForcedTrace
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.probe import Probe
    from lengthprobe.task.prompts import Response

NAMES = ("heads", "mlps", "embedding", "biases", "logits")


@pytest.fixture(scope="module")
def other(checkpoints: Callable[..., Path]) -> Checkpoint:
    """A random model with another tokenizer."""
    return load_checkpoint(str(checkpoints("llama")), Settings(device_map="cpu"))


def _whole(response: Response) -> Forced:
    return Forced(response.prompt, response.token_ids, response.text, response.finish_reason == "stop")


def _forced(
    checkpoint: Checkpoint, texts: list[Forced], target: str = "token", batch_size: int = 8
) -> list[ForcedTrace]:
    settings = Settings(device_map="cpu")
    return attribute_forced(checkpoint, texts, settings, target=target, batch_size=batch_size)


def _by_hand(checkpoint: Checkpoint, text: Forced, tokens: list[int], target: str) -> Any:
    """One row by itself, without padding; the step after the tokens is that of the first end token."""
    prompt = render(checkpoint, text.prompt, Settings(device_map="cpu"))
    ids = torch.tensor([[*prompt, *tokens, checkpoint.end_token_ids[0]]])
    return direct_logit_attribution(
        checkpoint.model,
        ids,
        torch.ones_like(ids),
        len(prompt),
        target=target,
        end_token_ids=checkpoint.end_token_ids,
    )


def _assert_equal(found: Contributions, expected: Any, steps: slice) -> None:
    for name in NAMES:
        wanted = getattr(expected, name)[0, steps].numpy()
        assert getattr(found, name).shape == wanted.shape
        np.testing.assert_allclose(getattr(found, name), wanted, rtol=1e-4, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("target", ["token", "stop_margin"])
def test_each_text_is_attributed_by_itself(tiny_it: Probe, target: str) -> None:
    """In whatever batches, each text gives the numbers of its own row, in the order of the texts."""
    checkpoint = tiny_it.checkpoint
    # Without the end token: which of two it stands for is another test's.
    texts = [Forced(one.prompt, one.token_ids, None, ended=False) for one in tiny_it.responses("it")[:5]]
    for text, one in zip(texts, _forced(checkpoint, texts, target, batch_size=2), strict=True):
        expected = _by_hand(checkpoint, text, list(text.token_ids), target)
        _assert_equal(one.contributions, expected, slice(0, len(text.token_ids)))


def test_own_responses_give_what_was_captured(tiny_it: Probe) -> None:
    """A checkpoint's own responses, end tokens and all, give the numbers of the pass that wrote them."""
    traced = tiny_it.traces("en")[:6]
    for own, one in zip(
        traced, _forced(tiny_it.checkpoint, [_whole(one.response) for one in traced]), strict=True
    ):
        assert own.trace is not None
        for name in NAMES:
            captured = getattr(own.trace.token, name)
            np.testing.assert_allclose(getattr(one.contributions, name), captured, rtol=1e-4, atol=1e-4)
        assert one.adherence == own.adherence


def test_only_the_step_after_the_text(tiny_it: Probe) -> None:
    """Asked for alone, it is one step, without adherence, and the same as the last of every step."""
    response = tiny_it.responses("en")[0]
    text = Forced(response.prompt, response.token_ids[:3], None, ended=False, last_only=True)
    (one,) = _forced(tiny_it.checkpoint, [text], "stop_margin")
    assert one.adherence is None
    _assert_equal(
        one.contributions,
        _by_hand(tiny_it.checkpoint, text, list(text.token_ids), "stop_margin"),
        slice(3, 4),
    )


def test_nothing_but_the_step_after_the_prompt(tiny_it: Probe) -> None:
    """The step after an empty text is that of the response's first token."""
    text = Forced(tiny_it.responses("en")[0].prompt, (), None, ended=False, last_only=True)
    (one,) = _forced(tiny_it.checkpoint, [text], "stop_margin")
    _assert_equal(one.contributions, _by_hand(tiny_it.checkpoint, text, [], "stop_margin"), slice(0, 1))


def test_empty_text(tiny_it: Probe) -> None:
    """An empty text has no step but that of its end token."""
    prompt = tiny_it.responses("en")[0].prompt
    cut_off, ended = _forced(
        tiny_it.checkpoint, [Forced(prompt, (), "", ended=False), Forced(prompt, (), "", ended=True)]
    )
    assert (cut_off.contributions.heads.shape, ended.contributions.heads.shape) == ((0, 5, 4), (1, 5, 4))
    assert cut_off.adherence is not None
    assert ended.adherence is not None
    assert (cut_off.adherence.counts, ended.adherence.counts) == ((), (0,))


@pytest.mark.parametrize("known", [False, True])
def test_text_of_another_tokenizer(tiny_it: Probe, other: Checkpoint, known: bool) -> None:
    """Where the tokens say something else here, or nothing, the text is tokenized anew."""
    response = tiny_it.responses("en")[0]
    given = (100, 200, 300) if known else response.token_ids
    assert other.decode(given) != response.text
    assert (max(given) < len(other.tokenizer)) is known
    text = Forced(response.prompt, given, response.text, ended=True)
    (one,) = _forced(other, [text], "stop_margin")
    tokens = other.tokenizer.encode(response.text, add_special_tokens=False)
    _assert_equal(one.contributions, _by_hand(other, text, tokens, "stop_margin"), slice(None))
    assert one.adherence == adherence(tokens, other.decode, ended=True, language="en", counter="uax29")
    assert one.adherence.counts[-1] == 3  # what tiny-it was asked for, and wrote


def test_tokens_that_say_the_same_are_kept(tiny_it: Probe) -> None:
    """A text's own tokens are taken where they say it here too, though the tokenizer would take others."""
    checkpoint = tiny_it.checkpoint
    response = tiny_it.responses("en")[0]
    letters = [
        token for letter in "cat" for token in checkpoint.tokenizer.encode(letter, add_special_tokens=False)
    ]
    assert checkpoint.tokenizer.encode("cat", add_special_tokens=False) != letters
    (one,) = _forced(checkpoint, [Forced(response.prompt, tuple(letters), "cat", ended=False)])
    assert len(one.contributions.logits) == len(letters) == 3


def test_tokens_outside_the_vocabulary(tiny_it: Probe) -> None:
    """Special tokens that another checkpoint was taught, and that leave no text, are left out."""
    response = tiny_it.responses("en")[0]
    added = Forced(response.prompt, (*response.token_ids, 5000), response.text, ended=True)
    with_it, without = _forced(tiny_it.checkpoint, [added, _whole(response)])
    assert with_it.adherence is not None
    assert without.adherence is not None
    assert with_it.adherence.counts[-1] == without.adherence.counts[-1] == 3


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """Return a function that lets so many rows fit at once, and gives the sizes of the batches tried."""

    def room_for(most: int) -> list[int]:
        tried: list[int] = []

        def attributed(model: Any, ids: torch.Tensor, *rest: Any, **more: Any) -> Any:
            tried.append(len(ids))
            if len(ids) > most:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return direct_logit_attribution(model, ids, *rest, **more)

        monkeypatch.setattr(forced, "direct_logit_attribution", attributed)
        return tried

    return room_for


def test_batches_are_halved_for_want_of_memory(
    tiny_it: Probe, small_memory: Callable[[int], list[int]]
) -> None:
    """A batch that does not fit is halved until it does, and the answers are the same, in order."""
    texts = [_whole(one) for one in tiny_it.responses("en")[:5]]
    expected = _forced(tiny_it.checkpoint, texts)
    tried = small_memory(2)
    actual = _forced(tiny_it.checkpoint, texts)
    assert tried == [5, 3, 2, 1, 2]
    for one, wanted in zip(actual, expected, strict=True):
        for name in NAMES:
            found = getattr(one.contributions, name)
            np.testing.assert_allclose(found, getattr(wanted.contributions, name), rtol=1e-4, atol=1e-4)


def test_memory_is_out_for_one_text(tiny_it: Probe, small_memory: Callable[[int], list[int]]) -> None:
    """A text that does not fit by itself is an error that says what to type."""
    small_memory(0)
    text = _whole(tiny_it.responses("en")[0])
    prompt = render(tiny_it.checkpoint, text.prompt, tiny_it.settings)
    tokens = len(prompt) + len(text.token_ids) + 1  # with the end token
    with pytest.raises(
        ModelError, match=f"tiny-it runs out of memory on cpu with a single text of {tokens} tokens"
    ) as told:
        _forced(tiny_it.checkpoint, [text])
    assert "--lengthprobe-dtype=bfloat16" in told.value.fix


def test_other_errors_pass(tiny_it: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no want of memory is not tried again in pieces."""

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(forced, "direct_logit_attribution", fail)
    with pytest.raises(RuntimeError, match="the device is gone"):
        _forced(tiny_it.checkpoint, [_whole(one) for one in tiny_it.responses("en")[:2]])


def test_context_too_short(tiny_it: Probe) -> None:
    """A text that the model cannot read to its end is refused before anything is run."""
    text = Forced(tiny_it.responses("en")[0].prompt, (100,) * 500, None, ended=False)
    with pytest.raises(ModelError, match=r"tiny-it reads at most 512 tokens, .* has 5\d\d") as told:
        _forced(tiny_it.checkpoint, [text])
    assert "--lengthprobe-cap" in told.value.fix


def test_components_that_do_not_add_up(tiny_it: Probe) -> None:
    """A layer that adds something else to the stream is an error here too, whatever was proved before."""
    layer = tiny_it.checkpoint.model.model.layers[1]
    handle = layer.register_forward_hook(lambda _module, _inputs, output: output + 1.0)
    try:
        with pytest.raises(ModelError, match="tiny-it: the components of architecture llama do not add up"):
            _forced(tiny_it.checkpoint, [_whole(one) for one in tiny_it.responses("en")[:2]])
    finally:
        handle.remove()


def test_no_texts(tiny_it: Probe) -> None:
    """No text gives nothing."""
    assert _forced(tiny_it.checkpoint, []) == []
