"""The loss of texts: equal to transformers' own, one text at a time."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch

from fixtures.mechanism import cut
from lengthprobe import load
from lengthprobe.components.names import Ablation, Component, every_component
from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.generation.likelihood import text_losses
from lengthprobe.measures import text_loss_rise
from lengthprobe.task.languages import load_language

TEXTS = ("The sea is calm.", "Stille Meere tragen laute Wale und warten auf den Abend.", "L'onda")


@pytest.fixture(scope="module")
def probe():
    """tiny-it, after 20 prompts a language."""
    return load("tiny-it", budget=20, device_map="cpu")


def loss_by_hand(checkpoint, text):
    """The loss that transformers computes of a text that is its own label."""
    ids = torch.tensor([checkpoint.tokenizer(text)["input_ids"]])
    with torch.no_grad():
        return float(checkpoint.model(input_ids=ids, labels=ids).loss)


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_equal_to_transformers(probe, batch_size):
    """Each text's mean negative log-likelihood, whatever it shares a batch with."""
    expected = [loss_by_hand(probe.checkpoint, text) for text in TEXTS]
    assert text_losses(probe.checkpoint, TEXTS, batch_size=batch_size) == pytest.approx(expected, rel=1e-5)


def test_equal_to_edited_weights(probe):
    """Under an ablation: as of a model whose weights were cut."""
    heads = [(3, 0), (4, 2)]
    with cut(probe.checkpoint.model, heads, mlp=True):
        expected = [loss_by_hand(probe.checkpoint, text) for text in TEXTS]
    ablation = Ablation(zero=(*(Component(*one) for one in heads), Component(4)))
    assert probe.losses(TEXTS, ablation) == pytest.approx(expected, rel=1e-5)
    assert probe.losses(TEXTS, Ablation()) == pytest.approx(
        [loss_by_hand(probe.checkpoint, text) for text in TEXTS], rel=1e-5
    )


def test_one_token(probe):
    """A text of one token predicts none, and is refused with the place it comes from."""
    checkpoint = probe.checkpoint
    one = type(checkpoint)(**{name: getattr(checkpoint, name) for name in checkpoint.__slots__})
    object.__setattr__(one, "tokenizer", lambda _text: {"input_ids": [7]})
    with pytest.raises(ModelError, match=r"makes 1 token of 'x'\n.*ordinary"):
        text_losses(one, ["x"], batch_size=1)


def test_resampling_has_no_donor(probe):
    """An ordinary text asks for no number of words: another mode is named."""
    with pytest.raises(SettingsError, match="zero or mean"):
        probe.losses(TEXTS, Ablation(resample=(Component(4),)))


def test_rise(probe):
    """The rise is each ordinary sentence's loss without the leading components, less that with them."""
    sentences = load_language("it").ordinary
    found = text_loss_rise(probe, language="it", kind="mlps")
    with cut(probe.checkpoint.model, mlp=True):
        cut_off = [loss_by_hand(probe.checkpoint, text) for text in sentences]
    whole = [loss_by_hand(probe.checkpoint, text) for text in sentences]
    expected = [one - other for one, other in zip(cut_off, whole, strict=True)]
    assert [one.value for one in found.observations] == pytest.approx(expected, abs=2e-5)
    assert (found.n, found.unit) == (len(sentences), "nats")


def test_what_cannot_be_ablated(probe):
    """A component that is not there, and all there are, are refused as everywhere."""
    with pytest.raises(SettingsError, match="'L9H9' is not in tiny-it"):
        probe.losses(TEXTS, Ablation(zero=(Component(9, 9),)))
    every = tuple(every_component(5, 4))
    with pytest.raises(SettingsError, match="all 25 heads and MLPs of tiny-it"):
        probe.losses(TEXTS, Ablation(zero=every))


@contextmanager
def room_for(model, most):
    """While the block lasts, memory is out in the last layer for more rows than so many."""

    def check(_module, args):
        if len(args[0]) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")

    handle = model.model.layers[-1].register_forward_pre_hook(check)
    try:
        yield
    finally:
        handle.remove()


def test_memory_is_out(probe):
    """Texts that do not fit together are read in halves; one that does not fit alone is an error."""
    checkpoint = probe.checkpoint
    expected = text_losses(checkpoint, TEXTS, batch_size=8)
    with room_for(checkpoint.model, 1):
        assert text_losses(checkpoint, TEXTS, batch_size=8) == pytest.approx(expected, rel=1e-5)
    with room_for(checkpoint.model, 0), pytest.raises(ModelError, match="with a single text of 4 tokens"):
        text_losses(checkpoint, TEXTS, batch_size=8)
