"""SmolLM2-135M-Instruct, quantized to four bits, as somebody's own checkpoint would be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import torch

from fixtures.real import DIGEST
from lengthprobe import measures
from lengthprobe.attribution import direct_logit_attribution
from lengthprobe.checkpoints.chat.template import render
from lengthprobe.checkpoints.gguf.weights import check_values
from lengthprobe.generation.transformers_engine import respond
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from lengthprobe.probe import Probe


def test_is_the_pinned_file(smollm2_probe: Probe) -> None:
    """The report names the checkpoint by the digest that was pinned, and says how it is stored."""
    found = smollm2_probe.identity()

    assert found.weights == DIGEST
    assert found.stored == "GGUF Q4_1 (Q4_1 210 tensors, F32 61, Q8_0 1)"
    assert (found.architecture, found.dtype, found.prompt_form) == ("LlamaForCausalLM", "float32", "chat")


def test_form_is_that_of_its_makers(smollm2_probe: Probe) -> None:
    """A prompt is written in ChatML, from the template in the file, and ends where the answer begins."""
    checkpoint = smollm2_probe.checkpoint
    asked = prompts("en", budget=1)[0]
    text = checkpoint.tokenizer.decode(render(checkpoint, asked, smollm2_probe.settings))

    assert text.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    assert text.endswith(f"<|im_start|>user\n{asked.text}<|im_end|>\n<|im_start|>assistant\n")
    assert [checkpoint.tokenizer.decode([end]) for end in checkpoint.end_token_ids] == ["<|im_end|>"]


def test_digits_are_tokens_of_their_own(smollm2_probe: Probe) -> None:
    """Numbers are split as the model was trained to read them."""
    assert smollm2_probe.checkpoint.tokenizer.tokenize("1234 words") == ["1", "2", "3", "4", "Ġwords"]


def test_has_no_length_control(smollm2_probe: Probe) -> None:
    """About one answer in a hundred is exact: of twelve, two or more are as good as never."""
    assert float(measures.exact_match(smollm2_probe, language="en").mean) <= 1 / 12


def test_writes_english(smollm2_probe: Probe) -> None:
    """Its answers are sentences of ordinary words."""
    texts = [one.text for one in smollm2_probe.responses("en")]
    words = re.findall(r"[a-z]+", " ".join(texts).lower())

    assert sum(len(text.split()) > 3 for text in texts) > len(texts) / 2
    assert not any("\ufffd" in text or "<|" in text for text in texts)
    assert sum(word in ("the", "a", "of", "and", "to", "in", "is") for word in words) > len(words) / 10
    assert len(set(words)) > len(words) / 4


def test_components_add_up_to_its_logits(smollm2_probe: Probe) -> None:
    """Embedding, 270 heads and 30 MLPs make every logit, to what float32 allows."""
    assert (smollm2_probe.proof.n_layers, smollm2_probe.proof.n_heads) == (30, 9)
    assert smollm2_probe.proof.gap < 1e-4


def test_attribution_sums_to_the_logits(smollm2_probe: Probe) -> None:
    """The attributions of an answer's tokens, summed over all parts, are a plain forward pass's logits."""
    checkpoint, answer = smollm2_probe.checkpoint, smollm2_probe.responses("en")[0]
    start = render(checkpoint, answer.prompt, smollm2_probe.settings)
    row = torch.tensor([[*start, *answer.token_ids]])
    found = direct_logit_attribution(checkpoint.model, row, torch.ones_like(row), len(start))
    with torch.inference_mode():
        logits = checkpoint.model(row).logits[0, len(start) - 1 : -1]
    # A token's logit is measured from the mean over the vocabulary (METHODS §2).
    expected = logits.gather(-1, row[0, len(start) :, None])[:, 0] - logits.mean(-1)

    assert torch.allclose(found.total[0], expected, atol=2e-3)


def test_batched_and_single(smollm2_probe: Probe) -> None:
    """An answer does not hang on the batch that it was written in."""
    checkpoint, asked = smollm2_probe.checkpoint, prompts("en", budget=12)[:2]
    batched, single = (
        respond(checkpoint, asked, smollm2_probe.settings, batch_size=size) for size in (len(asked), 1)
    )

    assert [one.token_ids for one in batched] == [one.token_ids for one in single]


def test_every_tensor_is_in_the_model(smollm2_probe: Probe) -> None:
    """The values in memory are those that gguf dequantizes."""
    files = smollm2_probe.checkpoint.files
    assert files.gguf is not None
    check_values(files.gguf, smollm2_probe.checkpoint.model)
