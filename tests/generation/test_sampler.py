"""Sampled responses: exact draws, each a function of checkpoint, prompt, sample number and seed alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, kstest
from transformers import (
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from lengthprobe.checkpoints.chat.template import render
from lengthprobe.checkpoints.loading import Checkpoint, load_checkpoint
from lengthprobe.generation.sampler import gumbel, row_key
from lengthprobe.generation.transformers_engine import respond_to_batch
from lengthprobe.sampling import Sampling
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import Prompt, prompts

if TYPE_CHECKING:
    from collections.abc import Sequence

# Hot, so that random weights and a trained model alike write many texts.
HOT = Settings(device_map="cpu", cap=16, sampling="temperature=1.3,top-p=0.95")
CPU = torch.device("cpu")
# The seeds are fixed, so that nothing here fails by chance; a p-value below this would be a fault.
LEAST_P = 0.01


@pytest.fixture(scope="module")
def tiny() -> Checkpoint:
    """A trained fixture model, in float32."""
    return load_checkpoint("tiny-it", HOT)


def _texts(
    checkpoint: Checkpoint, asked: Sequence[Prompt], settings: Settings, *, size: int, sample: int = 1
) -> list[tuple[int, ...]]:
    return [
        response.token_ids
        for first in range(0, len(asked), size)
        for response in respond_to_batch(
            checkpoint, asked[first : first + size], settings, sample=sample
        ).responses
    ]


def test_batches_change_no_sample(tiny: Checkpoint) -> None:
    """A response is the same alone, in batches of 3 and of 8, and among other neighbours."""
    asked = prompts("en", budget=8)
    alone = _texts(tiny, asked, HOT, size=1)

    assert len(set(alone)) == len(asked)
    assert _texts(tiny, asked, HOT, size=3) == alone
    assert _texts(tiny, asked, HOT, size=8) == alone
    assert _texts(tiny, asked[::-1], HOT, size=5) == alone[::-1]


def test_split_batches_change_no_sample(tiny: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory is out for more than two rows, the halves have the noise of their own rows."""
    asked, generate = prompts("en", budget=8), tiny.model.generate
    whole = _texts(tiny, asked, HOT, size=8)

    def small(input_ids: torch.Tensor, **more: object) -> object:
        if len(input_ids) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return generate(input_ids, **more)

    monkeypatch.setattr(tiny.model, "generate", small)
    answered = respond_to_batch(tiny, asked, HOT, sample=1)

    assert answered.pieces == 4
    assert [response.token_ids for response in answered.responses] == whole


def test_seed_and_number_change_a_sample(tiny: Checkpoint) -> None:
    """Most texts differ under another seed, and in another sample; and none differs when drawn again."""
    asked = prompts("en", budget=8)
    first = _texts(tiny, asked, HOT, size=8)

    for other in (
        _texts(tiny, asked, replace(HOT, seed=1), size=8),
        _texts(tiny, asked, HOT, size=8, sample=2),
    ):
        assert sum(one != two for one, two in zip(first, other, strict=True)) > 4
    assert _texts(tiny, asked, HOT, size=8) == first


def test_response_knows_its_sample(tiny: Checkpoint) -> None:
    """And a greedy response has no number."""
    (prompt,) = prompts("en", budget=1)

    (drawn,) = respond_to_batch(tiny, [prompt], HOT, sample=3).responses
    (greedy,) = respond_to_batch(tiny, [prompt], HOT).responses

    assert (drawn.sample, greedy.sample) == (3, None)


