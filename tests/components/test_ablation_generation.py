"""Responses of an ablated checkpoint: token for token those of the slowest way, in whatever pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from lengthprobe.checkpoints.chat.template import render
from lengthprobe.checkpoints.loading import Checkpoint
from lengthprobe.components.ablation import MeanOutputs, Surgery
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.donors import donor_tokens
from lengthprobe.components.names import MODES, Ablation, find_components
from lengthprobe.errors import ModelError
from lengthprobe.generation.transformers_engine import respond_to_batch
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import Prompt, prompts
from tests.components.ablated import patched

SHORT = Settings(device_map="cpu", cap=14)
# Of the fixture model, of 5 layers of 4 heads: its late heads, its final MLP, and others.
CUTS = ("L3H*,L4H*", "MLP4", "L3H0,L3H2,L4H0,L4H2", "L0H1,MLP1,L2")


def _asked(count: int = 4) -> tuple[Prompt, ...]:
    return prompts("en", budget=count) + prompts("it", budget=count)


def _surgery(checkpoint: Checkpoint, asked: tuple[Prompt, ...], mode: str, means: MeanOutputs) -> Surgery:
    """Each row with a cut of its own, and a donor where it is resampled."""
    size = {"n_layers": 5, "n_heads": 4, "model": "tiny-it"}
    cuts = [find_components(CUTS[at % len(CUTS)], **size) for at in range(len(asked))]
    donors = [donor_tokens(checkpoint, one, SHORT) for one in asked] if mode == "resample" else []
    rows = tuple(Ablation(**{mode: cut}) for cut in cuts)
    return Surgery(anatomy_of(checkpoint.model), rows, means, tuple(donors))


def _by_hand(checkpoint: Checkpoint, prompt: Prompt, surgery: Surgery, row: int) -> tuple[int, ...]:
    """The best token at each step, from a pass over all tokens before it."""
    start = list(render(checkpoint, prompt, SHORT))
    donor = list(surgery.donors[row]) if surgery.donors else None
    written: list[int] = []
    while len(written) < SHORT.cap:
        # The last token's place is for the next one, of which the logits before it do not hang.
        logits = patched(checkpoint.model, start, [*written, 0], surgery.rows[row], surgery.means, donor)
        best = int(logits[len(written)].argmax())
        if best in checkpoint.end_token_ids:
            break
        written.append(best)
    return tuple(written)


@pytest.mark.parametrize("mode", MODES)
def test_responses_of_the_fixture_model(tiny_it: Probe, mode: str) -> None:
    """In one batch of prompts of several lengths each row is written under its own ablation."""
    checkpoint, asked = tiny_it.checkpoint, _asked()
    surgery = _surgery(checkpoint, asked, mode, tiny_it.outputs().means)
    found = respond_to_batch(checkpoint, asked, SHORT, surgery=surgery).responses
    expected = [_by_hand(checkpoint, one, surgery, row) for row, one in enumerate(asked)]
    assert [one.token_ids for one in found] == expected
    whole = respond_to_batch(checkpoint, asked, SHORT).responses
    assert sum(one != other for one, other in zip(found, whole, strict=True)) > len(asked) // 2


@pytest.fixture
def small_memory(tiny_it: Probe) -> Iterator[None]:
    """The fixture model on a device that holds four rows."""

    def full(_module: object, _inputs: object, output: Any) -> None:
        if output.logits.shape[0] > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")

    handle = tiny_it.checkpoint.model.register_forward_hook(full)
    yield
    handle.remove()


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("mode", MODES)
def test_memory_is_out(tiny_it: Probe, mode: str) -> None:
    """In the pieces of a batch that does not fit each row keeps its ablation and its donor."""
    checkpoint, asked = tiny_it.checkpoint, _asked()
    surgery = _surgery(checkpoint, asked, mode, tiny_it.outputs().means)
    answered = respond_to_batch(checkpoint, asked, SHORT, surgery=surgery)
    # A row that is resampled runs with its donor.
    assert answered.pieces == (4 if mode == "resample" else 2)
    for row, response in enumerate(answered.responses):
        alone = surgery.of([row])
        assert response == respond_to_batch(checkpoint, [asked[row]], SHORT, surgery=alone).responses[0]


def test_a_donor_counts_in_the_context(llama: Checkpoint) -> None:
    """A donor's prompt that the context has no room for is an error, as the prompt's own would be."""
    (prompt,) = prompts("en", budget=1)
    own = render(llama, prompt, SHORT)
    ablation = Ablation(resample=find_components("L1", n_layers=3, n_heads=4, model="llama"))
    narrow = replace(llama, context=len(own) + SHORT.cap)
    for more, fits in ((0, True), (1, False)):
        donor = (*own, *own[:more])
        surgery = Surgery(anatomy_of(llama.model), (ablation,), None, (donor,))
        if fits:
            assert respond_to_batch(narrow, [prompt], SHORT, surgery=surgery)
        else:
            with pytest.raises(ModelError, match=f"a prompt of {len(donor)} and a cap of 14"):
                respond_to_batch(narrow, [prompt], SHORT, surgery=surgery)
