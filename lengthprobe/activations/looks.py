"""Looks: which share of their attention a checkpoint's heads give, from a text, to words of its prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from lengthprobe.activations.attention import attention_shares
from lengthprobe.checkpoints.chat.template import chat_text, prompt_form, render
from lengthprobe.checkpoints.row_limits import RowLimit
from lengthprobe.errors import ModelError
from lengthprobe.generation.rows import in_batches, pad, text_too_large

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.activations.look import Floats, Look
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.components.names import Component
    from lengthprobe.settings import Settings
    from lengthprobe.task.distractor import Span
    from lengthprobe.task.prompts import Prompt


def look(
    checkpoint: Checkpoint,
    looks: Sequence[Look],
    settings: Settings,
    heads: Sequence[Component],
    *,
    batch_size: int,
) -> list[Floats]:
    """The share of each head's attention on each target's tokens together, in order.

    Args:
        checkpoint: The checkpoint.
        looks: The texts, each with the same number k of targets.
        settings: The prompt form and the system prompt count.
        heads: The heads, h of them.
        batch_size: Most texts at once; halved on out of memory.

    Returns:
        For each look, over its b steps, [b, h, k].

    Raises:
        ModelError: The tokens of a target are not known, a text does not fit the context, memory is out for a
            single text, or an error of `attention_shares`.
    """
    rows = [_row(checkpoint, this_look, settings) for this_look in looks]
    longest = max((len(row.tokens) for row in rows), default=0)
    if checkpoint.context is not None and longest > checkpoint.context:
        raise ModelError(
            f"{checkpoint.name} reads at most {checkpoint.context} tokens, and a prompt with its answer has "
            f"{longest}",
            "a lower setting:cap, or a shorter system prompt",
        )
    order = sorted(range(len(rows)), key=lambda index: (len(rows[index].tokens), index))
    shares = in_batches(
        [rows[index] for index in order],
        batch_size,
        lambda batch: _looked(checkpoint, batch, heads),
        lambda row: text_too_large(checkpoint, len(row.tokens)),
        RowLimit(checkpoint.limits, f"attention of {len(heads)} heads", lambda row: len(row.tokens)),
    )
    by_index = dict(zip(order, shares, strict=True))
    return [by_index[index] for index in range(len(rows))]


def token_places(
    checkpoint: Checkpoint, prompt: Prompt, settings: Settings, spans: Sequence[Span]
) -> tuple[int, ...]:
    """The places of a rendered prompt's tokens that hold a character of some spans of the prompt's text.

    Raises:
        ModelError: The tokenizer does not say which characters its tokens stand for, the chat template
            changes the text, or no token stands for a span.
    """
    tokenizer = checkpoint.tokenizer
    if not tokenizer.is_fast:
        raise ModelError(
            f"the tokenizer of {checkpoint.name} does not say which characters its tokens stand for: "
            f"{type(tokenizer).__name__} is written in Python, and has no offsets",
            "save it with a tokenizer.json (AutoTokenizer.from_pretrained(…).save_pretrained(…)), or "
            "leave the claims about attention out (pytest --deselect)",
        )
    chat = prompt_form(checkpoint, settings) == "chat"
    text = chat_text(checkpoint, prompt, settings) if chat else prompt.text
    # The request is the last message: a system prompt may say the same.
    start = text.rfind(prompt.text)
    if start < 0:
        raise ModelError(
            f"the chat template of {checkpoint.name} changes what it is given: {prompt.text!r} is not in it",
            "mend the template, or setting:prompt-form=plain",
        )
    offsets = tokenizer(text, add_special_tokens=not chat, return_offsets_mapping=True)["offset_mapping"]
    places = tuple(
        place
        for place, (first, last) in enumerate(offsets)
        if any(first < start + end and last > start + begin for begin, end in spans)
    )
    if not places:
        said = " and ".join(repr(prompt.text[begin:end]) for begin, end in spans)
        raise ModelError(
            f"the tokenizer of {checkpoint.name} has no token for {said} in {prompt.text!r}",
            "save the right tokenizer into the checkpoint's directory",
        )
    return places


@dataclass(frozen=True, slots=True)
class _Row:
    """All the tokens, the places from which heads look, and the places of each target."""

    tokens: tuple[int, ...]
    places: tuple[int, ...]
    targets: tuple[tuple[int, ...], ...]


def _row(checkpoint: Checkpoint, this_look: Look, settings: Settings) -> _Row:
    prompt = render(checkpoint, this_look.prompt, settings)
    return _Row(
        (*prompt, *this_look.token_ids[: max(this_look.steps, default=0)]),
        tuple(len(prompt) + step - 1 for step in this_look.steps),
        tuple(token_places(checkpoint, this_look.prompt, settings, spans) for spans in this_look.targets),
    )


def _looked(checkpoint: Checkpoint, rows: Sequence[_Row], heads: Sequence[Component]) -> list[Floats]:
    padded = pad(checkpoint, [row.tokens for row in rows])
    ids, mask = padded.input_ids, padded.attention_mask
    targets = torch.zeros((len(rows[0].targets), *ids.shape), dtype=torch.bool)
    places = []
    for index, row in enumerate(rows):
        first = padded.start - len(row.tokens)
        places.append([first + place for place in row.places])
        for k, target in enumerate(row.targets):
            targets[k, index, [first + place for place in target]] = True
    shares = attention_shares(checkpoint.model, ids, mask, places, heads, targets)
    return [row_shares.numpy() for row_shares in shares]