@pytest.mark.parametrize(
    "text",
    [
        "temperature=1",
        "temperature=2,top-p=0.9",
        "temperature=1.5,top-k=7",
        "temperature=2,top-k=9,top-p=0.9",
    ],
)
def test_first_tokens_have_the_filtered_distribution(tiny: Checkpoint, text: str) -> None:
    """Over 4,000 responses to a prompt, by chi-square tests.

    One is against the warpers of transformers, and another against probabilities written out here.
    """
    settings = Settings(device_map="cpu", cap=1, sampling=text)
    sampling, prompt = settings.needed_sampling, prompts("en", budget=1)[0]
    row = torch.tensor([render(tiny, prompt, settings)])
    with torch.inference_mode():
        logits = tiny.model(row).logits[:, -1].float()
    warpers = [TemperatureLogitsWarper(sampling.temperature)]
    warpers += [TopKLogitsWarper(sampling.top_k)] if sampling.top_k else []
    warpers += [TopPLogitsWarper(sampling.top_p)]
    warped = LogitsProcessorList(warpers)(row, logits).softmax(-1)[0].double().numpy()

    # The same text under other ids: each row has noise of its own.
    asked = [replace(prompt, id=f"{number}") for number in range(4000)]
    drawn = [
        # An end token is no part of a response: all ends count as the first.
        response.token_ids[0] if response.token_ids else tiny.end_token_ids[0]
        for response in respond_to_batch(tiny, asked, settings, sample=1).responses
    ]

    for expected in (warped, _filtered(logits[0].double().numpy(), sampling)):
        ends = list(tiny.end_token_ids)
        expected[ends[0]], expected[ends[1:]] = expected[ends].sum(), 0
        _assert_drawn_from(expected, np.array(drawn))


def _filtered(logits: np.ndarray, sampling: Sampling) -> np.ndarray:
    """The probabilities after temperature, top-k and top-p, by a loop over the likeliest tokens."""
    scaled = logits / sampling.temperature
    order = np.argsort(-scaled, kind="stable")
    if sampling.top_k is not None:
        order = order[: sampling.top_k]
    weights = np.exp(scaled[order] - scaled[order].max())
    weights /= weights.sum()
    kept, total = np.zeros_like(scaled), 0.0
    for token, weight in zip(order, weights, strict=True):
        # The first token that reaches top-p is the last one kept.
        if total >= sampling.top_p:
            break
        kept[token], total = weight, total + weight
    return kept / kept.sum()


def _assert_drawn_from(expected: np.ndarray, drawn: np.ndarray) -> None:
    counts = np.bincount(drawn, minlength=len(expected))
    assert not counts[expected == 0].any(), "no token that was cut"
    wanted = expected * len(drawn)
    # Tokens expected fewer than five times stand together, as the test needs.
    often = wanted >= 5
    found, due = (np.append(each[often], each[~often].sum()) for each in (counts, wanted))
    keep = due > 0
    assert keep.sum() > 4, "a distribution, and no single token"
    assert chisquare(found[keep], due[keep] * found.sum() / due.sum()).pvalue > LEAST_P


def test_noise_is_gumbel_and_of_each_token_step_and_row() -> None:
    """By Kolmogorov's test; and rows, steps and tokens have nothing to do with each other."""
    keys = torch.tensor([row_key(0, f"p{n}", 1) for n in range(40)])
    noise = torch.stack([gumbel(keys, step, 500, CPU) for step in range(4)]).numpy()

    assert kstest(noise.ravel(), lambda x: np.exp(-np.exp(-x))).pvalue > LEAST_P
    flat = noise.reshape(160, 500)
    apart = np.corrcoef(flat)[~np.eye(160, dtype=bool)]
    # 500 independent values correlate by 0.045 or so; of 12,720 pairs the largest is near four times that.
    assert abs(apart).max() < 0.25
    assert abs(np.corrcoef(flat[:, :-1].ravel(), flat[:, 1:].ravel())[0, 1]) < 0.02


def test_noise_does_not_hang_on_the_vocabulary() -> None:
    """Rows that are padded to a round number keep the draws of a model."""
    keys = torch.tensor([row_key(0, "p", 1)])

    assert torch.equal(gumbel(keys, 2, 100, CPU), gumbel(keys, 2, 128, CPU)[:, :100])


def test_noise_is_known() -> None:
    """These digits change no more: a saved run holds samples drawn with them."""
    keys = torch.tensor([row_key(0, "prompt", 1)])

    assert gumbel(keys, 0, 3, CPU).tolist()[0] == pytest.approx([0.4936644, 1.6763407, 0.1887748])
