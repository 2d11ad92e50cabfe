"""Checkpoints that really think: tiny-it with tokens that make it write a thought, or one without end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from lengthprobe import load
from lengthprobe.checkpoints.chat.template import render

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("<|go|>", "<think>", "hmm", "</think>")
# How the generation prompt goes on after the assistant's header.
OPENED, SWITCHED, CLOSED = (
    "<think>",
    "{% if enable_thinking %}<|go|>{% endif %}",
    "<think>\n\n</think>",
)


def thinker(directory: Path, prompt_end: str, *, endless: bool = False, special: bool = False) -> Path:
    """A copy of tiny-it that writes `<think>` after `<|go|>`, `hmm` after that, and `</think>` after that.

    After `</think>` it answers as it did. What a token is followed by is written into the directions that
    the final norm's output hardly uses.

    Args:
        directory: Where the checkpoint is saved.
        prompt_end: What the chat template writes last.
        endless: Whether `hmm` is followed by itself.
        special: Whether the marks are special tokens, which decoding leaves out.
    """
    probe = load("tiny-it", budget=40, device_map="cpu", languages=("en",))
    source = probe.files.directory
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    quiet = _quiet_directions(probe, model)
    end = tokenizer("\n\n", add_special_tokens=False)["input_ids"][-1]
    tokenizer.add_tokens(list(NAMES), special_tokens=special)
    ids = [tokenizer.convert_tokens_to_ids(name) for name in NAMES]
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    embedding, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    with torch.no_grad():
        head[ids] = 0.0
        for place, direction in enumerate(quiet):
            embedding[ids[place]] = 40.0 * direction
            head[ids[2 if endless and place == 2 else place + 1]] += 6.0 * direction
        embedding[ids[3]] = embedding[end]
    template = tokenizer.chat_template
    tokenizer.chat_template = template.replace("{% endif %}", prompt_end + "{% endif %}", 1)
    assert tokenizer.chat_template != template
    tokenizer.save_pretrained(directory)
    model.save_pretrained(directory)
    return directory


def _quiet_directions(probe, model):
    """The three directions that the final norm's output uses least, [3, d]."""
    found = []
    for one in probe.responses("en"):
        row = [*render(probe.checkpoint, one.prompt, probe.settings), *one.token_ids]
        with torch.inference_mode():
            found.append(model.model(torch.tensor([row])).last_hidden_state[0])
    seen = torch.cat(found)
    return torch.linalg.eigh(seen.T @ seen).eigenvectors[:, :3].T
