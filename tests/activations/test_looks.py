"""Looks: which tokens stand for a number in a prompt, and what heads give them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lengthprobe.activations import looks as room
from lengthprobe.activations.attention import attention_shares
from lengthprobe.activations.look import Look
from lengthprobe.activations.looks import look, token_places
from lengthprobe.checkpoints.chat.template import render
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.components.names import Component
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings
from lengthprobe.task.distractor import distracted_prompt
from lengthprobe.task.prompts import prompts
from tests.conftest import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.probe import Probe

SETTINGS = Settings(device_map="cpu")
HEADS = (Component(3, 0), Component(4, 2))


def looks(tiny_it: Probe, n: int = 6) -> list[Look]:
    """Looks from every second step of some responses at N, and at another number before the request."""
    found = []
    for response in tiny_it.responses("it")[:n]:
        both = distracted_prompt(response.prompt, tiny_it.settings.lengths, before=True)
        steps = tuple(range(1, len(response.token_ids) + 1, 2))
        found.append(Look(both.prompt, response.token_ids, steps, (both.number, (both.distractor,))))
    return found


@pytest.mark.parametrize("shape", ["tiny-it", *SHAPES])
@pytest.mark.parametrize("form", ["chat", "plain"])
@pytest.mark.parametrize("system", [None, "Request 7: write exactly seven words."])
def test_tokens_of_the_number(
    checkpoints: Callable[..., Path], shape: str, form: str, system: str | None
) -> None:
    """They say the number, and without the first or the last of them they do not."""
    if form == "plain" and system:
        pytest.skip("a plain prompt has no system message")
    settings = Settings(device_map="cpu", prompt_form=form, system_prompt=system)
    checkpoint = load_checkpoint(shape if shape == "tiny-it" else str(checkpoints(shape)), settings)
    for prompt in prompts("en", budget=30):
        both = distracted_prompt(prompt, settings.lengths, before=False)
        tokens = render(checkpoint, both.prompt, settings)
        for spans in (both.number, (both.distractor,)):
            ((first, last),) = spans
            places = token_places(checkpoint, both.prompt, settings, spans)
            said = [checkpoint.decode(tokens[at : at + 1]) for at in places]
            number = both.prompt.text[first:last]
            assert number in "".join(said)
            assert number not in "".join(said[1:])
            assert number not in "".join(said[:-1])
            assert places == tuple(range(places[0], places[-1] + 1))
            # It is the one in the text, and none that a system prompt names.
            before = checkpoint.decode(tokens[: places[0]])
            assert before.rstrip().endswith(both.prompt.text[:first].rstrip()[-8:])


def test_each_look_is_by_itself(tiny_it: Probe) -> None:
    """In whatever batches, each gives the numbers of its own row, which has no padding."""
    checkpoint = tiny_it.checkpoint
    asked = looks(tiny_it)
    found = look(checkpoint, asked, SETTINGS, HEADS, batch_size=4)
    for one, shares in zip(asked, found, strict=True):
        prompt = render(checkpoint, one.prompt, SETTINGS)
        ids = torch.tensor([[*prompt, *one.token_ids]])
        targets = torch.zeros((2, 1, ids.shape[1]), dtype=torch.bool)
        for k, spans in enumerate(one.targets):
            targets[k, 0, list(token_places(checkpoint, one.prompt, SETTINGS, spans))] = True
        # The token before step t is the last of the prompt and t of the text.
        places = [len(prompt) - 1 + step for step in one.steps]
        (expected,) = attention_shares(checkpoint.model, ids, torch.ones_like(ids), [places], HEADS, targets)
        assert shares.shape == (len(one.steps), 2, 2)
        assert shares.ravel().tolist() == pytest.approx(expected.flatten().tolist(), abs=1e-5)


def test_nothing_is_asked(tiny_it: Probe) -> None:
    """No look gives nothing."""
    assert look(tiny_it.checkpoint, [], SETTINGS, HEADS, batch_size=4) == []


def test_batches_are_halved_for_want_of_memory(tiny_it: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that does not fit is halved until it does; one text that does not fit is an error."""
    asked = looks(tiny_it, 5)
    expected = look(tiny_it.checkpoint, asked, SETTINGS, HEADS, batch_size=5)
    tried: list[int] = []
    room_for = 2

    def shares(model: Any, ids: torch.Tensor, *rest: Any) -> Any:
        tried.append(len(ids))
        if len(ids) > room_for:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return attention_shares(model, ids, *rest)

    monkeypatch.setattr(room, "attention_shares", shares)
    found = look(tiny_it.checkpoint, asked, SETTINGS, HEADS, batch_size=5)
    assert tried == [5, 3, 2, 1, 2]
    for one, wanted in zip(found, expected, strict=True):
        assert one.ravel().tolist() == pytest.approx(wanted.ravel().tolist(), abs=1e-5)
    room_for = 0
    with pytest.raises(ModelError, match="tiny-it runs out of memory on cpu with a single text"):
        look(tiny_it.checkpoint, asked, SETTINGS, HEADS, batch_size=5)


def test_text_that_is_too_long(tiny_it: Probe) -> None:
    """As when a text is forced."""
    (one,) = looks(tiny_it, 1)
    long = replace(one, token_ids=(100,) * 5000, steps=(5000,))
    with pytest.raises(ModelError, match="reads at most"):
        look(tiny_it.checkpoint, [long], SETTINGS, HEADS, batch_size=1)


class _Slow:
    """A tokenizer that is written in Python."""

    is_fast = False


def _with(checkpoint: Checkpoint, **changes: Any) -> Checkpoint:
    return replace(checkpoint, **changes)


def test_tokenizer_without_offsets(tiny_it: Probe) -> None:
    """Which tokens are the number's is not guessed."""
    (one,) = looks(tiny_it, 1)
    slow = _with(tiny_it.checkpoint, tokenizer=_Slow())
    with pytest.raises(ModelError, match=r"does not say which characters.*_Slow") as caught:
        token_places(slow, one.prompt, SETTINGS, one.targets[0])
    assert "tokenizer.json" in caught.value.fix


def test_template_that_changes_the_text(tiny_it: Probe) -> None:
    """The number is then nowhere that is known."""
    (one,) = looks(tiny_it, 1)
    loud = _with(tiny_it.checkpoint, chat_template="{{ messages[-1]['content'] | upper }}")
    with pytest.raises(ModelError, match="chat template of tiny-it changes what it is given"):
        token_places(loud, one.prompt, SETTINGS, one.targets[0])
