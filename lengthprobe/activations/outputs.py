"""Outputs: size and mean of each component's output, at the positions that write a response."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from lengthprobe.activations.component_outputs import ComponentOutputs
from lengthprobe.activations.hooks import watch_components
from lengthprobe.checkpoints.chat.template import render
from lengthprobe.checkpoints.forward import run_decoder
from lengthprobe.checkpoints.row_limits import RowLimit
from lengthprobe.generation.rows import in_batches, pad, text_too_large

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from lengthprobe.activations.component_outputs import Floats
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.components.anatomy import Anatomy
    from lengthprobe.errors import ModelError
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Response


class OutputSums:
    """A receiver that adds up outputs, pass by pass, and keeps none.

    Args:
        anatomy: The model's components.
    """

    def __init__(self, anatomy: Anatomy) -> None:
        self._anatomy = anatomy
        self._places: Tensor = torch.zeros(0)
        self._n = 0
        layers = range(anatomy.n_layers)
        self._heads: list[Tensor | float] = [0.0 for _ in layers]
        self._mlps: list[Tensor | float] = [0.0 for _ in layers]
        self._head_lengths: list[Tensor | float] = [0.0 for _ in layers]
        self._mlp_lengths: list[Tensor | float] = [0.0 for _ in layers]

    @torch.no_grad()
    def read(self, input_ids: Tensor, attention_mask: Tensor, places: Tensor) -> None:
        """Run the decoder over some rows, left-padded, and add up the outputs at some positions.

        Args:
            input_ids: [n, S]
            attention_mask: [n, S]
            places: Which positions count, [n, S] bool.
        """
        self._places = places
        self._n += int(places.sum())
        with watch_components(self._anatomy, self):
            run_decoder(self._anatomy.model, input_ids, attention_mask)

    def add(self, other: OutputSums) -> None:
        """Add the sums of another receiver."""
        self._n += other._n
        for own, its in zip(self._every, other._every, strict=True):
            own[:] = [first + second for first, second in zip(own, its, strict=True)]

    @property
    def _every(self) -> tuple[list[Tensor | float], ...]:
        return self._heads, self._mlps, self._head_lengths, self._mlp_lengths

    def outputs(self) -> ComponentOutputs:
        """The mean lengths and outputs over all positions read.

        Raises:
            ValueError: No position was read.
        """
        if not self._n:
            raise ValueError("there is no mean over no positions: read some rows first")

        def means(sums: list[Tensor | float]) -> Floats:
            by_layer = [(torch.as_tensor(total) / self._n).to(torch.device("cpu")) for total in sums]
            stacked = torch.stack(by_layer)
            array: Floats = (stacked if stacked.dtype == torch.float64 else stacked.float()).numpy()
            return array

        return ComponentOutputs(*map(means, (self._head_lengths, self._mlp_lengths, self._heads, self._mlps)))

    def embedding(self, stream: Tensor) -> None:
        """Ignore the embedding, which is no component."""

    def final(self, stream: Tensor, normed: Tensor) -> None:
        """Ignore the final stream."""

    def attention(self, layer: int, heads: Tensor, output: Tensor) -> None:
        """Add the heads' outputs, and the lengths of their additions to the stream."""
        anatomy, modules = self._anatomy, self._anatomy.layers[layer]
        chosen = heads[self._places.to(heads.device)].to(anatomy.dtype)
        self._heads[layer] += chosen.sum(0)
        # ‖W z‖² = zᵀ (Wᵀ W) z, with a head's output z and its output projection W (METHODS §2): the heads'
        # outputs in the stream need not be made.
        weight = modules.output_weight(anatomy.dtype).to(heads.device)
        norm = modules.attention_norm
        if norm is not None:
            weight = weight * norm.gain(anatomy.dtype).to(heads.device)[:, None]
        by_head = weight.view(anatomy.width, anatomy.n_heads, anatomy.head_dim)
        products = torch.einsum("dhk,dhj->hkj", by_head, by_head)
        z = chosen.view(len(chosen), anatomy.n_heads, anatomy.head_dim)
        lengths = torch.einsum("mhk,hkj,mhj->mh", z, products, z).clamp(min=0).sqrt()
        if norm is not None:
            scale = norm.inverse_scale(output[self._places.to(output.device)].to(anatomy.dtype))
            lengths = lengths * scale.to(lengths.device)[:, None]
        self._head_lengths[layer] += lengths.sum(0)

    def mlp(self, layer: int, output: Tensor) -> None:
        """Add the MLP's addition, and its length."""
        chosen = output[self._places.to(output.device)].to(self._anatomy.dtype)
        self._mlps[layer] += chosen.sum(0)
        self._mlp_lengths[layer] += chosen.norm(dim=-1).sum()


def outputs_of(
    checkpoint: Checkpoint,
    anatomy: Anatomy,
    responses: Sequence[Response],
    settings: Settings,
    *,
    batch_size: int,
) -> ComponentOutputs:
    """The outputs of a checkpoint's components at the positions that write some responses of its own.

    A position writes the next token. So the prompt's last position counts, and every token of the response
    before another token or the end token. Positions that write a thought do not count.

    Args:
        checkpoint: The checkpoint.
        anatomy: Its components.
        responses: The responses, with their prompts.
        settings: The prompt form and the system prompt count.
        batch_size: Most rows at once.

    Raises:
        ValueError: There is no response.
        ModelError: Memory is out for a single response.
    """
    sums = OutputSums(anatomy)
    rows = [
        _Row(
            tuple(render(checkpoint, response.prompt, settings)),
            response.token_ids,
            response.finish_reason == "stop",
            response.thought_tokens,
        )
        for response in responses
    ]
    rows.sort(key=lambda row: len(row.prompt) + len(row.written))

    def run(batch: Sequence[_Row]) -> list[OutputSums]:
        # Of its own: one that memory is out for may have read some layers already.
        piece = OutputSums(anatomy)
        padded = pad(checkpoint, [row.prompt + row.written for row in batch])
        places = _writing(batch, padded.start).to(checkpoint.device)
        piece.read(padded.input_ids, padded.attention_mask, places)
        return [piece]

    def too_large(row: _Row) -> ModelError:
        return text_too_large(checkpoint, len(row.prompt) + len(row.written))

    limit = RowLimit(checkpoint.limits, "outputs", lambda row: len(row.prompt) + len(row.written))
    for piece in in_batches(rows, batch_size, run, too_large, limit):
        sums.add(piece)
    return sums.outputs()


class _Row(NamedTuple):
    """A prompt and a response as tokens; whether the model ended the response; number of thought tokens."""

    prompt: tuple[int, ...]
    written: tuple[int, ...]
    ended: bool
    thought: int


def _writing(rows: Sequence[_Row], width: int) -> Tensor:
    """The positions that write, [n, width], of rows padded on the left."""
    places = torch.zeros((len(rows), width), dtype=torch.bool)
    for index, row in enumerate(rows):
        places[index, width - len(row.written) - 1 + row.thought :] = True
        # After the last token of a response that was cut off nothing was written.
        places[index, -1] = row.ended
    return places
